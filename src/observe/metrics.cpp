#include "observe/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "core/merge_queue.hpp"
#include "observe/process_numbers.hpp"
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
    {"agenda_missed", "breaker", "bundle_failed", "convoy_failed", "crash", "effect_failed", "escalation",
     "escalation_again", "pr_left_open", "prune_failed", "rows_altered", "snapshot_failed", "store_failed",
     "stray_agent", "ticks_do_not_settle", "token_not_ended", "town_quarantined"});

/// Since when the first of a ready queue is ready, if nothing but a fault keeps it from being started: not when
/// somebody has paused it, nor when its rig has all the workers that it may have.
MaybeInstant should_start(const Town& town, const BeadId& id, Instant now) {
  const Bead* first = town.bead(id);
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
  RigSeries* series = nullptr;
  Part breaker, ready, queue, paused;
  BeadId first;              ///< in its ready queue
  MaybeInstant ready_since;  ///< of that one
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
  bool runs = true;
  Instant ticked_at;
  Part pending, quarantined, in_doubt, live, breaker, free, taken, paused, draining;
  std::array<Part, kAgentStatuses> agents{};
  std::array<std::array<Part, kBeadStatuses>, kBeadTypes> beads{};
  std::map<RigId, RigPart> rigs;
  std::map<RunId, LiveRun> live_runs;
};

}  // namespace metrics

using metrics::LiveRun;
using metrics::RigPart;
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
        deliveries(prometheus::BuildGauge()
                       .Name("townd_alert_deliveries")
                       .Help("Alerts to a sink: sent and dropped since the start, and waiting")
                       .Register(registry)),
        disk_used(node_gauge("townd_disk_used_ratio", "Of the data folder's file system")),
        log_used(node_gauge("townd_log_used_ratio", "Of the log that one run may keep")),
        resident(node_gauge("process_resident_memory_bytes", "Resident memory size in bytes")),
        open_fds(node_gauge("process_open_fds", "Number of open file descriptors")),
        max_fds(node_gauge("process_max_fds", "Maximum number of open file descriptors")),
        started_at(node_gauge("process_start_time_seconds", "Start time of the process since 1970 in seconds")),
        cpu(prometheus::BuildCounter()
                .Name("process_cpu_seconds_total")
                .Help("User and system CPU time spent in seconds")
                .Register(registry)
                .Add({})) {
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
    for (const char* sink : {"sentry", "webhook", "command"}) note_sink({sink, 0, 0, 0, {}});
    for (const std::string_view kind : kAlarms) alerts.Add({{"kind", std::string(kind)}});
    for (std::size_t i = 1; i <= kInvariants; ++i) alerts.Add({{"kind", "invariant_" + std::to_string(i)}});
  }

  prometheus::Gauge& node_gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }

  TownPart& part(const TownId& id);
  RigPart& rig_part(TownPart& part, const Town& town, const RigId& id);
  /// What of a rig may be otherwise now: its gate (its own row or the town's changed), its merge queue, or only the
  /// number of its beads.
  struct Touched {
    RigId rig;
    bool gate = false;
    bool queue = false;
  };
  void note_rig(TownPart& part, const Town& town, const Touched& touched, Instant now);
  void note_town(TownPart& part, const Town& town);
  void note_run(TownPart& part, const Town& town, const RunId& id, Instant now);
  void note_ages(Instant now);
  void note_towns();
  void note_sink(const SinkNumbers& sink);

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
  prometheus::Family<prometheus::Gauge>& deliveries;
  prometheus::Gauge& disk_used;
  prometheus::Gauge& log_used;
  prometheus::Gauge& resident;
  prometheus::Gauge& open_fds;
  prometheus::Gauge& max_fds;
  prometheus::Gauge& started_at;
  prometheus::Counter& cpu;
  std::map<std::string, std::array<prometheus::Counter*, kStatusClasses.size()>, std::less<>> by_operation;

  std::mutex mutex;  ///< of what follows
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

void Metrics::State::note_rig(TownPart& part, const Town& town, const Touched& touched, Instant now) {
  const RigId& id = touched.rig;
  const Rig* row = town.rig(id);
  if (row == nullptr) return;
  RigPart& rig = rig_part(part, town, id);
  const RigIndex& index = town.index(id);
  rig.breaker.set(rig.series->breaker, row->breaker.opened_at ? 1 : 0);
  rig.ready.set(rig.series->ready, static_cast<double>(index.ready.size()));
  rig.queue.set(rig.series->queue, static_cast<double>(index.requests.size()));
  rig.paused.set(rig.series->queue_paused, row->queue.paused_since ? 1 : 0);
  // As long as the same one is first, only what shuts a gate can change the answer.
  const BeadId first = index.ready.empty() ? BeadId{} : index.ready.begin()->bead_id;
  if (touched.gate || first != rig.first) rig.ready_since = should_start(town, first, now);
  rig.first = first;
  if (!touched.gate && !touched.queue) return;
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
}

