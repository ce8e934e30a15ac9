#include <algorithm>
#include <set>

#include "core/change.hpp"
#include "core/invariant.hpp"
#include "core/merge_queue.hpp"
#include "core/molecule.hpp"

/// What refuses a request before anything is written: unknown ids, wrong states, cycles.
namespace townd {
namespace {

using Code = Error::Code;
using Result = expected<void>;

Result ok() { return {}; }

class Validator {
 public:
  Validator(const Town& town, Instant now) : town_(town), now_(now) {}

  template <class Body>
  Result on(const Body&) {
    return ok();
  }  // facts are applied, with a note where something is missing

  Result on(const events::BeadCreated& e) {
    if (e.title.empty()) return fail(Code::invalid, "a bead needs a title");
    if (e.rig_id && !town_.rig(e.rig_id)) return missing("rig", e.rig_id.text);
    if (e.convoy_id && !town_.convoy(e.convoy_id)) return missing("convoy", e.convoy_id.text);
    if (e.convoy_id && e.type != BeadType::issue) return fail(Code::invalid, "a convoy tracks issues only");
    if (e.parent_bead_id && !town_.bead(e.parent_bead_id)) return missing("bead", e.parent_bead_id.text);
    const Bead* parent = town_.bead(e.parent_bead_id);
    if (e.type == BeadType::molecule || (parent && parent->type == BeadType::molecule))
      return fail(Code::invalid, "a molecule is made whole, with its steps", "make it with: town mol create BEAD");
    if (e.type == BeadType::merge_request)
      return fail(Code::invalid, "a merge request is made when work is handed in",
                  "for work that is there: town adopt BRANCH");
    if (e.type == BeadType::convoy)
      return fail(Code::invalid, "a convoy is made whole, with its work", "make it with: town convoy new FILE");
    if (e.bead_id && town_.bead(e.bead_id)) return fail(Code::conflict, "bead " + e.bead_id.text + " exists");
    return beads_exist(e.after);
  }
  Result on(const events::BranchAdopted& e) {
    if (e.title.empty()) return fail(Code::invalid, "a bead needs a title");
    if (!town_.rig(e.rig_id)) return missing("rig", e.rig_id.text);
    for (const BeadId& id : town_.index(e.rig_id).requests)
      if (const Review* review = town_.review(id); review && review->branch == e.branch)
        return fail(Code::conflict, e.branch + " is on its way already: " + review->source_bead_id.text,
                    "look at it with: town show " + review->source_bead_id.text);
    return ok();
  }
  Result on(const events::BeadUpdated& e) {
    if (auto found = bead(e.bead_id); !found) return found;
    if (e.title && e.title->empty()) return fail(Code::invalid, "a bead needs a title");
    return ok();
  }
  Result on(const events::BeadStatusSet& e) {
    const Bead* row = town_.bead(e.bead_id);
    if (!row) return missing("bead", e.bead_id.text);
    if (row->status != e.status && !may_change(row->type, row->status, e.status))
      return wrong_state(*row, to_string(e.status));
    return ok();
  }
  Result on(const events::BeadReopened& e) {
    const Bead* row = town_.bead(e.bead_id);
    if (!row) return missing("bead", e.bead_id.text);
    if (!may_change(row->type, row->status, BeadStatus::open, true) || !terminal(row->status))
      return wrong_state(*row, "reopened");
    if (molecule_step(town_, *row))
      return fail(Code::conflict, e.bead_id.text + " is a step of a molecule that has ended",
                  "divide the work anew: town mol create BEAD");
    return ok();
  }
  Result on(const events::BeadRetried& e) {
    const Bead* row = town_.bead(e.bead_id);
    if (!row) return missing("bead", e.bead_id.text);
    if (terminal(row->status))
      return fail(Code::conflict, "bead " + e.bead_id.text + " is " + std::string(to_string(row->status)),
                  row->status == BeadStatus::failed ? "`town reopen " + e.bead_id.text + "` gives it a new start" : "");
    return ok();
  }
  Result on(const events::DependencyAdded& e) {
    if (auto found = beads_exist({e.dependency.bead_id, e.dependency.depends_on_bead_id}); !found) return found;
    if (e.dependency.kind == DependencyKind::blocks)
      return no_cycle(e.dependency.bead_id, e.dependency.depends_on_bead_id);
    return town_.convoy(e.dependency.depends_on_bead_id) ? issue(e.dependency.bead_id) : ok();
  }
  Result on(const events::DependencyRemoved& e) {
    if (town_.has(e.dependency)) return ok();
    return fail(Code::not_found,
                e.dependency.bead_id.text + " does not depend on " + e.dependency.depends_on_bead_id.text);
  }
  Result on(const events::ConvoyCreated& e) {
    if (e.title.empty()) return fail(Code::invalid, "a convoy needs a title");
    if (e.beads.empty() && e.existing_beads.empty()) return fail(Code::invalid, "a convoy needs at least one bead");
    for (std::size_t i = 0; i < e.beads.size(); ++i) {
      if (e.beads[i].title.empty())
        return fail(Code::invalid, "bead " + std::to_string(i) + " of the convoy has no title");
      if (!town_.rig(e.beads[i].rig_id)) return missing("rig", e.beads[i].rig_id.text);
      for (const int place : e.beads[i].after)
        if (place < 0 || static_cast<std::size_t>(place) >= e.beads.size())
          return fail(Code::invalid, "bead " + std::to_string(i) + " depends on number " + std::to_string(place) +
                                         ", which the convoy does not have");
    }
    std::set<BeadId> twice;
    for (const BeadId& id : e.existing_beads) {
      if (auto found = issue(id); !found) return found;
      if (!twice.insert(id).second) return fail(Code::invalid, "bead " + id.text + " is named twice");
    }
    return acyclic(e.beads);
  }
  Result on(const events::ConvoyStarted& e) {
    const Convoy* convoy = town_.convoy(e.convoy_id);
    if (!convoy) return missing("convoy", e.convoy_id.text);
    if (!convoy->staged)
      return fail(Code::conflict, "convoy " + e.convoy_id.text + " is not staged: it has been started");
    return ok();
  }
  Result on(const events::ConvoyClosed& e) {
    const Bead* row = town_.bead(e.convoy_id);
    if (!row || !town_.convoy(e.convoy_id)) return missing("convoy", e.convoy_id.text);
    if (terminal(row->status)) return wrong_state(*row, "closed");
    return ok();
  }
  Result on(const events::ConvoyBeadAdded& e) {
    const Bead* row = town_.bead(e.convoy_id);
    if (!row || !town_.convoy(e.convoy_id)) return missing("convoy", e.convoy_id.text);
    if (terminal(row->status)) return wrong_state(*row, "extended");
    if (auto found = issue(e.bead_id); !found) return found;
    if (auto found = beads_exist(e.after); !found) return found;
    for (const BeadId& blocker : e.after)
      if (auto fine = no_cycle(e.bead_id, blocker); !fine) return fine;
    return ok();
  }
  Result on(const events::ConvoyBeadRemoved& e) {
    if (!town_.convoy(e.convoy_id)) return missing("convoy", e.convoy_id.text);
    if (!town_.has({e.bead_id, e.convoy_id, DependencyKind::tracks}))
      return fail(Code::not_found, "bead " + e.bead_id.text + " is not in convoy " + e.convoy_id.text);
    return ok();
  }
  Result on(const events::ConvoyUpdated& e) {
    const Bead* row = town_.bead(e.convoy_id);
    const Convoy* convoy = town_.convoy(e.convoy_id);
    if (!row || !convoy) return missing("convoy", e.convoy_id.text);
    if (terminal(row->status)) return wrong_state(*row, "changed");
    const std::string branch = e.feature_branch.value_or(convoy->feature_branch);
    if (e.merge_mode.value_or(convoy->merge_mode) == convoy->merge_mode && branch == convoy->feature_branch)
      return ok();
    if (e.feature_branch && branch.empty()) return fail(Code::invalid, "a convoy needs a branch with a name");
    if (const std::string why = handed_in(e.convoy_id); !why.empty())
      return fail(Code::conflict,
                  "convoy " + e.convoy_id.text + " is " + (convoy->staged ? "staged" : "running") + ", and " + why,
                  "its mode and its branch can be changed as long as none of its work is under way or handed in");
    return branch == convoy->feature_branch ? ok() : free_branch(e.convoy_id, branch);
  }
  Result on(const events::MoleculeCreated& e) {
    const Bead* row = town_.bead(e.bead_id);
    if (!row) return missing("bead", e.bead_id.text);
    if (row->type != BeadType::issue || molecule_step(town_, *row) || has_label(*row, "gt:triage-request"))
      return fail(Code::invalid, e.bead_id.text + " is nothing that an agent works on; only that is done in steps");
    if (terminal(row->status)) return wrong_state(*row, "divided into steps");
    if (const BeadId there = molecule_of(town_, e.bead_id))
      return fail(Code::conflict, e.bead_id.text + " has a molecule: " + there.text,
                  "cancel that first: town cancel " + there.text);
    if (e.steps.empty() || e.steps.size() > kMoleculeSteps)
      return fail(Code::invalid, "a molecule has 1 to " + std::to_string(kMoleculeSteps) + " steps");
    for (std::size_t i = 0; i < e.steps.size(); ++i)
      if (e.steps[i].title.empty()) return fail(Code::invalid, "step " + std::to_string(i + 1) + " has no title");
    return ok();
  }
  Result on(const events::MoleculeAdvanced& e) {
    const Agent* row = town_.agent(e.agent_id);
    const Bead* step = town_.bead(e.step_bead_id);
    if (!row) return missing("agent", e.agent_id.text);
    if (!step || !molecule_step(town_, *step)) return missing("step", e.step_bead_id.text);
    const BeadId molecule = molecule_of(town_, row->current_hook_bead_id);
    if (molecule.empty() || current_step(town_, molecule) != e.step_bead_id)
      return fail(Code::conflict, "step " + e.step_bead_id.text + " is not the current one of agent " + e.agent_id.text,
                  "look at the current one: town mol current");
    return ok();
  }
  Result on(const events::AgentReset& e) { return agent(e.agent_id); }
  Result on(const events::AgentRegistered& e) {
    for (const AgentId& id : town_.agent_ids())
      if (!e.name.empty() && !e.reuse && town_.agent(id)->name == e.name)
        return fail(Code::conflict, "an agent named " + e.name + " exists: " + id.text);
    if (e.role == AgentRole::mayor) {
      if (e.rig_id) return fail(Code::invalid, "a mayor belongs to no rig");
      if (town_.mayors().empty() || e.reuse) return ok();
      return fail(Code::conflict, "the town has a mayor: " + town_.mayors().begin()->text);
    }
    if (!town_.rig(e.rig_id)) return missing("rig", e.rig_id.text);
    const auto& refineries = town_.index(e.rig_id).refineries;
    if (e.role == AgentRole::polecat || refineries.empty() || e.reuse) return ok();
    return fail(Code::conflict, "rig " + e.rig_id.text + " has a refinery: " + refineries.begin()->text);
  }
  Result on(const events::AgentDeleted& e) {
    const Agent* row = town_.agent(e.agent_id);
    if (!row) return missing("agent", e.agent_id.text);
    if (run_live(town_, *row) || row->current_hook_bead_id)
      return fail(Code::conflict, "agent " + e.agent_id.text + " is " + at_work(*row),
                  "stop it first: town reset " + e.agent_id.text);
    return ok();
  }
  Result on(const events::AgentHooked& e) {
    const Agent* row = town_.agent(e.agent_id);
    if (!row) return missing("agent", e.agent_id.text);
    const Bead* work = town_.bead(e.bead_id);
    if (!work) return missing("bead", e.bead_id.text);
    if (terminal(work->status)) return wrong_state(*work, "hooked");
    const bool issue = work->type == BeadType::issue && !has_label(*work, "gt:triage-request");
    if (!issue && work->type != BeadType::merge_request)
      return fail(Code::conflict, e.bead_id.text + " is nothing that an agent works on");
    if (row->role != (issue ? AgentRole::polecat : AgentRole::refinery))
      return fail(Code::conflict,
                  "a " + std::string(to_string(row->role)) + " does not take a " + std::string(to_string(work->type)));
    if (row->rig_id != work->rig_id)
      return fail(Code::conflict, "agent " + e.agent_id.text + " and bead " + e.bead_id.text + " are of two rigs");
    if (row->current_hook_bead_id == e.bead_id) return ok();
    if (!free_agent(town_, *row))
      return fail(Code::conflict, "agent " + e.agent_id.text + " is " + at_work(*row),
                  "give another, or free it: town reset " + e.agent_id.text);
    for (const AgentId& other : town_.links(e.bead_id).hooked)
      if (const Agent* holder = town_.agent(other); holder && run_live(town_, *holder))
        return fail(Code::conflict, "bead " + e.bead_id.text + " is worked on by " + other.text,
                    "stop that first: town reset " + other.text);
    return ok();
  }
  Result on(const events::AgentUnhooked& e) {
    const Agent* row = town_.agent(e.agent_id);
    if (!row) return missing("agent", e.agent_id.text);
    if (run_live(town_, *row))
      return fail(Code::conflict, "agent " + e.agent_id.text + " is " + at_work(*row),
                  "stop it: town reset " + e.agent_id.text);
    return ok();
  }
  Result on(const events::BeadDeleted& e) {
    if (auto found = bead(e.bead_id); !found) return found;
    for (const BeadId& id : with_all_below(town_, e.bead_id))
      for (const RunId& run : town_.links(id).runs)
        if (town_.run(run)->state != RunState::ended)
          return fail(Code::conflict, "an agent is at work on " + id.text, "end that first: town cancel " + id.text);
    return ok();
  }
  Result on(const events::AgentSaid& e) { return agent(e.agent_id); }
  Result on(const events::AgentCheckpoint& e) { return agent(e.agent_id); }
  Result on(const events::RequestChanges& e) {
    const Agent* row = town_.agent(e.agent_id);
    if (!row) return missing("agent", e.agent_id.text);
    const BeadId request = e.bead_id ? e.bead_id : row->current_hook_bead_id;
    if (row->role != AgentRole::refinery || !town_.review(request))
      return fail(Code::conflict, "agent " + e.agent_id.text + " holds no merge request to ask changes of");
    return ok();
  }
  Result on(const events::ReviewCompleted& e) {
    const Bead* row = town_.bead(e.entry);
    if (!row || !town_.review(e.entry)) return missing("merge request", e.entry.text);
    if (terminal(row->status)) return wrong_state(*row, e.status);
    return ok();
  }
  Result on(const events::MailSent& e) {
    if (e.subject.empty()) return fail(Code::invalid, "a mail needs a subject");
    return agent(e.to_agent_id ? e.to_agent_id : e.from_agent_id);  // people hear from agents
  }
  Result on(const events::NudgeQueued& e) {
    if (e.message.empty()) return fail(Code::invalid, "a nudge needs a message");
    return agent(e.agent_id);
  }
  Result on(const events::EscalationAcknowledged& e) {
    const Bead* row = town_.bead(e.bead_id);
    if (!row || row->type != BeadType::escalation) return missing("escalation", e.bead_id.text);
    if (terminal(row->status)) return wrong_state(*row, "acknowledged");
    return ok();
  }
  Result on(const events::TriageResolved& e) {
    const Bead* row = town_.bead(e.bead_id);
    if (!row || !has_label(*row, "gt:triage-request")) return missing("triage request", e.bead_id.text);
    if (terminal(row->status)) return wrong_state(*row, "resolved");
    return ok();
  }
  Result on(const events::RigAdded& e) {
    if (e.rig.name.empty()) return fail(Code::invalid, "a rig needs a name");
    for (const RigId& id : town_.rig_ids()) {
      if (id == e.rig.rig_id) return fail(Code::conflict, "rig " + id.text + " exists");
      if (town_.rig(id)->name == e.rig.name)
        return fail(Code::conflict, "a rig named " + e.rig.name + " exists: " + id.text);
    }
    return ok();
  }
  Result on(const events::RigChanged& e) { return rig(e.rig_id); }
  Result on(const events::RigTrust& e) { return rig(e.rig_id); }
  Result on(const events::QueueResumed& e) {
    const Rig* row = town_.rig(e.rig_id);
    if (!row) return rig(e.rig_id);
    const MaybeInstant until = paused_until(row->queue);
    return until && *until > now_ ? ok() : fail(Code::conflict, "the merge queue of " + row->name + " is not paused");
  }
  Result on(const events::EventRetried& e) {
    if (town_.deferred().contains(e.event_seq)) return ok();
    return fail(Code::not_found, "event " + std::to_string(e.event_seq) + " waits for nothing",
                "see what is quarantined with: town doctor");
  }
  Result on(const events::TownPaused&) {
    return town_.row().paused ? fail(Code::conflict, "the town is paused already") : ok();
  }
  Result on(const events::TownResumed&) {
    return town_.row().paused ? ok() : fail(Code::conflict, "the town is not paused");
  }

