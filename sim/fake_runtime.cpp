#include "sim/fake_runtime.hpp"

#include <algorithm>
#include <utility>

namespace townd::sim {
namespace {

constexpr Duration kHeartbeat = seconds(30);

bool there(ProcessState state) { return state == ProcessState::running || state == ProcessState::starting; }

}  // namespace

Duration FakeRuntime::some_time(Duration low, Duration high) {
  return {low.ms + static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(high.ms - low.ms + 1))};
}

// ---- Runtime -----------------------------------------------------------------------------------------------------

void FakeRuntime::check_alone(const AgentSpec& spec) {
  const Assignment& wanted = spec.assignment;
  for (const auto& [run, process] : processes_) {
    if (!there(process.state) || run == wanted.run_id || stops_.contains(run)) continue;
    const Assignment& other = process.spec.assignment;
    if (wanted.bead && other.bead && wanted.bead->bead_id == other.bead->bead_id)
      complaints_.add("two live runs on bead " + wanted.bead->bead_id.text + ": " + run.text + " and " +
                      wanted.run_id.text);
    if (other.agent.agent_id == wanted.agent.agent_id)
      complaints_.add("two live runs of agent " + wanted.agent.agent_id.text);
  }
}

expected<void> FakeRuntime::start(const AgentSpec& spec) {
  const std::lock_guard lock(mutex_);
  const RunId run = spec.assignment.run_id;
  if (spec.token.empty()) complaints_.add("run " + run.text + " got no token");
  if (tombstones_.contains(run)) return fail(Error::Code::conflict, "run " + run.text + " was stopped");
  if (processes_.contains(run)) return {};
  const Manner how = manner(spec);
  if (how == Manner::is_refused) return fail(Error::Code::conflict, "the program cannot be started");
  check_alone(spec);
  ++starts_[run];
  if (how == Manner::never_starts) return {};
  Process& process = processes_[run];
  process.spec = spec;
  process.manner = how;
  begin(process);
  if (how == Manner::starts_unsaid) return fail(Error::Code::unavailable, "the start took too long");
  return {};
}

void FakeRuntime::begin(Process& process) {
  const Assignment& a = process.spec.assignment;
  const Instant now = clock_.now();
  process.state = ProcessState::running;
  process.news = true;
  process.last_event_at = now;
  process.signs_at = process.manner == Manner::hangs ? kNever : now + kHeartbeat;
  forge_.clone(a.run_id, a.rig.rig_id, a.target_branch);
  const Instant ready =
      now + (a.kind == RunKind::review ? some_time(seconds(5), longest_trial) : some_time(shortest, longest));
  switch (process.manner) {
    case Manner::hangs:
    case Manner::idles: break;
    case Manner::leaves:
    case Manner::crashes: process.ends_at = ready; break;
    case Manner::says_late:
      process.ends_at = ready;
      process.speaks_at = ready + some_time(seconds(1), minutes(20));
      break;
    default:
      process.to_say = process.manner == Manner::says_twice ? 2 : 1;
      process.speaks_at = ready;
      process.ends_at = ready + some_time(seconds(1), seconds(40));
  }
  if (a.kind == RunKind::mayor) {
    process.speaks_at = kNever;
    process.ends_at = ready;
  }
}

bool FakeRuntime::can_remind(const RunId& run) {
  const std::lock_guard lock(mutex_);
  const auto found = processes_.find(run);
  return found != processes_.end() && found->second.state == ProcessState::exited && !found->second.reminded;
}

expected<void> FakeRuntime::remind(const AgentSpec& spec) {
  const std::lock_guard lock(mutex_);
  const RunId run = spec.assignment.run_id;
  if (tombstones_.contains(run)) return fail(Error::Code::conflict, "run " + run.text + " was stopped");
  Process& process = processes_[run];
  if (process.reminded) complaints_.add("run " + run.text + " was reminded twice");
  if (process.state != ProcessState::exited) complaints_.add("run " + run.text + " was reminded while it worked");
  ++reminders_;
  process.reminded = true;
  if (random_.one_in(2)) process.manner = Manner::works;
  begin(process);
  return {};
}

