#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>

#include "codec/snapshot.hpp"
#include "core/explain.hpp"
#include "core/invariant.hpp"
#include "core/resync.hpp"
#include "sim/random_town.hpp"

/// The agenda against the reference that looks at everything, on random towns with random histories.
namespace townd {
namespace {

using sim::RandomTown;

constexpr int kMostBeads = 2'000;
constexpr int kScanEachTickUpTo = 200;
constexpr int kScanEvery = 50;
constexpr std::uint64_t kEnough = 500;

int wanted_ticks() {
  const char* set = std::getenv("TOWND_PROPERTY_TICKS");
  return set ? std::atoi(set) : 20'000;
}

std::string told(const TickResult& result) {
  std::ostringstream text;
  for (const Decided& d : result.decisions) {
    text << d.rule << ' ' << d.subject.text << ' ' << static_cast<int>(d.fate) << ' ' << d.chosen.text;
    for (const ActionBody& action : d.actions) text << ' ' << action_type(action);
    text << '\n';
  }
  return text.str();
}

/// The first line in which two tellings differ; empty when they agree.
std::string difference(const std::string& reference, const std::string& agenda) {
  std::istringstream left(reference), right(agenda);
  std::string a, b;
  while (true) {
    const bool more_left = static_cast<bool>(std::getline(left, a)),
               more_right = static_cast<bool>(std::getline(right, b));
    if (!more_left && !more_right) return {};
    if (more_left != more_right || a != b)
      return "everything: " + (more_left ? a : "-") + "\nagenda:     " + (more_right ? b : "-");
  }
}

/// How often each rule acted, waited and held, and each edge was touched.
struct Counts {
  std::map<std::string_view, std::array<std::uint64_t, 3>> rules;
  std::array<std::uint64_t, kEdges> edges{};
  std::map<std::string, std::uint64_t> not_applied;  ///< by rule and reason
};

class Check {
 public:
  Check(std::uint64_t seed, Counts& counts) : seed_(seed), story_(seed, kMostBeads), counts_(counts) {}

  /// Runs the ticks of one story; answers how many.
  int run() {
    Town& town = story_.town();
    int done = 0;
    while (done < story_.length() && !::testing::Test::HasFailure()) {
      TickInput input = story_.next();
      for (int follow_up = 0; follow_up <= kFollowUpLimit; ++follow_up) {
        const TickResult result = one(town, input, done);
        story_.ticked(result);
        ++done;
        input.life.clear();
        input.events.clear();
        if (!result.follow_up) break;
      }
      if (!town.agenda().anything_touched()) {
        nothing_new_decides_nothing(town, input.now);
        nothing_was_missed(town, input.now);
      }
      if (story_.size() <= kScanEachTickUpTo || done % kScanEvery == 0) count_answers(town, input.now);
    }
    for (std::size_t i = 0; i < kEdges; ++i) counts_.edges[i] += town.agenda().touches()[i];
    return done;
  }

 private:
  TickResult one(Town& town, const TickInput& input, int done) {
    const bool scan = story_.size() <= kScanEachTickUpTo || done % kScanEvery == 0;
    TickResult reference;
    if (scan) {
      const Town::Mark mark = town.mark();
      reference = tick(town, input, Looking::everything);
      town.rollback(mark);
    }
    TickResult result = tick(town, input);
    if (scan) {
      EXPECT_EQ(difference(told(reference), told(result)), "")
          << "seed " << seed_ << ", tick " << done << ", at " << input.now.ms;
      EXPECT_EQ(reference.digest.hex(), result.digest.hex()) << "seed " << seed_ << ", tick " << done;
      EXPECT_EQ(result.digest.hex(), town.recount().hex()) << "seed " << seed_ << ", tick " << done;
    }
    for (const Decided& d : result.decisions) {
      if (d.fate != ActionFate::applied) ++counts_.not_applied[std::string(d.rule) + ": " + d.why];
      if (d.fate == ActionFate::applied) ++counts_.rules[d.rule][0];
    }
    town.settle();
    return result;
  }

  void nothing_new_decides_nothing(Town& town, Instant now) {
    const TickResult again = tick(town, {now, {}, {}, {}});
    EXPECT_TRUE(again.decisions.empty()) << "seed " << seed_ << "\n" << told(again);
    EXPECT_TRUE(again.changed.empty());
    town.settle();
  }

