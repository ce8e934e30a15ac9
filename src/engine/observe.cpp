#include "engine/observe.hpp"

namespace townd {

std::optional<SignOfLife> sign_in(const Observation& seen, Instant now) {
  if (seen.state != ProcessState::running) return std::nullopt;
  SignOfLife sign = seen.sign;
  sign.agent_id = seen.agent_id;
  sign.run_id = seen.run_id;
  if (sign.at == Instant{} || sign.at > now) sign.at = now;
  return sign;
}

bool is_stray(const Town& town, const Observation& seen, Instant now) {
  if (seen.state != ProcessState::running && seen.state != ProcessState::starting) return false;
  const Run* run = town.run(seen.run_id);
  return run != nullptr && run->state == RunState::ended && stale(run->ended_at, town.constants().heartbeat, now);
}

bool is_end(const Observation& seen) {
  return seen.state == ProcessState::exited || seen.state == ProcessState::failed ||
         seen.state == ProcessState::not_found;
}

std::optional<EventBody> fact_of_end(const Town& town, const Observation& seen) {
  const Run* run = town.run(seen.run_id);
  if (run == nullptr || run->state == RunState::ended) return std::nullopt;
  if (seen.state == ProcessState::not_found)
    return events::ContainerStatus{run->agent_id, run->run_id, "not_found", seen.detail};
  events::AgentCompleted completed;
  completed.agent_id = run->agent_id;
  completed.run_id = run->run_id;
  completed.reason = seen.reason;
  // A process that a signal ended has exit code 0 and a reason; its end is no success.
  const bool well = seen.state == ProcessState::exited && seen.exit_code == 0 && seen.reason.empty();
  completed.status = well ? "completed" : "failed";
  // A failure without a reason would be read as the agent giving its bead up.
  if (!well && completed.reason.empty()) completed.reason = to_string(Outcome::crashed);
  completed.tokens = seen.sign.tokens;
  completed.cost_micro_usd = seen.sign.cost_micro_usd;
  completed.limited_until = seen.limited_until;
  return completed;
}

bool left_without_a_word(const Town& town, const Observation& seen) {
  if (seen.state != ProcessState::exited || seen.exit_code != 0 || !seen.reason.empty()) return false;
  const Run* run = town.run(seen.run_id);
  return run != nullptr && run->kind != RunKind::mayor && run->state != RunState::ended && !run->outcome &&
         !run->requested_changes && !run->stop_requested_at && !run->tombstone;
}

}  // namespace townd
