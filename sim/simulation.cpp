#include "sim/simulation.hpp"

#include <algorithm>
#include <iostream>
#include <limits>
#include <utility>

#include "core/explain.hpp"
#include "core/molecule.hpp"
#include "sim/person.hpp"

namespace townd::sim {
namespace {

constexpr Duration kHelp = minutes(30);
constexpr Duration kLook = minutes(7);
constexpr int kSteps = 200'000;
constexpr Duration kPatience = days(4);  ///< from the last fault until every bead must have ended

const char* text_of(Explained::Kind kind) {
  switch (kind) {
    case Explained::Kind::act: return "acts";
    case Explained::Kind::wait: return "waits";
    case Explained::Kind::hold: return "holds";
  }
  return "";
}

/// What people and townd put in to be done; the rest is said, not done.
bool must_end(const Bead& bead) {
  return bead.type == BeadType::issue || bead.type == BeadType::merge_request || bead.type == BeadType::convoy ||
         bead.type == BeadType::molecule;
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, RuleCounts& counts, bool telling)
    : random_(seed),
      counts_(counts),
      telling_(telling),
      store_(complaints_),
      forge_(complaints_),
      runtime_(clock_, forge_, complaints_, random_.next()) {
  faults_until_ = clock_.at + minutes(random_.between(20, 240));
  help_at_ = clock_.at + kHelp;
  look_at_ = clock_.at + kLook;
  runtime_.manner = [this](const AgentSpec& spec) { return draw_manner(spec); };
  runtime_.say = [this](const TownId& town, EventBody body) {
    if (!engine_) return false;
    engine_->submit(town, std::move(body), [](const expected<Receipt>&) {});
    return true;
  };
  forge_.disturb_landing = [this](const LandSpec& spec) -> std::optional<expected<events::GitMergeResult>> {
    if (!faults_ || !random_.one_in(8)) return std::nullopt;
    using Answer = events::LandingAnswer;
    switch (random_.between(0, 2)) {
      case 0: return expected<events::GitMergeResult>(fail(Error::Code::unavailable, "the disk is slow"));
      case 1: {
        const bool alone = random_.one_in(2);
        return events::GitMergeResult{
            spec.request_id, Answer::held, {}, alone ? "it changes .town/" : "the owner's checkout is dirty", alone};
      }
      default: return events::GitMergeResult{spec.request_id, Answer::failed, {}, "the proof failed"};
    }
  };
}

Verdict Simulation::run() {
  const Instant began = clock_.at;
  boot();
  set_up_towns();
  int at_once = 0;
  while (verdict_.failures.empty()) {
    if (++verdict_.steps > kSteps) wrong("no end after " + std::to_string(kSteps) + " steps");
    const Instant next = engine_->step(clock_.at);
    store_.flush();
    if (faults_ && clock_.at >= faults_until_) faults_ = false;
    if (faults_) disturb();
    if (clock_.at >= look_at_) look_at_towns();
    if (!faults_ && all_ended()) break;
    if (!faults_ && clock_.at >= help_at_) help();
    if (clock_.at - faults_until_ > kPatience) {
      check_the_end();
      wrong("not every bead ended within " + std::to_string(kPatience.ms / 3'600'000) + " hours after the last fault");
      break;
    }
    const Instant before = clock_.at;
    pass_time(next);
    at_once = clock_.at == before ? at_once + 1 : 0;
    if (at_once > 1'000) wrong("a thousand steps at one moment");
  }
  if (verdict_.failures.empty()) check_the_end();
  for (const std::string& complaint : complaints_.all()) wrong(complaint);
  verdict_.simulated = clock_.at - began;
  return verdict_;
}

// ---- the world ---------------------------------------------------------------------------------------------------

void Simulation::boot() {
  EngineOptions options;
  options.max_agents = random_.between(1, 5);
  engine_ = std::make_unique<Engine>(Ports{store_, runtime_, forge_, *this, clock_}, options);
  engine_->run_effects_with([this](std::string_view kind, std::function<void()> job) {
    if (kind == "check") return job();  // touches nothing
    // While faults last, what is done outside takes its time; a kill in between loses the answer, or the deed.
    if (!faults_ || random_.one_in(2)) return job();
    jobs_.push_back({clock_.at + seconds(random_.between(0, random_.one_in(10) ? 200 : 5)), std::move(job)});
  });
  store_.by_hand = true;
  store_.fail_loads = 0;  // a town that cannot be read at the start waits for a person; tests/engine looks at that
  if (const auto opened = engine_->open(); !opened) wrong("the engine does not open: " + opened.error().what);
}

void Simulation::kill() {
  ++verdict_.kills;
  engine_.reset();
  // What the store had in hand may have become durable, and what was under way outside may have happened.
  store_.crash(static_cast<std::size_t>(random_.between(0, static_cast<int>(store_.unflushed()))));
  for (Job& job : std::exchange(jobs_, {}))
    if (random_.one_in(2)) job.run();
  if (random_.one_in(12)) runtime_.reboot();
  const Instant until = clock_.at + seconds(random_.one_in(3) ? random_.between(60, 1'500) : random_.between(0, 20));
  while (clock_.at < until) {
    clock_.at = std::min(until, std::max(clock_.at + Duration{1}, runtime_.next()));
    runtime_.live();
  }
  runtime_.forget_listeners();
  boot();
}

void Simulation::settle() {
  for (int i = 0; i < 10; ++i) {
    engine_->step(clock_.at);
    store_.flush();
    for (Job& job : std::exchange(jobs_, {})) job.run();
  }
}

void Simulation::set_up_towns() {
  const int how_many = random_.one_in(4) ? 2 : 1;
  for (int i = 0; i < how_many; ++i) {
    TownRow row;
    row.town_id = TownId(i == 0 ? "north" : "south");
    row.name = row.town_id.text;
    row.config.runs_per_day = 100'000;  // faults are many here
    row.config.max_polecats = random_.between(1, 4);
    towns_.push_back(row.town_id);
    engine_->create_town(std::move(row), [this](const expected<Receipt>& made) {
      if (!made) wrong("the town was not made: " + made.error().what);
    });
  }
  settle();
  for (const TownId& town : towns_) {
    std::vector<RigId> rigs;
    for (int i = random_.between(1, 2); i > 0; --i) {
      Rig rig;
      rig.name = "rig" + std::to_string(i);
      rig.git_url = "/repos/" + rig.name;
      rig.config.gates = {"make test"};
      rig.config.max_dispatch_attempts = random_.between(3, 6);
      engine_->submit(town, events::RigAdded{std::move(rig)}, [&](const expected<Receipt>& made) {
        if (made) rigs.emplace_back(made->created.front());
      });
    }
    settle();
    give_work(town, rigs);
  }
  settle();
}

void Simulation::give_work(const TownId& town, const std::vector<RigId>& rigs) {
  const auto rig = [&] {
    return rigs[static_cast<std::size_t>(random_.between(0, static_cast<int>(rigs.size()) - 1))];
  };
  const auto accepted = [this](const expected<Receipt>& made) {
    if (!made) wrong("work was refused: " + made.error().what);
  };
  events::ConvoyCreated convoy;
  convoy.title = "a convoy";
  convoy.merge_mode = random_.one_in(2) ? MergeMode::review_then_land : MergeMode::review_and_merge;
  convoy.on_failed_child = random_.one_in(2) ? OnFailedChild::hold : OnFailedChild::go_on;
  for (int i = random_.between(2, 7); i > 0; --i) {
    events::ConvoyBead bead;
    bead.title = "piece";
    bead.body = "what is to be done";
    bead.rig_id = rig();
    bead.priority = static_cast<Priority>(random_.between(0, 3));
    const int place = static_cast<int>(convoy.beads.size());
    for (int earlier = 0; earlier < place; ++earlier)
      if (random_.one_in(3)) bead.after.push_back(earlier);
    convoy.beads.push_back(std::move(bead));
  }
  verdict_.beads += static_cast<int>(convoy.beads.size());
  engine_->submit(town, std::move(convoy), accepted);
  for (int i = random_.between(1, 6); i > 0; --i) {
    events::BeadCreated bead;
    bead.title = "a bead";
    bead.body = "do it";
    bead.rig_id = rig();
    ++verdict_.beads;
    engine_->submit(town, std::move(bead), [this, town, accepted](const expected<Receipt>& made) {
      accepted(made);
      if (made && random_.one_in(3)) divide(town, BeadId(made->created.front()), accepted);
    });
  }
}

/// In steps that nobody may ever advance: they end with the bead.
void Simulation::divide(const TownId& town, const BeadId& bead, const Heard& heard) {
  events::MoleculeCreated molecule;
  molecule.bead_id = bead;
  for (int i = random_.between(1, 4); i > 0; --i) molecule.steps.push_back({"a step", "do it"});
  engine_->submit(town, std::move(molecule), heard);
}

Manner Simulation::draw_manner(const AgentSpec& spec) {
  if (!faults_ || random_.one_in(2)) return Manner::works;
  const auto drawn = static_cast<Manner>(random_.between(0, kManners - 1));
  const bool refinery = spec.assignment.kind == RunKind::review;
  if (!refinery && (drawn == Manner::fails_gates || drawn == Manner::conflicts)) return Manner::works;
  return drawn;
}

void Simulation::disturb() {
  if (random_.one_in(60)) return kill();
  if (random_.one_in(80)) store_.fail_next = 1;
  if (random_.one_in(200)) store_.fail_loads = 1;
  if (random_.one_in(40)) runtime_.stops_unanswered = random_.between(1, 4);
  if (random_.one_in(300)) {
    const Duration slept = minutes(random_.between(3, 480));
    clock_.pass(slept);
    runtime_.slept(slept);
    for (Job& job : jobs_) job.due = job.due + slept;
  }
  if (random_.one_in(50)) {
    runtime_.node.disk_low = !runtime_.node.disk_low;
  }
}

void Simulation::help() {
  help_at_ = clock_.at + kHelp;
  runtime_.node.disk_low = false;
  for (const TownId& town : towns_) help_out(*engine_, town);
  settle();
}

void Simulation::pass_time(Instant next) {
  next = std::min({next, runtime_.next(), look_at_, faults_ ? faults_until_ : help_at_});
  for (const Job& job : jobs_) next = std::min(next, job.due);
  clock_.at = std::max(clock_.now(), next);
  runtime_.live();
  std::vector<Job> due;
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    if (job->due > clock_.at && faults_) {
      ++job;
      continue;
    }
    due.push_back(std::move(*job));
    job = jobs_.erase(job);
  }
  for (Job& job : due) job.run();
}

// ---- looking -----------------------------------------------------------------------------------------------------

void Simulation::look_at_towns() {
  look_at_ = clock_.at + kLook;
  for (const TownId& town : towns_)
    engine_->look(
        town, [this](const Engine::View& view) { look_at(view); },
        [this, town] { wrong("town " + town.text + " is gone"); });
}

void Simulation::look_at(const Engine::View& view) {
  for (const Violation& violation : check_everything(view.town, view.now))
    wrong("invariant " + std::to_string(violation.invariant) + " of " + violation.subject + ": " + violation.message);
  const auto ask = [&](const std::string& id, bool must_answer) {
    const Explanation why = explain(view.town, id, view.now);
    if (must_answer && why.decisions.empty()) wrong("no rule has a word about " + id);
    for (const Explained& decision : why.decisions) {
      RuleCount& count = counts_[std::string(decision.rule)];
      if (decision.kind == Explained::Kind::wait) ++count.waited;
      if (decision.kind == Explained::Kind::hold) ++count.held;
    }
  };
  for (const BeadId& id : view.town.bead_ids()) {
    const Bead& bead = *view.town.bead(id);
    ask(id.text, must_end(bead) && !terminal(bead.status));
  }
  for (const AgentId& id : view.town.agent_ids()) ask(id.text, false);
}

bool Simulation::all_ended() {
  bool ended = true;
  std::size_t seen = 0;
  for (const TownId& town : towns_)
    engine_->look(
        town,
        [&](const Engine::View& view) {
          ++seen;
          for (const BeadId& id : view.town.bead_ids()) {
            const Bead& bead = *view.town.bead(id);
            if (must_end(bead) && !terminal(bead.status)) ended = false;
          }
        },
        [] {});
  engine_->step(clock_.at);
  store_.flush();
  engine_->step(clock_.at);
  return ended && seen == towns_.size();
}

void Simulation::check_the_end() {
  settle();
  for (const TownId& town : towns_)
    engine_->look(
        town,
        [this](const Engine::View& view) {
          look_at(view);
          check_landings(view);
          check_replay(view.town.row().town_id);
          if (!telling_) return;
          for (const BeadId& id : view.town.bead_ids()) {
            const Bead& bead = *view.town.bead(id);
            if (terminal(bead.status)) continue;
            const Explanation why = explain(view.town, id.text, view.now);
            std::cout << id.text << " " << to_string(bead.type) << " " << why.status << ": " << why.next << "\n";
            for (const Explained& decision : why.decisions)
              std::cout << "    " << decision.rule << " " << text_of(decision.kind) << ": " << decision.because << "\n";
          }
        },
        [] {});
  settle();
}

/// Every closed issue was landed by exactly one of its requests, and its request's work is on the target.
void Simulation::check_landings(const Engine::View& view) {
  for (const BeadId& id : view.town.bead_ids()) {
    const Bead& bead = *view.town.bead(id);
    if (bead.type != BeadType::issue || bead.status != BeadStatus::closed || rework_class(bead)) continue;
    if (has_label(bead, "gt:triage") || has_label(bead, "gt:triage-request") || molecule_step(view.town, bead))
      continue;
    std::size_t landed = 0;
    for (const BeadId& request : view.town.links(id).requests) {
      const Review& review = *view.town.review(request);
      if (forge_.contains(bead.rig_id, review.target_branch, review.commit)) ++landed;
      if (review.result == ReviewResult::merged &&
          !forge_.contains(bead.rig_id, review.target_branch, review.merge_commit))
        wrong("request " + request.text + " is merged, but not on " + review.target_branch);
    }
    if (landed != 1) wrong("bead " + id.text + " was landed " + std::to_string(landed) + " times");
  }
}

/// From the first snapshot on, all that was recorded is decided again, and each later snapshot is passed on the way.
void Simulation::check_replay(const TownId& id) {
  const auto snapshots = store_.snapshots_of(id);
  if (snapshots.empty()) return wrong("there is no snapshot of " + id.text);
  const std::int64_t first = snapshots.begin()->first;
  Replay replay(town_of(snapshots.begin()->second.image));
  const auto ticks = store_.recorded(id, first, std::numeric_limits<int>::max());
  for (const RecordedTick& tick : *ticks) {
    const TickResult again = std::move(replay.next(tick).front().result);
    ++verdict_.ticks_replayed;
    if (const auto differs = difference(tick.record, again))
      return wrong("tick " + std::to_string(tick.record.number) + " of " + id.text +
                   " is decided otherwise: " + differs->what);
    const auto kept = snapshots.find(tick.record.number);
    if (kept != snapshots.end() && town_of(kept->second.image).digest() != again.digest)
      return wrong("the snapshot after tick " + std::to_string(kept->first) + " is another town");
  }
}

void Simulation::wrong(std::string what) { verdict_.failures.push_back(std::move(what)); }

// ---- Observer ----------------------------------------------------------------------------------------------------

void Simulation::ticked(const Ticked& tick) {
  const TownId& town = tick.town.row().town_id;
  const TickRecord& record = tick.record;
  for (const Decided& decided : record.decisions) {
    if (decided.fate == ActionFate::applied) ++counts_[std::string(decided.rule)].acted;
    if (!telling_) continue;
    std::cout << (record.at.ms - 1'700'000'000'000) / 1000 << "s " << town.text << " tick " << record.number << " "
              << decided.rule << " " << decided.subject.text;
    for (const ActionBody& action : decided.actions) std::cout << " " << action_type(action);
    std::cout << (decided.fate == ActionFate::applied ? "" : " NOT: " + decided.why) << "\n";
  }
  if (!telling_) return;
  for (const EventOutcome& event : record.events) {
    std::cout << (record.at.ms - 1'700'000'000'000) / 1000 << "s " << town.text << " tick " << record.number
              << " event " << event.seq;
    EventQuery query;
    query.after_seq = event.seq - 1;
    query.limit = 1;
    const auto rows = store_.events(town, query);
    for (const EventRow& row : *rows) std::cout << " " << row.event_type << " " << row.agent_id << " " << row.payload;
    std::cout << " " << event.note << "\n";
  }
}

void Simulation::differs(const TownId& town, const Difference& difference) {
  wrong("the self-check of " + town.text + ": tick " + std::to_string(difference.recorded.number) +
        " is decided otherwise: " + difference.what);
}

void Simulation::alarm(const Alarm& alarm) {
  const std::string& kind = alarm.kind;
  if (telling_) std::cout << "ALERT " << alarm.town.text << " " << kind << ": " << alarm.message << "\n";
  const bool ours = kind == "town_quarantined" || kind == "rows_altered" || kind == "ticks_do_not_settle" ||
                    kind.starts_with("invariant_");
  if (ours) wrong(kind + ": " + alarm.subject + " " + alarm.message);
}

}  // namespace townd::sim