  /// The safety net agrees with the agenda, as long as the agenda is right.
  void nothing_was_missed(const Town& town, Instant now) {
    Resync round;
    Resync::Found found;
    if (story_.size() <= kScanEachTickUpTo)
      while (!round.look(town, now, 50, found)) {
      }
    for (const Missed& missed : found.missed)
      ADD_FAILURE() << "seed " << seed_ << ": " << to_string(missed.stage) << ' ' << missed.subject.text << " at "
                    << now.ms;
  }

  /// Counts what every rule answers, and demands a reason for every live issue, request and convoy.
  void count_answers(const Town& town, Instant now) {
    for (std::size_t stage = 0; stage < kStages; ++stage)
      for (const SubjectKey& asked : subjects(town, static_cast<Stage>(stage)))
        for (const Rule& rule : rules_of(static_cast<Stage>(stage))) {
          const Decision decision = rule.decide(town, asked, now);
          const auto* hold = std::get_if<Hold>(&decision);
          if (hold && hold->because == Reason::none) continue;
          const bool waits = std::holds_alternative<Wait>(decision);
          if (waits) {
            EXPECT_GT(std::get<Wait>(decision).until, now) << rule.id << " seed " << seed_;
          }
          const std::uint8_t answer = hold ? kHolds : waits ? kWaits : kActs;
          EXPECT_TRUE(rule.answers & answer) << rule.id << " gave an answer that its line does not name";
          if (answer != kActs) ++counts_.rules[rule.id][waits ? 1 : 2];
        }
    for (const BeadId& id : town.bead_ids()) {
      const Bead& bead = *town.bead(id);
      const bool judged =
          bead.type == BeadType::issue || bead.type == BeadType::merge_request || bead.type == BeadType::convoy;
      if (terminal(bead.status) || !judged) continue;
      const Explanation why = explain(town, id.text, now);
      EXPECT_FALSE(why.decisions.empty()) << id.text << " " << why.status << ", seed " << seed_;
    }
  }

  /// The queues' subjects are beads.
  static std::vector<SubjectKey> subjects(const Town& town, Stage stage) {
    if (stage == Stage::work_queue) return town.all_subjects(Stage::issues);
    if (stage == Stage::merge_queue) return town.all_subjects(Stage::requests);
    return town.all_subjects(stage);
  }

