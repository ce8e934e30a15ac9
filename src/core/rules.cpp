#include <array>

#include "core/rules/common.hpp"

namespace townd {
namespace {

/// All rules by stage, and where each stage begins.
struct Book {
  std::vector<Rule> rules;
  std::array<std::size_t, kStages + 1> begins{};

  Book() {
    const std::array<std::span<const Rule>, 10> files = {
        agent_rules(), bead_rules(),   molecule_rules(), budget_rules(), review_rules(),
        queue_rules(), convoy_rules(), gupp_rules(),     gc_rules(),     message_rules()};
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      begins[stage] = rules.size();
      for (const auto& file : files)
        for (const Rule& rule : file)
          if (rule.stage == static_cast<Stage>(stage)) rules.push_back(rule);
    }
    begins[kStages] = rules.size();
  }
};

const Book& book() {
  static const Book all;
  return all;
}

}  // namespace

std::span<const Rule> rules() { return book().rules; }

std::span<const Rule> rules_of(Stage stage) {
  const auto at = static_cast<std::size_t>(stage);
  return std::span<const Rule>(book().rules).subspan(book().begins[at], book().begins[at + 1] - book().begins[at]);
}

std::string_view to_string(Reason reason) {
  constexpr std::array<std::string_view, kReasons> names = {"none",
                                                            "terminal",
                                                            "rig_broken",
                                                            "rig_untrusted",
                                                            "paused",
                                                            "draining",
                                                            "held",
                                                            "blocked",
                                                            "run_live",
                                                            "attempts_spent",
                                                            "backoff",
                                                            "breaker_rig",
                                                            "breaker_town",
                                                            "provider_limited",
                                                            "no_slot",
                                                            "disk_low",
                                                            "budget",
                                                            "heard_recently",
                                                            "waiting_for_start",
                                                            "runtime_unreachable",
                                                            "stop_under_way",
                                                            "young",
                                                            "hooked_elsewhere",
                                                            "agent_alive",
                                                            "queue_behind",
                                                            "review_live",
                                                            "forge_refused",
                                                            "waiting_for_person",
                                                            "landing_held",
                                                            "verifying",
                                                            "poll_not_due",
                                                            "merge_under_way",
                                                            "children_live",
                                                            "failed_child",
                                                            "empty_convoy",
                                                            "staged",
                                                            "landing_live",
                                                            "landing_backoff",
                                                            "respawn_suppressed",
                                                            "recently_nudged",
                                                            "tools_active",
                                                            "referred_to",
                                                            "recipient_absent",
                                                            "in_flight",
                                                            "no_mail",
                                                            "batch_live",
                                                            "refused_before",
                                                            "no_rig",
                                                            "unassignable",
                                                            "being_worked_on",
                                                            "molecule_step",
                                                            "steps_open",
                                                            "queue_paused",
                                                            "suspects_first",
                                                            "reviews_first",
                                                            "unpublished",
                                                            "publishing",
                                                            "forge_rests"};
  return names[static_cast<std::size_t>(reason)];
}

std::string_view because(Reason reason) {
  constexpr std::array<std::string_view, kReasons> words = {
      "the rule does not concern it",
      "it has ended",
      "its rig cannot be used",
      "its rig has a change of .town/ that nobody has trusted",
      "the town is paused",
      "the town is draining",
      "it is held",
      "it is blocked by other work",
      "a run on it has not ended",
      "its attempts are spent",
      "it was tried not long ago",
      "its rig's breaker is open",
      "the town's breaker is open",
      "its agent program is rate limited",
      "all agent slots are taken",
      "the disk is nearly full",
      "the day's budget is spent",
      "its agent was heard from not long ago",
      "its agent is being started",
      "the runtime does not answer",
      "its agent is being stopped",
      "too little time has passed",
      "another agent holds it",
      "its agent is at work",
      "it waits for its turn in the merge queue",
      "its review is under way",
      "the forge refused its pull request; change the rig's settings or retry it",
      "it waits for a person",
      "its landing is held back",
      "its landing is under way",
      "its pull request is looked at once a minute",
      "its merge was asked for",
      "not all of its work is done",
      "a piece of its work failed",
      "it has no work",
      "it has not been started",
      "its landing is under way",
      "its landing is tried again later",
      "its landing waits for an approval",
      "its agent was nudged not long ago",
      "its agent is running a tool",
      "something that has not ended names it",
      "its recipient is not running",
      "a message is under way",
      "there is no message",
      "a triage agent is at it",
      "the same decision was refused before",
      "it belongs to no rig",
      "it belongs to the town itself",
      "its agent holds it",
      "it is a step; the agent at work on the whole says when it is done",
      "not all of its steps are done",
      "its rig's merge queue is paused; town queue says why",
      "a gate failed, and those before it are tried first to find whose fault it is",
      "the reviewer reads what was handed in with it first; then they are tried together",
      "its pull request is not open yet, or not up to date",
      "its pull request is being opened or brought up to date",
      "its forge asked not to be called for a while"};
  return words[static_cast<std::size_t>(reason)];
}

}  // namespace townd