/// A run is followed from its request to its end.
void Metrics::State::note_run(TownPart& part, const Town& town, const RunId& id, Instant now) {
  TownSeries& to = *part.series;
  const Run* run = town.run(id);
  auto live = part.live_runs.find(id);
  if (run == nullptr) {
    if (live != part.live_runs.end()) part.live_runs.erase(live);
    return;
  }
  if (live == part.live_runs.end()) {
    if (run->state == RunState::ended && run->requested_at != now) return;
    live = part.live_runs.emplace(id, LiveRun{run->requested_at, {}, 0, 0}).first;
    if (const Bead* bead = town.bead(run->bead_id); bead != nullptr && run->kind == RunKind::work)
      to.ready_wait.Observe(in_seconds(run->requested_at - bead->ready_since));
  }
  LiveRun& known = live->second;
  if (!known.heard && run->last_sign_at) {
    to.started.Increment();
    to.dispatch.Observe(in_seconds(*run->last_sign_at - run->requested_at));
  }
  known.heard = run->last_sign_at;
  if (run->tokens > known.tokens) to.tokens.Increment(static_cast<double>(run->tokens - known.tokens));
  if (run->cost_micro_usd > known.micro_usd)
    to.cost.Increment(static_cast<double>(run->cost_micro_usd - known.micro_usd) / 1e6);
  known.tokens = std::max(known.tokens, run->tokens);
  known.micro_usd = std::max(known.micro_usd, run->cost_micro_usd);
  if (run->state != RunState::ended) return;
  if (run->outcome) to.runs_ended.at(static_cast<std::size_t>(*run->outcome))->Increment();
  if (!known.heard && run->outcome && could_not_start(*run->outcome)) to.start_failed.Increment();
  part.live_runs.erase(live);
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

void Metrics::State::note_sink(const SinkNumbers& sink) {
  for (const auto& [name, count] :
       {std::pair{"sent", sink.sent}, std::pair{"waiting", sink.waiting}, std::pair{"dropped", sink.dropped}})
    deliveries.Add({{"sink", sink.sink}, {"state", name}}).Set(static_cast<double>(count));
}

Metrics::Metrics(MetricsOptions options, const Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {}
Metrics::~Metrics() = default;

void Metrics::ticked(const Ticked& tick) {
  const Town& town = tick.town;
  const TickRecord& record = tick.record;
  const std::lock_guard lock(state_->mutex);
  TownPart& part = state_->part(town.row().town_id);
  TownSeries& to = *part.series;
  to.tick_seconds.Observe(static_cast<double>(record.wall_us) / 1e6);
  for (std::size_t i = 0; i < kTriggers.size(); ++i)
    if (record.trigger == kTriggers[i]) to.ticks[i]->Increment();
  part.ticked_at = record.at;
  if (!record.events.empty()) to.events.Increment(static_cast<double>(record.events.size()));
  for (const Decided& decided : record.decisions)
    for (const ActionBody& action : decided.actions) {
      if (decided.fate == ActionFate::applied) to.action(decided.rule, action.index()).Increment();
      if (decided.fate == ActionFate::stale) to.stale[action.index()]->Increment();
    }
  for (const Effect& effect : tick.result.outbox.effects) to.effects[effect.body.index()][0]->Increment();
  for (const Violation& violation : record.violations)
    if (violation.invariant >= 1 && violation.invariant <= static_cast<int>(kInvariants))
      to.violations.at(static_cast<std::size_t>(violation.invariant) - 1)->Increment();
  if (!record.missed.empty()) to.misses.Increment(static_cast<double>(record.missed.size()));
  for (const HistoryRow& line : tick.result.outbox.history) {
    const bool review = line.event_type == "review_completed";
    if (!review && line.event_type != "trial") continue;
    const auto& counters = review ? to.reviews : to.trials;
    if (const auto counter = counters.find(line.new_value); counter != counters.end()) counter->second->Increment();
  }
  part.pending.set(to.pending, record.pending_events);
  part.in_doubt.set(to.in_doubt, tick.effects_in_doubt);
  std::vector<State::Touched> rigs;
  const auto touch = [&rigs](const RigId& id, bool gate, bool queue) {
    auto known = std::find_if(rigs.begin(), rigs.end(), [&id](const State::Touched& one) { return one.rig == id; });
    if (known == rigs.end()) known = rigs.insert(known, {id});
    known->gate |= gate;
    known->queue |= queue;
  };
  for (const RowKey& key : tick.result.changed) {
    if (key.table == RowKey::Table::run) state_->note_run(part, town, RunId(key.key), record.at);
    if (key.table == RowKey::Table::rig) touch(RigId(key.key), true, true);
    if (key.table == RowKey::Table::town)  // a pause, a drain, a share of the node: they open and shut every gate
      for (const RigId& rig : town.rig_ids()) touch(rig, true, true);
    if (key.table != RowKey::Table::bead) continue;
    const Bead* bead = town.bead(BeadId(key.key));
    if (bead == nullptr || bead->rig_id.empty()) continue;
    touch(bead->rig_id, false, bead->type == BeadType::merge_request || rework_class(*bead));
    if (bead->type == BeadType::merge_request && bead->status_since == record.at)
      state_->rig_part(part, town, bead->rig_id).moved_at = record.at;
  }
  for (const State::Touched& rig : rigs) state_->note_rig(part, town, rig, record.at);
  state_->note_town(part, town);
}

void Metrics::ticked_quietly(const QuietTick& tick) {
  const std::lock_guard lock(state_->mutex);
  TownPart& part = state_->part(tick.town);
  part.series->tick_seconds.Observe(static_cast<double>(tick.wall_us) / 1e6);
  part.ticked_at = tick.at;
  for (std::size_t i = 0; i < kTriggers.size(); ++i)
    if (tick.trigger == kTriggers[i]) part.series->ticks[i]->Increment();
  for (const SignOfLife& sign : tick.life)
    if (const auto run = part.live_runs.find(sign.run_id); run != part.live_runs.end()) run->second.heard = sign.at;
}

void Metrics::effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes, int in_doubt) {
  const std::lock_guard lock(state_->mutex);
  TownPart& part = state_->part(town);
  for (const StoredEffect& outcome : outcomes) {
    auto& counters = part.series->effects.at(outcome.effect.body.index());
    if (outcome.state == EffectState::done) counters[1]->Increment();
    if (outcome.state == EffectState::failed) counters[2]->Increment();
    if (outcome.state == EffectState::unknown) counters[3]->Increment();
  }
  part.in_doubt.set(part.series->in_doubt, in_doubt);
}

void Metrics::differs(const TownId& town, const Difference& /*difference*/) {
  const std::lock_guard lock(state_->mutex);
  state_->part(town).series->mismatches.Increment();
}

void Metrics::alarm(const Alarm& alarm) { state_->alerts.Add({{"kind", alarm.kind}}).Increment(); }

void Metrics::in_memory(const Town& town, bool runs) {
  const std::lock_guard lock(state_->mutex);
  TownPart& part = state_->part(town.row().town_id);
  part.in_memory = true;
  part.runs = runs;
  if (!runs) return;
  for (const RunId& id : town.live_runs()) {
    const Run& run = *town.run(id);
    part.live_runs.try_emplace(id, LiveRun{run.requested_at, run.last_sign_at, run.tokens, run.cost_micro_usd});
  }
  for (const RigId& id : town.rig_ids()) {
    RigPart& rig = state_->rig_part(part, town, id);
    for (const BeadId& request : town.index(id).requests)
      if (const Bead* bead = town.bead(request)) rig.moved_at = std::max(rig.moved_at, bead->status_since);
    state_->note_rig(part, town, {id, true, true}, state_->clock.now());
  }
  state_->note_town(part, town);
}

void Metrics::left_memory(const TownId& town) {
  const std::lock_guard lock(state_->mutex);
  state_->part(town).in_memory = false;
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

std::string Metrics::text(const NodeReadings& node) {
  const ProcessNumbers process = read_process();
  state_->disk_used.Set(node.disk_used);
  state_->log_used.Set(node.log_used);
  for (const SinkNumbers& sink : node.sinks) state_->note_sink(sink);
  state_->resident.Set(process.resident_bytes);
  state_->open_fds.Set(process.open_fds);
  state_->max_fds.Set(process.max_fds);
  state_->started_at.Set(process.started_at);
  {
    const std::lock_guard lock(state_->mutex);
    if (const double more = process.cpu_seconds - state_->cpu.Value(); more > 0) state_->cpu.Increment(more);
    state_->note_ages(state_->clock.now());
    state_->note_towns();
  }
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace townd
