#include "scripted_history.hpp"

#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "contract/sample_town.hpp"

namespace townd {

namespace {

constexpr int kWorksInRound = 2;  ///< of town a; town b has one

TownCommit next(const std::string& prefix, std::int64_t done) {
  return done == 0 ? sample::founding(prefix) : sample::work(prefix, done);
}

bool shared(int round) { return round % 2 == 1; }

/// The commits of one round, in order.
std::vector<TownCommit> round_of(const Progress& from) {
  std::vector<TownCommit> commits;
  for (int i = 0; i < kWorksInRound; ++i) commits.push_back(next("a", from.a + i));
  commits.push_back(next("b", from.b));
  return commits;
}

void count(Progress& progress, const TownId& town) { ++(town == sample::town_id("a") ? progress.a : progress.b); }

/// Commits `commits` in one transaction: they are handed in while the writer is inside the answer of another commit.
std::string commit_together(Store& store, std::vector<TownCommit> commits, Progress& acknowledged) {
  auto finished = std::make_shared<std::promise<std::string>>();
  TownCommit first = std::move(commits.front());
  commits.erase(commits.begin());
  const TownId town = first.town_id;
  store.commit(std::move(first), [&, finished, town, rest = std::move(commits)](const expected<void>& done) {
    if (!done) return finished->set_value(done.error().what);
    count(acknowledged, town);
    for (std::size_t i = 0; i < rest.size(); ++i)
      store.commit(rest[i], [&, finished, id = rest[i].town_id, last = i + 1 == rest.size()](const auto& answer) {
        if (answer) count(acknowledged, id);
        if (last) finished->set_value(answer ? std::string{} : answer.error().what);
      });
  });
  return finished->get_future().get();
}

std::string commit_alone(Store& store, TownCommit commit, Progress& acknowledged) {
  auto finished = std::make_shared<std::promise<std::string>>();
  const TownId town = commit.town_id;
  store.commit(std::move(commit), [finished](const expected<void>& done) {
    finished->set_value(done ? std::string{} : done.error().what);
  });
  std::string failure = finished->get_future().get();
  if (failure.empty()) count(acknowledged, town);
  return failure;
}

std::int64_t found_town(Store& store, const std::string& prefix) {
  const TownId town = sample::town_id(prefix);
  const expected<LoadedTown> loaded = store.load(town);
  if (!loaded) {
    EXPECT_EQ(loaded.error().code, Error::Code::not_found) << loaded.error().what;
    return 0;
  }
  const std::int64_t done = loaded->next_seq - 1;
  std::vector<RowChange> rows = sample::founding(prefix).rows;
  for (std::int64_t n = done - 1; n >= 1; --n)  // made beads come after the first one
    rows.insert(rows.begin() + 3, sample::work(prefix, n).rows.front());
  EXPECT_EQ(sample::lines(loaded->image), sample::lines(rows));
  EXPECT_EQ(loaded->next_tick, done + 1);
  EXPECT_EQ(loaded->last_digest, sample::tick(done).digest);
  EXPECT_EQ(loaded->outbox.size(), static_cast<std::size_t>(done - 1));
  EXPECT_TRUE(loaded->pending.empty());
  constexpr int kAll = 1'000'000;
  EventQuery every;
  every.limit = kAll;
  TickQuery every_tick;
  every_tick.limit = kAll;
  EXPECT_EQ(store.events(town, every)->size(), static_cast<std::size_t>(done));
  EXPECT_EQ(store.ticks(town, every_tick)->size(), static_cast<std::size_t>(done));
  for (std::int64_t n = 1; n < done; ++n) {
    const std::string text = "text " + std::to_string(n);
    EXPECT_EQ(*store.text(town, siphash128(text)), text);
    EXPECT_EQ(store.history(town, sample::bead(prefix, n + 100).bead_id, 10)->size(), 1u);
  }
  EXPECT_FALSE(*store.text(town, siphash128("text " + std::to_string(done))));
  return done;
}

}  // namespace

Played play(Store& store, const Progress& from, int rounds) {
  Played played{from, {}};
  for (int round = 0; round < rounds && played.failure.empty(); ++round) {
    std::vector<TownCommit> commits = round_of(played.acknowledged);
    if (shared(round)) {
      played.failure = commit_together(store, std::move(commits), played.acknowledged);
      continue;
    }
    for (TownCommit& commit : commits)
      if (played.failure.empty()) played.failure = commit_alone(store, std::move(commit), played.acknowledged);
  }
  return played;
}

std::vector<Progress> milestones(int rounds) {
  std::vector<Progress> all{{}};
  for (int round = 0; round < rounds; ++round) {
    Progress progress = all.back();
    for (const TownCommit& commit : round_of(progress)) {
      count(progress, commit.town_id);
      all.push_back(progress);
    }
    // Of a shared round the first commit is a transaction of its own; the others are one.
    if (shared(round)) all.erase(all.end() - 2);
  }
  return all;
}

Progress found_in(Store& store) { return {found_town(store, "a"), found_town(store, "b")}; }

}  // namespace townd
