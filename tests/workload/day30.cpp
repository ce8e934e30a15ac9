#include "tests/workload/day30.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "sim/person.hpp"

namespace townd::workload {
namespace {

using sim::Manner;

constexpr Duration kBetweenConvoys = minutes(20);
constexpr Duration kBetweenHelp = minutes(30);
constexpr int kOneFaultIn = 20;
constexpr int kMostUnderway = 1'000;  // commits
constexpr std::array kFaults{Manner::crashes,   Manner::hangs,      Manner::leaves,       Manner::gives_up,
                             Manner::says_late, Manner::says_twice, Manner::never_starts, Manner::idles};

Receipt must(const expected<Receipt>& receipt) {
  if (!receipt) throw std::runtime_error(receipt.error().what);
  return *receipt;
}

}  // namespace

// ---- the store ---------------------------------------------------------------------------------------------------

void MirroredStore::commit(TownCommit commit, Committed done) {
  {
    std::unique_lock lock(mutex_);
    less_.wait(lock, [this] { return underway_ < kMostUnderway; });
    ++underway_;
  }
  other_.commit(commit, [this](const expected<void>& written) {
    const std::lock_guard lock(mutex_);
    if (!written) complaints_.add("the other store: " + written.error().what);
    --underway_;
    less_.notify_all();
  });
  FakeStore::commit(std::move(commit), std::move(done));
}

expected<SnapshotMade> MirroredStore::keep_snapshot(const TownId& town) {
  wait();
  if (auto made = other_.keep_snapshot(town); !made) return made;
  return FakeStore::keep_snapshot(town);
}

void MirroredStore::wait() {
  std::unique_lock lock(mutex_);
  less_.wait(lock, [this] { return underway_ == 0; });
}

// ---- the day -----------------------------------------------------------------------------------------------------

Day30::Day30(sim::FakeStore& store, sim::Complaints& complaints, std::uint64_t seed, Instant begins)
    : complaints_(complaints), random_(seed), forge_(complaints), runtime_(clock_, forge_, complaints, random_.next()) {
  clock_.at = begins;
  runtime_.shortest = minutes(20);
  runtime_.longest = minutes(75);
  runtime_.longest_trial = minutes(10);
  runtime_.node.slots = kPolecats + kRigs;
  runtime_.manner = [this](const AgentSpec& spec) {
    ++runs;
    if (!random_.one_in(kOneFaultIn)) return Manner::works;
    ++faults;
    if (spec.assignment.kind == RunKind::review && random_.one_in(2))
      return random_.one_in(2) ? Manner::fails_gates : Manner::conflicts;
    return kFaults[static_cast<std::size_t>(random_.between(0, static_cast<int>(kFaults.size()) - 1))];
  };
  runtime_.say = [this](const TownId& to, EventBody body) {
    engine_->submit(to, std::move(body), [](const expected<Receipt>&) {});
    return true;
  };
  EngineOptions options;
  options.max_agents = kPolecats + kRigs;
  engine_ = std::make_unique<Engine>(Ports{store, runtime_, forge_, *this, clock_}, options);
  if (const auto opened = engine_->open(); !opened) throw std::runtime_error(opened.error().what);
  make_town();
  give_at_ = clock_.at;
  help_at_ = clock_.at + kBetweenHelp;
}

void Day30::make_town() {
  TownRow row;
  row.town_id = town;
  row.name = town.text;
  row.config.runs_per_day = 100'000;
  row.config.max_polecats = kPolecats / kRigs;
  engine_->create_town(std::move(row), must);
  engine_->step(clock_.at);
  for (int i = 1; i <= kRigs; ++i) {
    Rig rig;
    rig.name = "rig" + std::to_string(i);
    rig.git_url = "/repos/" + rig.name;
    rig.config.gates = {"make test"};
    engine_->submit(town, events::RigAdded{std::move(rig)},
                    [this](const expected<Receipt>& receipt) { rigs_.emplace_back(must(receipt).created.front()); });
  }
  engine_->step(clock_.at);
}

/// Ten beads, most of them in one rig, each after a third of those before it.
void Day30::give_convoy() {
  const auto a_rig = [this] { return rigs_[static_cast<std::size_t>(random_.between(0, kRigs - 1))]; };
  events::ConvoyCreated convoy;
  convoy.title = "convoy " + std::to_string(++given_);
  convoy.merge_mode = random_.one_in(2) ? MergeMode::review_then_land : MergeMode::review_and_merge;
  const RigId home = a_rig();
  for (int i = 0; i < kBeadsOfConvoy; ++i) {
    events::ConvoyBead bead;
    bead.title = "piece " + std::to_string(i + 1) + " of convoy " + std::to_string(given_);
    bead.body = "What is to be done in " + bead.title +
                ", in some hundred letters of the usual length of such words: " + std::string(300, 'x');
    bead.rig_id = random_.one_in(5) ? a_rig() : home;
    bead.priority = static_cast<Priority>(random_.between(0, 3));
    for (int earlier = 0; earlier < i; ++earlier)
      if (random_.one_in(3)) bead.after.push_back(earlier);
    convoy.beads.push_back(std::move(bead));
  }
  engine_->submit(town, std::move(convoy), must);
}

void Day30::run(Duration length) {
  const Instant end = clock_.now() + length;
  while (clock_.now() < end) {
    const Instant now = clock_.now();
    if (given_ < kConvoys && now >= give_at_) {
      give_convoy();
      give_at_ = now + kBetweenConvoys;
    }
    if (now >= help_at_) {
      sim::help_out(*engine_, town);
      help_at_ = now + kBetweenHelp;
    }
    const Instant next = std::min({engine_->step(now), runtime_.next(), help_at_, end});
    clock_.at = std::max(now + Duration{1}, given_ < kConvoys ? std::min(next, give_at_) : next);
    runtime_.live();
    most_at_work = std::max(most_at_work, static_cast<int>(runtime_.alive().size()));
  }
  engine_->step(clock_.at);
}

void Day30::differs(const TownId& /*town*/, const Difference& difference) {
  complaints_.add("tick " + std::to_string(difference.recorded.number) + " was decided again otherwise");
}

void Day30::ticked(const Ticked& tick) {
  signs += static_cast<std::int64_t>(tick.record.life.size());
  if (beside != nullptr) beside->ticked(tick);
}

void Day30::ticked_quietly(const QuietTick& tick) {
  if (beside != nullptr) beside->ticked_quietly(tick);
}

void Day30::effects_ended(const TownId& id, const std::vector<StoredEffect>& outcomes) {
  if (beside != nullptr) beside->effects_ended(id, outcomes);
}

}  // namespace townd::workload
