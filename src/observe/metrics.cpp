#include "observe/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "core/merge_queue.hpp"
#include "observe/node_series.hpp"
#include "observe/town_series.hpp"

namespace townd {
namespace {

constexpr const char* kOther = "_other";
const std::vector<double> kCommitBuckets{1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.5, 1, 5};
const std::vector<double> kGroupBuckets{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
const std::vector<double> kRequestBuckets{1e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.5, 1, 5, 10, 60};
constexpr std::array<std::string_view, 4> kStatusClasses{"2xx", "3xx", "4xx", "5xx"};

double in_seconds(Duration time) { return static_cast<double>(std::max<std::int64_t>(time.ms, 0)) / 1000.0; }

/// All kinds of alarms but those of invariants.
constexpr auto kAlarms = std::to_array<std::string_view>(
    {"agenda_missed", "breaker", "bundle_failed", "convoy_failed", "crash", "decided_otherwise", "effect_failed",
     "escalation", "escalation_again", "pr_left_open", "prune_failed", "rows_altered", "snapshot_failed",
     "store_failed", "stray_agent", "ticks_do_not_settle", "token_not_ended", "town_quarantined"});

/// Since when the first of a ready queue is ready, if nothing but a fault keeps it from being started: not when
/// somebody has paused it, nor when its rig has all the workers that it may have.
MaybeInstant should_start(const Town& town, const RigIndex& index, Instant now) {
  if (index.ready.empty()) return std::nullopt;
  const Bead* first = town.bead(index.ready.begin()->bead_id);
  if (first == nullptr) return std::nullopt;
  const Reason reason = may_dispatch(town, *first, now).reason;
  const bool fault = reason == Reason::none || reason == Reason::rig_broken || reason == Reason::rig_untrusted;
  return fault ? MaybeInstant(first->ready_since) : std::nullopt;
}

/// Something in a merge queue waits for nobody but townd: pull requests, rework and what a person holds do not count.
bool should_move(const Town& town, const RigIndex& index) {
  const auto free = [&town](const BeadId& id) {
    const Bead* bead = town.bead(id);
    const Review* review = town.review(id);
    return bead != nullptr && review != nullptr && review->held_why.empty() && !held(town, *bead) &&
           first_blocker(town, id).empty();
  };
  if (!town.row().paused && std::any_of(index.reviewing.begin(), index.reviewing.end(), free)) return true;
  return !town.row().paused && std::any_of(index.queue.begin(), index.queue.end(),
                                           [&free](const ReadyKey& key) { return free(key.bead_id); });
}

bool could_not_start(Outcome outcome) {
  return outcome != Outcome::stopped && outcome != Outcome::evicted && outcome != Outcome::done;
}

}  // namespace

namespace metrics {

/// One town's part of a gauge that several towns may share.
class Part {
 public:
  void set(prometheus::Gauge& gauge, double now) {
    if (now == said_) return;
    gauge.Increment(now - said_);
    said_ = now;
  }

