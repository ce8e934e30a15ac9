#include "cli/refine.hpp"

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "cli/gate.hpp"
#include "git/clone.hpp"
#include "git/names.hpp"
#include "git/program.hpp"
#include "git/repository.hpp"

namespace townd {
namespace {

using events::TrialOutcome;
using events::TrialResult;

/// One line of at most 200 bytes, whatever an agent called its bead.
std::string merge_message(const RefineRequest& request) {
  std::string title = clean_text(request.title).substr(0, 200);
  for (char& c : title) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return "Merge " + request.bead_id.text + ": " + clean_text(title);
}

class Trial {
 public:
  Trial(git::Program& program, const RefineInput& input)
      : program_(program), input_(input), clone_(git::Repository::checkout(program, input.clone)) {}

  TrialResult run() {
    result_.base = input_.base;
    for (const RefineRequest& request : input_.requests) result_.requests.push_back(request.bead_id);
    if (auto ok = start(); !ok) return error(ok.error());
    if (auto ok = merge_expected(); !ok) return error(ok.error());
    for (const RefineRequest& request : input_.requests)
      if (auto merged = merge(request); !merged) return error(merged.error());
    if (result_.conflicts.size() == input_.requests.size()) {
      result_.outcome = TrialOutcome::conflict;
      result_.output = result_.conflicts.front().output;
      return result_;
    }
    auto head = clone_.head();
    if (!head) return error(head.error());
    result_.commit = head->value_or("");
    return run_gates();
  }

 private:
  TrialResult error(const Error& error) {
    result_.outcome = TrialOutcome::error;
    result_.output = clean_text(error.what);
    return result_;
  }

  /// The clone on the base, and its own identity for the merges.
  expected<void> start() {
    if (!git::is_object_id(input_.base)) return fail(Error::Code::invalid, "the base is not a commit id");
    auto name = clone_.text({"config", "--get", "user.name"}, "reading the clone's user.name");
    if (!name) return tl::unexpected(name.error());
    auto email = clone_.text({"config", "--get", "user.email"}, "reading the clone's user.email");
    if (!email) return tl::unexpected(email.error());
    program_.set_identity(*name, *email);
    git::Call call;
    call.timeout = std::chrono::minutes(5);
    return git::done(clone_.call({"checkout", "--quiet", "--force", "--detach", input_.base}, call),
                     "checking out the base " + input_.base);
  }

  /// The base becomes what the other trial has made, if it is sound.
  expected<void> merge_expected() {
    if (input_.expected.empty()) return {};
    const auto [name, email] = program_.identity();
    program_.set_identity(git::agent_identity_name(input_.expected_by), git::agent_identity_email(input_.expected_by));
    for (const RefineRequest& request : input_.expected)
      if (auto merged = merge(request); !merged) return tl::unexpected(merged.error());
    program_.set_identity(name, email);
    result_.conflicts.clear();
    merged_ = 0;
    auto head = clone_.head();
    if (!head) return tl::unexpected(head.error());
    result_.base = head->value_or(input_.base);
    return {};
  }

  /// The later date of the two that are joined, which is the same whenever they are.
  expected<std::string> date_with(const std::string& commit) {
    auto dates = clone_.text({"show", "-s", "--format=%ct", "HEAD", commit}, "reading when " + commit + " was made");
    if (!dates) return tl::unexpected(dates.error());
    std::int64_t latest = 0, date = 0;
    for (std::istringstream lines(*dates); lines >> date;) latest = std::max(latest, date);
    return "@" + std::to_string(latest) + " +0000";
  }

  /// Leaves the request out, and goes on with the others.
  void leave_out(const RefineRequest& request, const std::string& why, bool its_own) {
    input_.say(request.bead_id.text + " is left out");
    result_.conflicts.push_back({request.bead_id, clean_text(why), its_own});
  }

  /// Why there is nothing to merge for the request, or nothing.
  expected<std::string> missing(const RefineRequest& request) {
    if (!git::is_object_id(request.commit)) return "request " + request.bead_id.text + " names no commit";
    auto known = clone_.commit_of(request.commit);
    if (!known) return tl::unexpected(known.error());
    if (*known) return std::string();
    return "commit " + request.commit + " of " + request.bead_id.text + " is not in the rig's repository";
  }

