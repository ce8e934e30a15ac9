#include <cstdlib>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/process.hpp"
#include "cli/refine.hpp"
#include "cli/run_calls.hpp"
#include "codec/describe_events.hpp"
#include "codec/fields.hpp"
#include "server/operation.hpp"

namespace townd::cli {

namespace {

using events::TrialOutcome;
using events::TrialResult;

constexpr std::size_t kOutputLimit = 64 << 10;  // what a person or a model can use of it
constexpr std::size_t kConflictLimit = 4 << 10;

std::vector<std::string> texts(const json::array& list) {
  std::vector<std::string> result;
  for (const json::value& element : list)
    if (element.is_string()) result.emplace_back(element.get_string());
  return result;
}

/// Where a branch of the rig's repository stands, as the run's clone shows it.
expected<std::string> tip_of(const std::string& branch) {
  const std::string ref = "refs/remotes/origin/" + branch;
  const auto tip = run_program({{"git", "rev-parse", "--verify", "-q", ref + "^{commit}"}, {}, {}, {}});
  if (!tip || !tip->ok()) return fail(Error::Code::internal, "the clone does not know the branch " + branch);
  return tip->out.substr(0, tip->out.find('\n'));
}

/// What the run is to try, from its assignment; the base is where the clone's `origin/<target>` stands.
expected<RefineInput> assigned(const json::value& assignment) {
  RefineInput input;
  std::error_code error;
  input.clone = std::filesystem::current_path(error).string();
  const char* sandbox = std::getenv("TOWN_SANDBOX");
  input.must_confine = sandbox != nullptr && std::string_view(sandbox) != "none";
  const char* scratch = std::getenv("TMPDIR");
  input.scratch = std::string(scratch != nullptr ? scratch : "/tmp") + "/refine";
  std::filesystem::create_directories(input.scratch, error);
  if (error) return fail(Error::Code::internal, "cannot make " + input.scratch + ": " + error.message());
  for (const json::value& request : list_of(assignment, "expected"))
    input.expected.push_back(
        {BeadId(text_of(request, "bead_id")), text_of(request, "title"), text_of(request, "commit")});
  input.expected_by = text_of(assignment, "expected_by");
  for (const json::value& request : list_of(assignment, "trial")) {
    std::string commit = text_of(request, "commit");
    if (commit.empty()) {  // the landing of a convoy: its feature branch is the work
      const auto tip = tip_of(text_of(request, "branch"));
      if (!tip) return tl::unexpected(tip.error());
      commit = *tip;
    }
    input.requests.push_back({BeadId(text_of(request, "bead_id")), text_of(request, "title"), std::move(commit)});
  }
  if (input.requests.empty())
    return fail(Error::Code::conflict, "this run has no request to try", "town refine is called by a refinery's run.");
  input.gates = texts(list_of(assignment, "gates"));
  input.care = {truth_of(assignment, "retry_gate"), truth_of(assignment, "check_base"), text_of(assignment, "sound")};
  const auto base = tip_of(text_of(assignment, "target_branch"));
  if (!base) return tl::unexpected(base.error());
  input.base = *base;
  return input;
}

/// The end of a long text, from a line's beginning: that is where tests say what failed.
std::string tail(const std::string& text, std::size_t limit = kOutputLimit) {
  if (text.size() <= limit) return text;
  const auto line = text.find('\n', text.size() - limit);
  return "[…]\n" + text.substr(line == std::string::npos ? text.size() - limit : line + 1);
}

expected<int> refine_trial(Session& session, const Values&) {
  const auto context = call_as_agent(session, "agent.prime", {});
  if (!context) return tl::unexpected(context.error());
  auto input = assigned(member_of(*context, "assignment"));
  if (!input) return tl::unexpected(input.error());
  Terminal& terminal = session.terminal();
  input->say = [&](std::string_view line) {
    terminal.line(shown(line));
    terminal.flush();
  };
  input->echo = [&](std::string_view output) {
    terminal.text(output);  // into the run's log, whose readers escape it
    terminal.flush();
  };
  if (const char* agent = std::getenv("TOWN_AGENT"), *run = std::getenv("TOWN_RUN"); agent != nullptr && run != nullptr)
    input->whole_output = std::string("town logs ") + agent + " --run " + run;
  const TrialResult result = refine(*input);
  json::object fields{{"base", result.base},
                      {"outcome", enum_name(result.outcome)},
                      {"output", tail(result.output)},
                      {"duration_ms", result.duration_ms}};
  json::array requests;
  for (const BeadId& request : result.requests) requests.emplace_back(request.text);
  fields["requests"] = std::move(requests);
  if (!result.commit.empty()) fields["commit"] = result.commit;
  json::array conflicts;
  for (const events::TrialConflict& conflict : result.conflicts)
    conflicts.push_back({{"bead_id", conflict.bead_id.text},
                         {"output", tail(conflict.output, kConflictLimit)},
                         {"its_own", conflict.its_own}});
  if (!conflicts.empty()) fields["conflicts"] = std::move(conflicts);
  json::array flaked;
  for (const std::string& gate : result.flaked) flaked.emplace_back(shown(cut(gate, kTitleLimit / 2)));
  if (!flaked.empty()) fields["flaked"] = std::move(flaked);
  if (result.base_checked) fields["base_checked"] = true;
  if (!result.gate.empty()) fields["gate"] = shown(cut(result.gate, kTitleLimit / 2));
  terminal.line(enum_name(result.outcome) + (result.gate.empty() ? "" : ": " + shown(result.gate)));
  if (result.outcome == TrialOutcome::error || result.outcome == TrialOutcome::conflict)
    terminal.line(shown(tail(result.output), Keep::lines));
  terminal.flush();
  const auto recorded = call_as_agent(session, "agent.trial_result", std::move(fields));
  if (!recorded) return tl::unexpected(recorded.error());
  return result.outcome == TrialOutcome::error ? kFailed : kOk;
}

}  // namespace

std::vector<Command> refine_commands() {
  return {{"refine",
           "For agents",
           "Refinery without a model: merge the requests, run the gates, report what came of it",
           "town refine",
           {},
           refine_trial}};
}

}  // namespace townd::cli