 private:
  double said_ = 0;
};

/// What a rig's gauges are made of.
struct RigPart {
  RigSeries* series = nullptr;  ///< null until the rig itself was read: a tick's note has its id alone
  Part breaker, ready, queue, paused;
  MaybeInstant ready_since;  ///< of the first in its ready queue
  MaybeInstant queue_moved;  ///< while its merge queue is not empty
  Instant moved_at;          ///< when anything in the queue last changed its state
};

struct LiveRun {
  Instant requested_at;
  MaybeInstant heard;
  std::int64_t tokens = 0;
  std::int64_t micro_usd = 0;
};

/// What is known about one town.
struct TownPart {
  TownSeries* series = nullptr;
  bool in_memory = false;
  bool unread = true;
  bool runs = true;
  Instant ticked_at;
  Part pending, quarantined, in_doubt, live, breaker, free, taken, paused, draining;
  std::array<Part, kAgentStatuses> agents{};
  std::array<std::array<Part, kBeadStatuses>, kBeadTypes> beads{};
  std::map<RigId, RigPart> rigs;
  std::map<RunId, LiveRun> live_runs;
};

/// A run that a tick wrote.
struct RunNote {
  RunId id;
  bool gone = false;
  bool ended = false;
  bool work = false;
  Instant requested_at;
  MaybeInstant heard;
  MaybeInstant ready_since;  ///< of its bead
  std::optional<Outcome> outcome;
  std::int64_t tokens = 0;
  std::int64_t micro_usd = 0;
};

/// What a tick leaves to be counted.
struct Note {
  TownId town;
  Instant at;
  std::int64_t wall_us = 0;
  std::string_view trigger;                          ///< of a quiet tick
  std::shared_ptr<const TickRecord> record;          ///< null for a quiet tick
  std::vector<std::pair<bool, std::string>> judged;  ///< results of reviews (true) and of trials
  std::vector<RunNote> runs;
  std::vector<RigId> moved;                      ///< rigs in whose merge queue something changed its state
  std::vector<std::pair<RunId, Instant>> heard;  ///< signs of life of a quiet tick
};

RunNote run_note(const Town& town, const RunId& id) {
  RunNote note;
  note.id = id;
  const Run* run = town.run(id);
  note.gone = run == nullptr;
  if (note.gone) return note;
  note.ended = run->state == RunState::ended;
  note.work = run->kind == RunKind::work;
  note.requested_at = run->requested_at;
  note.heard = run->last_sign_at;
  note.outcome = run->outcome;
  note.tokens = run->tokens;
  note.micro_usd = run->cost_micro_usd;
  if (const Bead* bead = town.bead(run->bead_id)) note.ready_since = bead->ready_since;
  return note;
}

}  // namespace metrics

using metrics::LiveRun;
using metrics::Note;
using metrics::RigPart;
using metrics::RunNote;
using metrics::TownPart;

struct Metrics::State {
  State(MetricsOptions o, const Clock& c)
      : options(std::move(o)),
        clock(c),
        families(registry),
        towns_gauge(prometheus::BuildGauge().Name("townd_towns").Help("Towns of this node").Register(registry)),
        alerts(prometheus::BuildCounter()
                   .Name("townd_alerts_total")
                   .Help("What people were told, by kind")
                   .Register(registry)),
        commit_seconds(prometheus::BuildHistogram()
                           .Name("townd_commit_seconds")
                           .Help("One group commit")
                           .Register(registry)
                           .Add({}, kCommitBuckets)),
        commit_towns(prometheus::BuildHistogram()
                         .Name("townd_commit_towns")
                         .Help("Ticks that one group commit wrote")
                         .Register(registry)
                         .Add({}, kGroupBuckets)),
        requests(prometheus::BuildCounter()
                     .Name("townd_http_requests_total")
                     .Help("HTTP requests by operation and status")
                     .Register(registry)),
        request_seconds(prometheus::BuildHistogram()
                            .Name("townd_http_request_seconds")
                            .Help("From a request's arrival to its answer")
                            .Register(registry)
                            .Add({}, kRequestBuckets)),
        node(registry) {
    prometheus::BuildGauge()
        .Name("townd_build_info")
        .Help("Which townd this is")
        .Register(registry)
        .Add({{"version", options.version}})
        .Set(1);
    options.operations.emplace_back("none");
    for (const std::string& operation : options.operations)
      for (std::size_t i = 0; i < kStatusClasses.size(); ++i)
        by_operation[operation].at(i) =
            &requests.Add({{"operation", operation}, {"status", std::string(kStatusClasses.at(i))}});
    for (const std::string_view kind : kAlarms) alerts.Add({{"kind", std::string(kind)}});
    for (std::size_t i = 1; i <= kInvariants; ++i) alerts.Add({{"kind", "invariant_" + std::to_string(i)}});
  }