expected<void> FakeRuntime::stop(const RunId& run) {
  const std::lock_guard lock(mutex_);
  if (stops_unanswered > 0) {
    --stops_unanswered;
    return fail(Error::Code::unavailable, "nobody answered");
  }
  ++stops_[run];
  tombstones_.insert(run);
  const auto found = processes_.find(run);
  if (found == processes_.end() || !there(found->second.state)) return {};
  if (found->second.manner != Manner::says_late) found->second.speaks_at = kNever;
  found->second.reason = "stopped";
  found->second.exit_code = 143;
  end(found->second);
  return {};
}

expected<void> FakeRuntime::deliver(const RunId& run, const std::string& from, const std::string& text) {
  const std::lock_guard lock(mutex_);
  const auto found = processes_.find(run);
  if (found == processes_.end() || !there(found->second.state)) return fail(Error::Code::not_found, "it is gone");
  delivered_.push_back(from + ": " + text);
  return {};
}

std::vector<Observation> FakeRuntime::observe() {
  const std::lock_guard lock(mutex_);
  std::vector<Observation> seen;
  for (auto& [run, process] : processes_) {
    if (!std::exchange(process.news, false)) continue;
    Observation observation;
    observation.agent_id = process.spec.assignment.agent.agent_id;
    observation.run_id = run;
    observation.state = process.state;
    observation.exit_code = process.exit_code;
    observation.reason = process.reason;
    observation.sign.at = clock_.now();
    observation.sign.last_event_type = "message";
    observation.sign.last_event_at = process.last_event_at;
    seen.push_back(std::move(observation));
  }
  return seen;
}