  /// Merges it, or leaves it out when it conflicts.
  expected<void> merge(const RefineRequest& request) {
    auto nothing = missing(request);
    if (!nothing) return tl::unexpected(nothing.error());
    if (!nothing->empty()) {
      leave_out(request, *nothing, true);
      return {};
    }
    input_.say("merging " + request.bead_id.text);
    auto date = date_with(request.commit);
    if (!date) return tl::unexpected(date.error());
    git::Call call;
    call.date = *date;
    call.timeout = std::chrono::minutes(5);
    auto merged = clone_.call(
        {"merge", "--no-ff", "--no-edit", "--no-verify", "-m", merge_message(request), request.commit}, call);
    if (merged && merged->ok()) {
      ++merged_;
      return {};
    }
    auto why = git::done(merged, "merging " + request.bead_id.text);
    auto files = clone_.text({"diff", "--name-only", "--diff-filter=U"}, "listing the conflicts");
    if (!files) return tl::unexpected(files.error());
    if (files->empty()) {
      if (why.error().what.find("unrelated histories") == std::string::npos) return tl::unexpected(why.error());
      leave_out(request, request.bead_id.text + " has no history in common with its target", true);
      return undo_merge();
    }
    leave_out(request,
              request.bead_id.text + " conflicts with what it is merged onto (" + result_.base +
                  (merged_ == 0 ? "" : " and " + std::to_string(merged_) + " more") + ") in:\n" + *files + "\n\n" +
                  merged->out,
              merged_ == 0);
    return undo_merge();
  }

  expected<void> undo_merge() {
    git::Call call;
    call.timeout = std::chrono::minutes(5);
    return git::done(clone_.call({"reset", "--quiet", "--hard"}, call), "taking the merge back");
  }

  TrialResult run_gates() {
    const GateRunner runner(input_.clone, input_.gate_timeout);
    if (input_.must_confine && !runner.confined())
      return error(
          Error{Error::Code::forbidden, "the gates cannot be confined: bubblewrap does not work here",
                "let bubblewrap make namespaces inside of the sandbox, or set sandbox = \"none\" for the rig"});
    for (const std::string& gate : input_.gates) {
      auto finished = run_gate(runner, gate, "gate: ");
      if (!finished) return error(finished.error());
      if (finished->ok()) continue;
      if (input_.care.retry_gate) {
        finished = run_gate(runner, gate, "gate, once more: ");
        if (!finished) return error(finished.error());
        if (finished->ok()) {
          result_.flaked.push_back(gate);
          continue;
        }
      }
      result_.outcome = TrialOutcome::red;
      result_.gate = gate;
      result_.output = told_by(*finished);
      const bool unknown = input_.requests.size() == 1 && result_.base != input_.care.sound;
      return input_.care.check_base || unknown ? check_base(runner, gate) : result_;
    }
    result_.outcome = TrialOutcome::green;
    result_.output = std::to_string(input_.gates.size()) + (input_.gates.size() == 1 ? " gate" : " gates") + " passed" +
                     (runner.confined() ? "" : " (not confined: bubblewrap does not work here)");
    return result_;
  }

  expected<Finished> run_gate(const GateRunner& runner, const std::string& gate, const char* what) {
    input_.say(what + gate);
    return runner.run_gate(gate, input_.echo);
  }

  [[nodiscard]] std::string told_by(const Finished& finished) const {
    std::string output = clean_text(finished.out);
    if (finished.truncated && !input_.whole_output.empty())
      output = "[the end of it; all of it: " + input_.whole_output + "]\n" + output;
    if (finished.timed_out)
      output += "\nThe gate was stopped after " + std::to_string(finished.took.count() / 1000) + " s.\n";
    else if (finished.signal != 0)
      output += "\nThe gate was ended by signal " + std::to_string(finished.signal) + ".\n";
    return output;
  }

  /// Whether the gate that failed passes without the work.
  TrialResult check_base(const GateRunner& runner, const std::string& gate) {
    git::Call call;
    call.timeout = std::chrono::minutes(5);
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"checkout", "--quiet", "--force", "--detach", result_.base},
          std::vector<std::string>{"clean", "--quiet", "-ffdx"}})
      if (auto ok = git::done(clone_.call(args, call), "going back to the base"); !ok) return error(ok.error());
    auto finished = run_gate(runner, gate, "gate, on the target alone: ");
    if (finished && !finished->ok()) finished = run_gate(runner, gate, "gate, on the target alone, once more: ");
    if (!finished) return error(finished.error());
    result_.base_checked = finished->ok();
    if (finished->ok()) return result_;
    result_.outcome = TrialOutcome::broken;
    result_.output = told_by(*finished);
    return result_;
  }

  git::Program& program_;
  const RefineInput& input_;
  git::Repository clone_;
  std::size_t merged_ = 0;
  TrialResult result_;
};

}  // namespace

TrialResult refine(const RefineInput& input) {
  const auto started = std::chrono::steady_clock::now();
  TrialResult result;
  auto program = git::Program::open(input.scratch);
  if (program) {
    result = Trial(*program, input).run();
  } else {
    result.base = input.base;
    result.output = program.error().what;
  }
  const auto took = std::chrono::steady_clock::now() - started;
  result.duration_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  return result;
}

}  // namespace townd