 private:
  static Result missing(std::string_view kind, const std::string& id) {
    return fail(Code::not_found, "there is no " + std::string(kind) + " " + id,
                "see what there is: town beads, town agents, town rig list");
  }
  static Result wrong_state(const Bead& row, std::string_view wanted) {
    return fail(Code::conflict, std::string(to_string(row.type)) + " " + row.bead_id.text + " is " +
                                    std::string(to_string(row.status)) + " and cannot become " + std::string(wanted));
  }
  /// What of a convoy's work binds it to its branch and mode; empty when nothing does.
  std::string handed_in(const BeadId& convoy) const {
    for (const BeadId& id : town_.links(convoy).tracked_by) {
      const Bead* row = town_.bead(id);
      if (!row || row->type != BeadType::issue) continue;
      if (row->status == BeadStatus::in_review) return id.text + " is in review";
      for (const RunId& run : town_.links(id).runs)
        if (town_.run(run)->state != RunState::ended) return "an agent is at work on " + id.text;
      for (const BeadId& request : town_.links(id).requests) {
        if (!terminal(town_.bead(request)->status)) return id.text + " is in review (" + request.text + ")";
        const Review* review = town_.review(request);
        if (review && review->result == ReviewResult::merged) return "the work of " + id.text + " is merged";
      }
    }
    for (const BeadId& request : town_.links(convoy).requests)
      if (!terminal(town_.bead(request)->status)) return "it is landing (" + request.text + ")";
    return {};
  }
  /// The same, or one below the other: git keeps a branch as a file in the folders of its name.
  static bool collide(const std::string& a, const std::string& b) {
    return a == b || a.starts_with(b + "/") || b.starts_with(a + "/");
  }
  /// Nobody else lands on it.
  Result free_branch(const BeadId& convoy, const std::string& branch) const {
    for (const BeadId& id : town_.links(convoy).tracked_by) {
      const Rig* of = town_.bead(id) ? town_.rig(town_.bead(id)->rig_id) : nullptr;
      if (of && collide(target_of(*of), branch))
        return fail(Code::conflict, branch + " cannot stand beside " + target_of(*of) + ", which rig " + of->name +
                                        " lands on; a convoy needs a branch of its own");
    }
    for (const BeadId& id : town_.bead_ids()) {
      const Convoy* other = town_.convoy(id);
      if (other && id != convoy && collide(other->feature_branch, branch))
        return fail(Code::conflict,
                    branch + " cannot stand beside " + other->feature_branch + ", the branch of convoy " + id.text);
    }
    return ok();
  }
  std::string at_work(const Agent& row) const {
    if (run_live(town_, row)) return "at work (run " + row.run_id.text + ")";
    if (row.current_hook_bead_id) return "to work on " + row.current_hook_bead_id.text;
    return std::string(to_string(row.status));
  }
  Result bead(const BeadId& id) const { return town_.bead(id) ? ok() : missing("bead", id.text); }
  Result issue(const BeadId& id) const {
    const Bead* row = town_.bead(id);
    if (!row) return missing("bead", id.text);
    if (molecule_step(town_, *row))
      return fail(Code::invalid, id.text + " is a step of a molecule; a convoy tracks the bead that it belongs to");
    if (row->type == BeadType::issue) return ok();
    return fail(Code::invalid,
                id.text + " is a " + std::string(to_string(row->type)) + "; a convoy tracks issues only");
  }
  Result agent(const AgentId& id) const { return town_.agent(id) ? ok() : missing("agent", id.text); }
  Result rig(const RigId& id) const { return town_.rig(id) ? ok() : missing("rig", id.text); }
  Result beads_exist(const std::vector<BeadId>& ids) const {
    for (const BeadId& id : ids)
      if (auto found = bead(id); !found) return found;
    return ok();
  }
  Result no_cycle(const BeadId& from, const BeadId& on_bead) const {
    const std::vector<BeadId> cycle = cycle_by(town_, from, on_bead);
    if (cycle.empty()) return ok();
    std::string names;
    for (const BeadId& id : cycle) names += (names.empty() ? "" : " → ") + id.text;
    return fail(Code::conflict, "this would close a cycle of waiting: " + names);
  }
  /// Topological count over the places of a new convoy; names a bead of the cycle and its way round.
  static Result acyclic(const std::vector<events::ConvoyBead>& beads) {
    std::vector<int> state(beads.size(), 0);  // 0 unseen, 1 on the way, 2 done
    std::vector<std::size_t> way;
    for (std::size_t start = 0; start < beads.size(); ++start) {
      std::vector<std::pair<std::size_t, std::size_t>> stack;
      if (state[start] == 0) stack.emplace_back(start, 0), state[start] = 1;
      while (!stack.empty()) {
        auto& [at, next] = stack.back();
        if (next == beads[at].after.size()) {
          state[at] = 2;
          stack.pop_back();
          continue;
        }
        const auto to = static_cast<std::size_t>(beads[at].after[next++]);
        if (state[to] == 1) {
          std::string names;
          for (const auto& [place, unused] : stack)
            if (place == to || !names.empty()) names += beads[place].title + " → ";
          return fail(Code::invalid, "the convoy's beads wait for one another in a circle: " + names + beads[to].title);
        }
        if (state[to] == 0) state[to] = 1, stack.emplace_back(to, 0);
      }
    }
    return ok();
  }

  const Town& town_;
  Instant now_;
};

}  // namespace

expected<void> validate(const Town& town, const EventBody& body, Instant now) {
  Validator validator(town, now);
  return std::visit([&validator](const auto& e) { return validator.on(e); }, body);
}

}  // namespace townd