  TownPart& part(const TownId& id);
  RigPart& rig_part(TownPart& part, const Town& town, const RigId& id);
  void note_rig(TownPart& part, const Town& town, const RigId& id, Instant now);
  void note_town(TownPart& part, const Town& town);
  void note_run(TownPart& part, const RunNote& run, Instant now);
  void add(Note note);
  void count_notes();
  void count(const Note& note);
  void count(TownPart& part, const TickRecord& record);
  void count_trigger(TownSeries& to, std::string_view trigger);
  void note_ages(Instant now);
  void note_towns();

  MetricsOptions options;
  const Clock& clock;
  prometheus::Registry registry;
  TownFamilies families;
  prometheus::Family<prometheus::Gauge>& towns_gauge;
  prometheus::Family<prometheus::Counter>& alerts;
  prometheus::Histogram& commit_seconds;
  prometheus::Histogram& commit_towns;
  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Histogram& request_seconds;
  NodeSeries node;
  std::map<std::string, std::array<prometheus::Counter*, kStatusClasses.size()>, std::less<>> by_operation;

  std::mutex scraping;  ///< one at a time: ages are written anew for each. Taken before `mutex`
  std::mutex mutex;     ///< of what follows
  std::vector<Note> notes;
  std::map<std::string, TownSeries, std::less<>> series;
  std::unordered_map<std::string, TownPart> towns;
};

TownPart& Metrics::State::part(const TownId& id) {
  TownPart& part = towns[id.text];
  if (part.series != nullptr) return part;
  const std::string label = series.size() < static_cast<std::size_t>(options.towns) ? id.text : kOther;
  part.series = &series.try_emplace(label, families, label).first->second;
  return part;
}

RigPart& Metrics::State::rig_part(TownPart& part, const Town& town, const RigId& id) {
  RigPart& rig = part.rigs[id];
  if (rig.series == nullptr) {
    const Rig* row = town.rig(id);
    const bool shared = part.series->label == kOther;
    rig.series = &part.series->rig(shared ? kOther : row == nullptr ? id.text : row->name);
  }
  return rig;
}

void Metrics::State::note_rig(TownPart& part, const Town& town, const RigId& id, Instant now) {
  const Rig& row = *town.rig(id);
  RigPart& rig = rig_part(part, town, id);
  const RigIndex& index = town.index(id);
  rig.breaker.set(rig.series->breaker, row.breaker.opened_at ? 1 : 0);
  rig.ready.set(rig.series->ready, static_cast<double>(index.ready.size()));
  rig.queue.set(rig.series->queue, static_cast<double>(index.requests.size()));
  rig.paused.set(rig.series->queue_paused, row.queue.paused_since ? 1 : 0);
  rig.ready_since = should_start(town, index, now);
  for (const BeadId& request : index.requests)
    if (const Bead* bead = town.bead(request)) rig.moved_at = std::max(rig.moved_at, bead->status_since);
  rig.queue_moved.reset();
  if (should_move(town, index)) rig.queue_moved = rig.moved_at;
}

void Metrics::State::note_town(TownPart& part, const Town& town) {
  TownSeries& to = *part.series;
  const Census& census = town.census();
  for (std::size_t i = 0; i < kAgentStatuses; ++i) part.agents[i].set(*to.agents[i], census.agents[i]);
  for (std::size_t t = 0; t < kBeadTypes; ++t)
    for (std::size_t s = 0; s < kBeadStatuses; ++s) part.beads[t][s].set(*to.beads[t][s], census.beads[t][s]);
  const TownRow& row = town.row();
  part.live.set(to.live_runs, static_cast<double>(town.live_runs().size()));
  part.breaker.set(to.breaker, row.breaker.opened_at ? 1 : 0);
  part.paused.set(to.paused, row.paused ? 1 : 0);
  part.draining.set(to.draining, row.draining_since ? 1 : 0);
  part.taken.set(to.slots_taken, town.slots_taken());
  part.free.set(to.slots_free, std::max(0, row.node.slots - town.slots_taken()));
  part.quarantined.set(to.quarantined, static_cast<double>(town.deferred().size()));
  const Instant now = clock.now();
  for (const RigId& id : town.rig_ids()) note_rig(part, town, id, now);
}

/// A run is followed from its request to its end.
void Metrics::State::note_run(TownPart& part, const RunNote& run, Instant now) {
  TownSeries& to = *part.series;
  auto live = part.live_runs.find(run.id);
  if (run.gone) {
    if (live != part.live_runs.end()) part.live_runs.erase(live);
    return;
  }
  if (live == part.live_runs.end()) {
    if (run.ended && run.requested_at != now) return;
    live = part.live_runs.emplace(run.id, LiveRun{run.requested_at, {}, 0, 0}).first;
    if (run.work && run.ready_since) to.ready_wait.Observe(in_seconds(run.requested_at - *run.ready_since));
  }
  LiveRun& known = live->second;
  if (!known.heard && run.heard) {
    to.started.Increment();
    to.dispatch.Observe(in_seconds(*run.heard - run.requested_at));
  }
  known.heard = run.heard;
  if (run.tokens > known.tokens) to.tokens.Increment(static_cast<double>(run.tokens - known.tokens));
  if (run.micro_usd > known.micro_usd) to.cost.Increment(static_cast<double>(run.micro_usd - known.micro_usd) / 1e6);
  known.tokens = std::max(known.tokens, run.tokens);
  known.micro_usd = std::max(known.micro_usd, run.micro_usd);
  if (!run.ended) return;
  if (run.outcome) to.runs_ended.at(static_cast<std::size_t>(*run.outcome))->Increment();
  if (!known.heard && run.outcome && could_not_start(*run.outcome)) to.start_failed.Increment();
  part.live_runs.erase(live);
}

void Metrics::State::count_trigger(TownSeries& to, std::string_view trigger) {
  for (std::size_t i = 0; i < kTriggers.size(); ++i)
    if (trigger == kTriggers.at(i)) to.ticks.at(i)->Increment();
}

void Metrics::State::count(TownPart& part, const TickRecord& record) {
  TownSeries& to = *part.series;
  count_trigger(to, record.trigger);
  if (!record.events.empty()) to.events.Increment(static_cast<double>(record.events.size()));
  for (const Decided& decided : record.decisions)
    for (const ActionBody& action : decided.actions) {
      if (decided.fate == ActionFate::applied) to.action(decided.rule, action.index()).Increment();
      if (decided.fate == ActionFate::stale) to.stale.at(action.index())->Increment();
    }
  for (const std::string& key : record.effects)
    if (const auto kind = to.effect(key.substr(0, key.find(':')))) to.effects.at(*kind)[0]->Increment();
  for (const Violation& violation : record.violations)
    if (violation.invariant >= 1 && violation.invariant <= static_cast<int>(kInvariants))
      to.violations.at(static_cast<std::size_t>(violation.invariant) - 1)->Increment();
  if (!record.missed.empty()) to.misses.Increment(static_cast<double>(record.missed.size()));
}

void Metrics::State::count(const Note& note) {
  TownPart& part = this->part(note.town);
  TownSeries& to = *part.series;
  part.unread = true;
  part.ticked_at = note.at;
  to.tick_seconds.Observe(static_cast<double>(note.wall_us) / 1e6);
  if (note.record)
    count(part, *note.record);
  else
    count_trigger(to, note.trigger);
  for (const auto& [review, result] : note.judged) {
    const auto& counters = review ? to.reviews : to.trials;
    if (const auto counter = counters.find(result); counter != counters.end()) counter->second->Increment();
  }
  for (const RunNote& run : note.runs) note_run(part, run, note.at);
  for (const RigId& rig : note.moved) part.rigs[rig].moved_at = note.at;
  for (const auto& [run, at] : note.heard)
    if (const auto live = part.live_runs.find(run); live != part.live_runs.end()) live->second.heard = at;
}

void Metrics::State::count_notes() {
  for (const Note& note : notes) count(note);
  notes.clear();
}

void Metrics::State::add(Note note) {
  const std::lock_guard lock(mutex);
  notes.push_back(std::move(note));
  if (notes.size() >= kNotes) count_notes();
}

/// Ages grow by themselves; of towns or rigs that share a label the greatest counts.
void Metrics::State::note_ages(Instant now) {
  for (auto& [label, town] : series) {
    town.silent.Set(0);
    town.last_tick.Set(0);
    town.runs_itself.Set(1);
    for (auto& [name, rig] : town.rigs) {
      rig.ready_head.Set(0);
      rig.queue_head.Set(0);
    }
  }
  const auto raise = [now](prometheus::Gauge& gauge, MaybeInstant since) {
    if (since) gauge.Set(std::max(gauge.Value(), in_seconds(now - *since)));
  };
  // Of towns that share a label the one counts that has not ticked for longest although it has a reason to.
  std::map<TownSeries*, Instant> ticked;
  for (auto& [id, part] : towns) {
    if (!part.runs) part.series->runs_itself.Set(0);
    Instant& at = ticked.try_emplace(part.series, kNever).first->second;
    if (!part.live_runs.empty()) at = std::min(at, part.ticked_at);
  }
  for (auto& [id, part] : towns)
    if (ticked.at(part.series) == kNever)
      part.series->last_tick.Set(std::max(part.series->last_tick.Value(), in_seconds(part.ticked_at - Instant{})));
  for (auto& [to, at] : ticked)
    if (at != kNever) to->last_tick.Set(in_seconds(at - Instant{}));
  for (auto& [id, part] : towns) {
    for (const auto& [run_id, run] : part.live_runs) raise(part.series->silent, run.heard.value_or(run.requested_at));
    for (auto& [rig_id, rig] : part.rigs) {
      if (rig.series == nullptr) continue;
      raise(rig.series->ready_head, rig.ready_since);
      raise(rig.series->queue_head, rig.queue_moved);
    }
  }
}

void Metrics::State::note_towns() {
  double open = 0, not_run = 0;
  for (const auto& [id, part] : towns) {
    if (!part.in_memory) continue;
    ++(part.runs ? open : not_run);
  }
  towns_gauge.Add({{"state", "open"}}).Set(open);
  towns_gauge.Add({{"state", "not_run"}}).Set(not_run);
  towns_gauge.Add({{"state", "away"}}).Set(static_cast<double>(towns.size()) - open - not_run);
}

Metrics::Metrics(MetricsOptions options, const Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {}
Metrics::~Metrics() = default;

void Metrics::ticked(const Ticked& tick) {
  const Town& town = tick.town;
  Note note;
  note.town = town.row().town_id;
  note.at = tick.record.at;
  note.wall_us = tick.record.wall_us;
  note.record = tick.kept ? tick.kept : std::make_shared<const TickRecord>(tick.record);
  for (const HistoryRow& line : tick.result.outbox.history)
    if (line.event_type == "review_completed" || line.event_type == "trial")
      note.judged.emplace_back(line.event_type != "trial", line.new_value);
  for (const RowKey& key : tick.result.changed) {
    if (key.table == RowKey::Table::run) note.runs.push_back(metrics::run_note(town, RunId(key.key)));
    if (key.table != RowKey::Table::bead) continue;
    const Bead* bead = town.bead(BeadId(key.key));
    if (bead != nullptr && bead->type == BeadType::merge_request && bead->status_since == note.at)
      note.moved.push_back(bead->rig_id);
  }
  state_->add(std::move(note));
}

void Metrics::ticked_quietly(const QuietTick& tick) {
  Note note;
  note.town = tick.town;
  note.at = tick.at;
  note.wall_us = tick.wall_us;
  note.trigger = tick.trigger;
  note.heard.reserve(tick.life.size());
  for (const SignOfLife& sign : tick.life) note.heard.emplace_back(sign.run_id, sign.at);
  state_->add(std::move(note));
}

void Metrics::effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes) {
  const std::lock_guard lock(state_->mutex);
  TownPart& part = state_->part(town);
  for (const StoredEffect& outcome : outcomes) {
    auto& counters = part.series->effects.at(outcome.effect.body.index());
    if (outcome.state == EffectState::done) counters[1]->Increment();
    if (outcome.state == EffectState::failed) counters[2]->Increment();
    if (outcome.state == EffectState::unknown) counters[3]->Increment();
  }
  part.unread = true;
}

void Metrics::differs(const TownId& town, const Difference& /*difference*/) {
  const std::lock_guard lock(state_->mutex);
  state_->part(town).series->mismatches.Increment();
  state_->alerts.Add({{"kind", "decided_otherwise"}}).Increment();  // alert_sinks.cpp tells of it
}

void Metrics::alarm(const Alarm& alarm) { state_->alerts.Add({{"kind", alarm.kind}}).Increment(); }

void Metrics::in_memory(const Town& town, bool runs) {
  const std::lock_guard lock(state_->mutex);
  state_->count_notes();
  TownPart& part = state_->part(town.row().town_id);
  part.in_memory = part.unread = true;
  part.runs = runs;
  // Whether it stands still can be told from here on; before its first tick, which is about to come, nothing is known.
  if (part.ticked_at == Instant{}) part.ticked_at = state_->clock.now();
  if (!runs) return;
  for (const RunId& id : town.live_runs()) {
    const Run& run = *town.run(id);
    part.live_runs.try_emplace(id, LiveRun{run.requested_at, run.last_sign_at, run.tokens, run.cost_micro_usd});
  }
  state_->note_town(part, town);
}

/// Whoever asks later finds it as it was left.
void Metrics::left_memory(const Town& town) {
  const std::lock_guard lock(state_->mutex);
  state_->count_notes();
  TownPart& part = state_->part(town.row().town_id);
  part.in_memory = part.unread = false;
  if (part.runs) state_->note_town(part, town);
}

std::vector<TownId> Metrics::unread() {
  const std::lock_guard lock(state_->mutex);
  state_->count_notes();
  std::vector<TownId> towns;
  for (const auto& [id, part] : state_->towns)
    if (part.unread && part.in_memory) towns.emplace_back(id);
  return towns;
}

void Metrics::read(const Town& town, int pending_events, int effects_in_doubt) {
  const std::lock_guard lock(state_->mutex);
  TownPart& part = state_->part(town.row().town_id);
  part.unread = false;
  part.pending.set(part.series->pending, pending_events);
  part.in_doubt.set(part.series->in_doubt, effects_in_doubt);
  state_->note_town(part, town);
}

void Metrics::committed(std::size_t towns, double seconds) {
  state_->commit_seconds.Observe(seconds);
  state_->commit_towns.Observe(static_cast<double>(towns));
}

void Metrics::answered(std::string_view operation, int status, double seconds) {
  auto counters = state_->by_operation.find(operation);
  if (counters == state_->by_operation.end()) counters = state_->by_operation.find("none");
  const std::size_t index = std::clamp(status / 100, 2, 5) - 2U;
  counters->second.at(index)->Increment();
  state_->request_seconds.Observe(seconds);
}

std::vector<RunId> Metrics::live_runs() {
  std::vector<RunId> runs;
  const std::lock_guard lock(state_->mutex);
  for (const auto& [town, part] : state_->towns)
    for (const auto& [run, about] : part.live_runs) runs.push_back(run);
  return runs;
}

std::string Metrics::text(const NodeReadings& readings) {
  const std::lock_guard alone(state_->scraping);
  state_->node.read(readings);
  {
    const std::lock_guard lock(state_->mutex);
    state_->count_notes();
    state_->note_ages(state_->clock.now());
    state_->note_towns();
  }
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace townd
