#include <map>
#include <utility>

#include "core/explain.hpp"
#include "core/merge_queue.hpp"
#include "core/rules/common.hpp"
#include "server/doctor/town_checks.hpp"

/// The thresholds of the reference's run-book (§g): when somebody should look at work that does not move.
namespace townd::doctor {
namespace {

constexpr Duration kReadyFor = minutes(5);
constexpr Duration kInReviewFor = minutes(15);
constexpr Duration kRefineryIdleFor = minutes(5);
constexpr int kPendingEvents = 50;
/// A tick that has something to do comes at once; after this it does not come.
constexpr Duration kTickPatience = minutes(1);

/// For these work may wait as long as it likes, or somebody is at it: nothing is to be told.
bool in_order(Reason reason) {
  switch (reason) {
    case Reason::none:
    case Reason::terminal:
    case Reason::paused:
    case Reason::draining:
    case Reason::held:
    case Reason::blocked:
    case Reason::run_live:
    case Reason::backoff:
    case Reason::provider_limited:
    case Reason::no_slot:
    case Reason::budget:
    case Reason::heard_recently:
    case Reason::waiting_for_start:
    case Reason::stop_under_way:
    case Reason::young:
    case Reason::hooked_elsewhere:
    case Reason::agent_alive:
    case Reason::queue_behind:
    case Reason::review_live:
    case Reason::verifying:
    case Reason::poll_not_due:
    case Reason::merge_under_way:
    case Reason::children_live:
    case Reason::staged:
    case Reason::landing_live:
    case Reason::landing_backoff:
    case Reason::recently_nudged:
    case Reason::tools_active:
    case Reason::in_flight:
    case Reason::being_worked_on:
    case Reason::molecule_step:
    case Reason::steps_open:
    case Reason::suspects_first:
    case Reason::reviews_first:
    case Reason::queue_paused:  // the rig's own finding
      return true;
    default: return false;
  }
}

/// Beads of one rig that are stuck for the same reason, told once.
struct Group {
  BeadId first;
  int more = 0;
  std::string because;
};
using Groups = std::map<std::pair<RigId, std::string>, Group>;

class Search {
 public:
  explicit Search(const Engine::View& view) : view_(view), town_(view.town) {}

  void run(Report& report) {
    for (const RigId& id : town_.rig_ids()) look_at_ready(id);
    for (const BeadId& id : town_.bead_ids()) look_at(*town_.bead(id));
    tell(ready_, "has been ready for more than 5 minutes and nobody works on it", report);
    tell(in_review_, "has been in review for more than 15 minutes", report);
    tell(idle_, "is being tried, and its refinery has been idle for more than 5 minutes", report);
    for (const RigId& id : town_.rig_ids()) look_at_queue(*town_.rig(id), report);
    look_at_town(report);
  }

 private:
  bool older(Instant since, Duration patience) const {
    return stale(heard_since(town_, since, view_.now), patience, view_.now);
  }

  /// What is in its way that should not be; empty when it waits for good reason.
  std::string fault_of(const BeadId& id) const {
    for (const Explained& said : explain(town_, id.text, view_.now).decisions) {
      if (said.kind != Explained::Kind::act) {
        if (!in_order(said.reason)) return said.because;
      } else if (town_.refused_until(said.rule, SubjectKey(id.text)) > view_.now) {
        return "what rule " + std::string(said.rule) + " decides would break an invariant";
      } else if (stale(view_.last_tick_at, kTickPatience, view_.now)) {
        return "rule " + std::string(said.rule) + " would act, but no tick comes";
      }
    }
    return {};
  }

  void note(Groups& groups, const Bead& bead) const {
    std::string because = fault_of(bead.bead_id);
    if (because.empty()) return;
    // Reasons with a count or a name in them would be one for each bead.
    const auto [group, first] = groups.try_emplace({bead.rig_id, because.substr(0, because.find(':'))});
    if (first)
      group->second = {bead.bead_id, 0, std::move(because)};
    else
      ++group->second.more;
  }

  void look_at_ready(const RigId& rig) {
    for (const ReadyKey& key : town_.index(rig).ready)
      if (const Bead& bead = *town_.bead(key.bead_id); older(bead.ready_since, kReadyFor)) note(ready_, bead);
  }

  void look_at(const Bead& bead) {
    if (bead.type == BeadType::issue && bead.status == BeadStatus::in_review && older(bead.status_since, kInReviewFor))
      note(in_review_, bead);
    const Review* review = bead.type == BeadType::merge_request ? town_.review(bead.bead_id) : nullptr;
    if (!review || bead.status != BeadStatus::in_progress || !review->pr_url.empty()) return;
    if (!somebody_tries(bead.bead_id) && older(bead.status_since, kRefineryIdleFor)) note(idle_, bead);
  }

  bool somebody_tries(const BeadId& request) const {
    for (const AgentId& id : town_.links(request).hooked)
      if (const Agent& agent = *town_.agent(id); at_work(agent) || run_live(town_, agent)) return true;
    return false;
  }

  void tell(const Groups& groups, const std::string& what, Report& report) const {
    for (const auto& [key, group] : groups)
      report.findings.push_back(
          {"stuck_work", Severity::warning, town_.row().town_id.text, group.first.text,
           what + (group.more > 0 ? " (and " + std::to_string(group.more) + " others)" : "") + ": " + group.because,
           "town why " + group.first.text});
  }

  void look_at_queue(const Rig& rig, Report& report) const {
    const MaybeInstant until = paused_until(rig.queue);
    if (town_.row().paused || !until || *until <= view_.now) return;
    report.findings.push_back(
        {"stuck_work", Severity::warning, town_.row().town_id.text, rig.rig_id.text,
         "the merge queue of rig " + rig.name + " is paused: " + rig.queue.paused_reason,
         "town queue " + rig.name + ", and when it is mended: town queue " + rig.name + " --resume"});
  }

  void look_at_town(Report& report) const {
    const std::string& id = town_.row().town_id.text;
    if (const MaybeInstant since = town_.row().draining_since; since && !draining(town_, view_.now))
      report.findings.push_back({"stuck_work", Severity::warning, id, id,
                                 "it has been draining for longer than a drain takes", "town drain --end"});
    if (view_.pending_events > kPendingEvents)
      report.findings.push_back({"stuck_work", Severity::warning, id, id,
                                 std::to_string(view_.pending_events) + " events wait to be applied",
                                 "town ticks shows what each tick took"});
  }

  const Engine::View& view_;
  const Town& town_;
  Groups ready_, in_review_, idle_;
};

}  // namespace

void check_stuck_work(const Engine::View& view, Report& report) { Search(view).run(report); }

}  // namespace townd::doctor