void FakeRuntime::on_change(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

// ---- time --------------------------------------------------------------------------------------------------------

Instant FakeRuntime::next() const {
  const std::lock_guard lock(mutex_);
  Instant next = kNever;
  for (const auto& [run, process] : processes_) {
    if (process.to_say > 0) next = std::min(next, process.speaks_at);
    if (there(process.state)) next = std::min({next, process.ends_at, process.signs_at});
  }
  return next;
}

void FakeRuntime::live() {
  const std::lock_guard lock(mutex_);
  const Instant now = clock_.now();
  for (auto& [run, process] : processes_) {
    if (process.to_say > 0 && process.speaks_at <= now) speak(process);
    if (!there(process.state)) continue;
    if (process.ends_at <= now) {
      end(process);
    } else if (process.signs_at <= now) {
      process.signs_at = now + kHeartbeat;
      if (process.manner != Manner::idles) process.last_event_at = now;
      process.news = true;
    }
  }
}

void FakeRuntime::slept(Duration d) {
  const std::lock_guard lock(mutex_);
  const auto later = [d](Instant& at) {
    if (at != kNever) at = at + d;
  };
  for (auto& [run, process] : processes_) {
    later(process.speaks_at);
    later(process.ends_at);
    later(process.signs_at);
  }
}

void FakeRuntime::reboot() {
  const std::lock_guard lock(mutex_);
  for (auto& [run, process] : processes_) {
    if (!there(process.state)) continue;
    process.state = ProcessState::not_found;
    process.speaks_at = kNever;
    process.news = true;
    forge_.in_use(run, false);
  }
}

void FakeRuntime::forget_listeners() {
  const std::lock_guard lock(mutex_);
  wake_ = {};
  for (auto& [run, process] : processes_) process.news = true;
}

void FakeRuntime::end(Process& process) {
  process.state = ProcessState::exited;
  if (process.manner == Manner::crashes) process.exit_code = 1;
  if (process.manner == Manner::gives_up) {
    process.exit_code = 1;
    process.reason = "gave_up";
  }
  process.news = true;
  process.ends_at = kNever;
  forge_.in_use(process.spec.assignment.run_id, false);
  if (wake_) wake_();
}

// ---- what agents say ---------------------------------------------------------------------------------------------

void FakeRuntime::speak(Process& process) {
  auto what = words(process);
  // Nobody listens: an agent's program tries again after a while.
  if (what && (!say || !say(process.spec.assignment.town_id, std::move(*what)))) {
    process.speaks_at = clock_.now() + seconds(5);
    return;
  }
  --process.to_say;
  process.speaks_at = clock_.now() + seconds(1);
}

std::optional<EventBody> FakeRuntime::words(Process& process) {
  switch (process.spec.assignment.kind) {
    case RunKind::review: return trial_words(process);
    case RunKind::work:
    case RunKind::triage:
      if (process.manner == Manner::gives_up) return std::nullopt;
      return polecat_words(process);
    case RunKind::mayor: return std::nullopt;
  }
  return std::nullopt;
}

EventBody FakeRuntime::polecat_words(Process& process) {
  const Assignment& a = process.spec.assignment;
  events::AgentDone done;
  done.agent_id = a.agent.agent_id;
  done.run_id = a.run_id;
  done.branch = a.branch;
  done.commit = process.manner == Manner::lies ? "commit-nowhere" : forge_.work(a.run_id);
  return done;
}

EventBody FakeRuntime::trial_words(Process& process) {
  const Assignment& a = process.spec.assignment;
  events::TrialResult trial;
  trial.agent_id = a.agent.agent_id;
  trial.run_id = a.run_id;
  trial.base = forge_.tip(a.rig.rig_id, a.target_branch);
  std::vector<std::string> before;
  for (const TrialRequest& request : a.expected)
    if (forge_.knows(request.commit)) before.push_back(request.commit);
  if (!before.empty()) trial.base = forge_.merge(a.run_id, trial.base, before);
  std::vector<std::string> commits;
  for (const TrialRequest& request : a.trial) {
    trial.requests.push_back(request.bead_id);
    const std::string commit = request.commit.empty() ? forge_.tip(a.rig.rig_id, request.branch) : request.commit;
    const bool in_the_way = process.manner == Manner::conflicts && trial.requests.size() == a.trial.size();
    if (!in_the_way && forge_.knows(commit))
      commits.push_back(commit);
    else
      trial.conflicts.push_back({request.bead_id, "in a.txt", commits.empty()});
  }
  if (!commits.empty()) trial.commit = forge_.merge(a.run_id, trial.base, commits);
  trial.gate = "make test";
  trial.output = "the gate's last words";
  trial.duration_ms = 60'000;
  trial.outcome = trial.commit.empty() ? events::TrialOutcome::conflict : events::TrialOutcome::green;
  if (process.manner == Manner::fails_gates && !commits.empty()) {
    trial.outcome = a.care.check_base ? events::TrialOutcome::broken : events::TrialOutcome::red;
    trial.base_checked = !a.care.check_base && a.trial.size() == 1 && trial.base != a.care.sound;
    if (trial.requests.size() % 2 == 0 && a.care.retry_gate) {
      trial.outcome = events::TrialOutcome::green;
      trial.flaked = {trial.gate};
    }
  }
  if (process.manner == Manner::gives_up) trial.outcome = events::TrialOutcome::error;
  if (process.manner == Manner::lies) trial.commit = trial.base;
  return trial;
}

// ---- what a test looks at ----------------------------------------------------------------------------------------

std::vector<RunId> FakeRuntime::alive() const {
  const std::lock_guard lock(mutex_);
  std::vector<RunId> runs;
  for (const auto& [run, process] : processes_)
    if (there(process.state)) runs.push_back(run);
  return runs;
}

std::optional<AgentSpec> FakeRuntime::spec(const RunId& run) const {
  const std::lock_guard lock(mutex_);
  const auto found = processes_.find(run);
  return found == processes_.end() ? std::optional<AgentSpec>() : found->second.spec;
}

}  // namespace townd::sim
