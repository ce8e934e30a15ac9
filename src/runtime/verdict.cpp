#include "runtime/verdict.hpp"

#include "core/text.hpp"

namespace townd {
namespace {

/// The outcome of the first rule that knows the error; empty when none does.
std::string outcome_of_error(const Preset& preset, const std::string& error) {
  const auto text = lower(error);
  for (const auto& rule : preset.errors)
    for (const auto& words : rule.contains)
      if (text.find(words) != std::string::npos) return rule.outcome;
  return {};
}

}  // namespace

RunVerdict judge(const Preset& preset, const run_folder::Status& status, const StreamReader& stream) {
  if (status.state == "setup_failed") return {ProcessState::failed, "refused", "the rig's setup failed"};
  if (status.ended_by == "stop") return {ProcessState::exited, "stopped", "it was stopped"};
  if (status.ended_by == "wall") return {ProcessState::failed, "timed_out", "it ran longer than its limit"};
  if (status.ended_by == "memory") return {ProcessState::failed, "crashed", "it used more memory than its limit"};
  if (status.ended_by == "processes") return {ProcessState::failed, "crashed", "it had more processes than its limit"};
  if (!status.problem.empty()) return {ProcessState::failed, "crashed", status.problem};
  if (status.signal != 0)
    return {ProcessState::failed, "crashed", "it was ended by signal " + std::to_string(status.signal)};
  if (status.code == 0 && stream.error().empty()) return {ProcessState::exited, {}, {}};
  const auto& said = stream.error().empty() ? stream.last_words() : stream.error();
  if (auto outcome = outcome_of_error(preset, said); !outcome.empty())
    return {ProcessState::failed, std::move(outcome), said};
  const auto known = preset.exits.find(status.code);
  const auto outcome = known != preset.exits.end() ? known->second : std::string{"crashed"};
  return {ProcessState::failed, outcome,
          stream.error().empty() ? "it ended with exit code " + std::to_string(status.code) : stream.error()};
}

}  // namespace townd