  std::uint64_t seed_;
  RandomTown story_;
  Counts& counts_;
};

TEST(Agenda, DecidesWhatLookingAtEverythingDecides) {
  Counts counts;
  const int wanted = wanted_ticks();
  int ticks = 0;
  for (std::uint64_t seed = 1; ticks < wanted && !HasFailure(); ++seed) ticks += Check(seed, counts).run();
  std::cout << ticks << " ticks\n"
            << "rule                        act      wait      hold\n";
  for (const Rule& rule : rules()) {
    const auto& [acts, waits, holds] = counts.rules[rule.id];
    std::cout << rule.id << std::string(24 - std::min<std::size_t>(24, rule.id.size()), ' ') << acts << '\t' << waits
              << '\t' << holds << '\n';
    if (wanted < 200'000) continue;
    if (rule.answers & kActs) {
      EXPECT_GE(acts, kEnough) << rule.id << " acted too seldom";
    }
    if (rule.answers & kWaits) {
      EXPECT_GE(waits, kEnough) << rule.id << " waited too seldom";
    }
    if (rule.answers & kHolds) {
      EXPECT_GE(holds, kEnough) << rule.id << " held too seldom";
    }
  }
  for (std::size_t i = 0; i < kEdges; ++i) {
    std::cout << "edge " << to_string(static_cast<Edge>(i)) << ' ' << counts.edges[i] << '\n';
    if (wanted >= 200'000) {
      EXPECT_GE(counts.edges[i], kEnough) << to_string(static_cast<Edge>(i));
    }
  }
  for (const auto& [why, count] : counts.not_applied) std::cout << "not applied " << why << ' ' << count << '\n';
}

/// Decisions with the time at which they were made, up to `until`, when nothing new happens.
std::string lived_on(Town& town, Instant from, Instant until, int between) {
  std::string story;
  sim::Random random(7);
  for (Instant now = from; now <= until;) {
    for (const TickResult& result : tick_until_settled(town, {now, {}, {}, {}}))
      for (const Decided& d : result.decisions)
        story += std::to_string(now.ms) + ' ' + std::string(d.rule) + ' ' + d.subject.text + '\n';
    town.settle();
    const Instant due = town.agenda().next_due();
    Instant next = town.agenda().anything_touched() ? now + seconds(1) : due;
    if (between > 0 && next > now + Duration{10}) {
      const auto gap = std::min<std::int64_t>(next.ms - now.ms, 600'000);
      next = std::min(
          next,
          now + Duration{1 + static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(
                                                                           std::max<std::int64_t>(2, gap / between)))});
    }
    if (next == kNever) break;
    now = std::max(next, now + Duration{1});
  }
  return story;
}

TEST(Agenda, TickingTenTimesAsOftenDecidesTheSame) {
  for (std::uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    RandomTown story(seed, 60);
    TickInput input = story.next();
    tick_until_settled(story.town(), input);
    story.town().settle();
    Town seldom = story.town(), often = story.town();
    const Instant until = input.now + hours(6);
    EXPECT_EQ(difference(lived_on(seldom, input.now, until, 0), lived_on(often, input.now, until, 10)), "")
        << "seed " << seed;
    EXPECT_EQ(seldom.digest().hex(), often.digest().hex()) << "seed " << seed;
  }
}

/// A dry run of what really comes next decides what that does, and leaves nothing behind.
TEST(Agenda, ADryRunIsTheNextTickAndLeavesNothingBehind) {
  int with_facts_and_due = 0, alike = 0;
  for (std::uint64_t seed = 1; seed <= 200 && !HasFailure(); ++seed) {
    RandomTown story(seed, 100);
    Town& town = story.town();
    for (int step = 0; step < 10 && !HasFailure(); ++step) {
      const TickInput input = story.next();
      const bool counts =
          !input.events.empty() && (town.agenda().anything_touched() || town.agenda().next_due() <= input.now);
      const Hash128 before = town.digest();
      const std::string rows = write_snapshot({image_of(town), {}, {}, {}});
      const auto dry = dry_run(town, input, input.now);
      ASSERT_EQ(before.hex(), town.digest().hex()) << "seed " << seed;
      ASSERT_EQ(rows, write_snapshot({image_of(town), {}, {}, {}})) << "seed " << seed;
      const auto real = tick_until_settled(town, input);
      bool same = dry.size() == real.size();
      for (std::size_t i = 0; same && i < real.size(); ++i)
        same = dry[i].at == input.now && told(dry[i].result) == told(real[i]) && dry[i].result.digest == real[i].digest;
      EXPECT_TRUE(same) << "seed " << seed << " step " << step;
      with_facts_and_due += counts;
      alike += counts && same;
      for (const TickResult& tick : real) story.ticked(tick);
      town.settle();
    }
  }
  std::cout << "dry runs with facts and something due: " << with_facts_and_due << ", like the next tick: " << alike
            << "\n";
  EXPECT_GT(with_facts_and_due, 500);
  EXPECT_EQ(alike, with_facts_and_due);
}

/// What a dry run foresees comes when nothing else does.
TEST(Agenda, ADryRunOfTheNextHoursForeseesThem) {
  std::size_t ticks = 0;
  for (std::uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    RandomTown story(seed, 60);
    Town& town = story.town();
    const TickInput input = story.next();
    const Instant until = input.now + hours(6);
    const Hash128 before = town.digest();
    const auto foreseen = dry_run(town, input, until);
    ASSERT_EQ(before.hex(), town.digest().hex()) << "seed " << seed;
    ticks += foreseen.size();
    TickInput next = input;
    for (std::size_t i = 0; i < foreseen.size() && !HasFailure(); ++i) {
      next.now = foreseen[i].at;
      EXPECT_EQ(told(tick(town, next)), told(foreseen[i].result)) << "seed " << seed;
      town.settle();
      next = {};
    }
    const bool more = foreseen.size() < kForeseenTicks && foreseen.back().result.next_due <= until;
    EXPECT_FALSE(more) << "seed " << seed;
  }
  EXPECT_GT(ticks, 300u);
}

}  // namespace
}  // namespace townd
