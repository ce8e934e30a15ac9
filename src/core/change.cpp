#include "core/change.hpp"

#include <algorithm>
#include <array>

namespace townd {

bool may_change(BeadType type, BeadStatus from, BeadStatus to, bool reopen) {
  if (from == to) return false;
  if (terminal(from))
    return reopen && from == BeadStatus::failed && to == BeadStatus::open &&
           (type == BeadType::issue || type == BeadType::convoy);
  if (terminal(to)) return true;
  switch (type) {
    case BeadType::issue:
      return (from == BeadStatus::open && to != BeadStatus::open) ||
             (from == BeadStatus::in_progress && (to == BeadStatus::in_review || to == BeadStatus::open)) ||
             (from == BeadStatus::in_review && to == BeadStatus::open);
    case BeadType::merge_request:
      return (from == BeadStatus::open && to == BeadStatus::in_progress) ||
             (from == BeadStatus::in_progress && to == BeadStatus::open);
    case BeadType::convoy:
    case BeadType::escalation:
    case BeadType::message:
    case BeadType::molecule: return false;
  }
  return false;
}

bool may_change(AgentRole role, AgentStatus from, AgentStatus to) {
  using S = AgentStatus;
  if (from == to) return false;
  if (from == S::idle) return to == S::working;
  if (from == S::working) return to == S::idle || to == S::stalled || (to == S::waiting && role == AgentRole::mayor);
  if (from == S::stalled) return to == S::idle;
  if (from == S::waiting) return (to == S::working && role == AgentRole::mayor) || to == S::idle;
  return false;
}

// ---- beads -------------------------------------------------------------------------------------------------------

bool Change::set_status(const BeadId& id, BeadStatus to, bool reopen) {
  const Bead* found = town_.bead(id);
  if (!found || !may_change(found->type, found->status, to, reopen)) return false;
  const BeadStatus from = found->status;
  Bead bead = *found;
  bead.status = to;
  bead.status_since = now_;
  bead.updated_at = now_;
  bead.closed_at = terminal(to) ? MaybeInstant(now_) : std::nullopt;
  if (reopen) {
    bead.dispatch_attempts = 0;
    bead.last_dispatch_attempt_at.reset();
    bead.attempts_cap = 0;
    bead.review_rounds = 0;
    bead.assignee_agent_bead_id = {};
    bead.ready_since = now_;
  }
  town_.put(std::move(bead));
  const Bead& changed = *town_.bead(id);
  history(id, "status_changed", to_string(from), to_string(to), changed.assignee_agent_bead_id);
  after_status(from, changed);
  return true;
}

/// Requests that were tried together end together, or not at all. A triage batch that ended while a question of its
/// time is still open did not do its work (T1).
void Change::after_status(BeadStatus before, const Bead& now) {
  if (now.type == BeadType::merge_request) {
    const BeadId id = now.bead_id;
    const bool ended = terminal(now.status);
    if (before == BeadStatus::in_progress) {
      leave_batch(id);
      settle_ahead(now);
    }
    if (ended) forget_suspect(id);
    return;
  }
  if (!terminal(now.status) || terminal(before) || !has_label(now, "gt:triage")) return;
  const auto& open = town_.open_triage_requests();
  const bool unanswered = std::any_of(open.begin(), open.end(), [&](const BeadId& id) {
    const Bead* request = town_.bead(id);
    return request && request->created_at < now.created_at;
  });
  TownRow row = town_.row();
  row.triage_failures = unanswered ? row.triage_failures + 1 : 0;
  row.triage_failed_at = unanswered ? MaybeInstant(now_) : std::nullopt;
  if (!unanswered) row.triage_escalated = false;
  town_.put(std::move(row));
}

void Change::assign(const BeadId& id, const AgentId& agent) {
  const Bead* found = town_.bead(id);
  if (!found || found->assignee_agent_bead_id == agent) return;
  Bead bead = *found;
  bead.assignee_agent_bead_id = agent;
  bead.updated_at = now_;
  town_.put(std::move(bead));
}

void Change::clear_assignee(const BeadId& id) {
  for (const AgentId& agent : std::vector<AgentId>(town_.links(id).hooked)) let_go(agent);
  assign(id, AgentId{});
}

void Change::hold(const BeadId& id) {
  const Bead* found = town_.bead(id);
  if (!found || has_label(*found, "gt:held")) return;
  Bead bead = *found;
  bead.labels.emplace_back("gt:held");
  bead.updated_at = now_;
  town_.put(std::move(bead));
}

BeadId Change::create(Bead bead, std::string_view body) {
  if (bead.bead_id.empty()) bead.bead_id = BeadId(town_.make_id());
  bead.body = text(body);
  bead.status = BeadStatus::open;
  bead.status_since = bead.created_at = bead.updated_at = bead.ready_since = now_;
  const BeadId id = bead.bead_id;
  const AgentId assignee = bead.assignee_agent_bead_id;
  town_.put(std::move(bead));
  history(id, "created", "", "open", assignee);
  out_.created.push_back(id.text);
  return id;
}

void Change::history(const BeadId& bead, std::string_view type, std::string_view old_value, std::string_view new_value,
                     const AgentId& agent) {
  out_.history.push_back({bead, agent, std::string(type), std::string(old_value), std::string(new_value), by_, now_});
}

// ---- agents ------------------------------------------------------------------------------------------------------

bool Change::set_status(const AgentId& id, AgentStatus to) {
  const Agent* found = town_.agent(id);
  if (!found || !may_change(found->role, found->status, to)) return false;
  Agent agent = *found;
  turn_to(agent, to);
  town_.put(std::move(agent));
  return true;
}

void Change::turn_to(Agent& agent, AgentStatus to) const {
  agent.status = to;
  agent.status_since = now_;
  agent.stalled_at = to == AgentStatus::stalled ? MaybeInstant(now_) : std::nullopt;
}

void Change::hook(const AgentId& agent_id, const BeadId& bead_id) {
  for (const AgentId& other : std::vector<AgentId>(town_.links(bead_id).hooked))
    if (other != agent_id) unhook(other);
  const Agent* found = town_.agent(agent_id);
  if (!found || found->current_hook_bead_id == bead_id) return;
  Agent agent = *found;
  agent.current_hook_bead_id = bead_id;
  agent.last_activity_at = now_;
  agent.status_message.clear();
  agent.status_message_at.reset();
  town_.put(std::move(agent));
  assign(bead_id, agent_id);
  history(bead_id, "hooked", "", "", agent_id);
}

void Change::unhook(const AgentId& id) { leave_hook(id, false); }

void Change::let_go(const AgentId& id) { leave_hook(id, true); }

void Change::leave_hook(const AgentId& id, bool to_idle) {
  const Agent* found = town_.agent(id);
  if (!found) return;
  to_idle = to_idle && may_change(found->role, found->status, AgentStatus::idle);
  const BeadId hook = found->current_hook_bead_id;
  if (!to_idle && hook.empty()) return;
  Agent agent = *found;
  agent.current_hook_bead_id = {};
  if (to_idle) turn_to(agent, AgentStatus::idle);
  town_.put(std::move(agent));
  if (const Bead* bead = town_.bead(hook)) {
    Bead unhooked = *bead;
    unhooked.last_unhook_at = now_;
    town_.put(std::move(unhooked));
    history(hook, "unhooked", "", "", id);
  }
}

AgentId Change::create_agent(AgentRole role, const RigId& rig) {
  static constexpr std::array<std::string_view, 20> kNames = {
      "Toast", "Maple", "Birch", "Shadow", "Clover", "Ember", "Sage",  "Dusk", "Flint", "Coral",
      "Slate", "Reed",  "Thorn", "Pike",   "Moss",   "Wren",  "Blaze", "Gale", "Drift", "Lark"};
  Agent agent;
  agent.agent_id = AgentId(town_.make_id());
  agent.role = role;
  agent.rig_id = rig;
  agent.status_since = agent.created_at = now_;
  if (role == AgentRole::polecat) {
    TownRow row = town_.row();
    const auto number = static_cast<std::size_t>(row.polecats_named++);
    agent.name = number < kNames.size() ? std::string(kNames[number]) : "Polecat-" + std::to_string(number + 1);
    town_.put(std::move(row));
  } else {
    agent.name = to_string(role);
  }
  agent.identity = agent.name + "-" + std::string(to_string(role)) + "-" + (rig ? rig.text : "town") + "@" +
                   town_.row().town_id.text;
  const AgentId id = agent.agent_id;
  town_.put(std::move(agent));
  return id;
}

void Change::remove(const AgentId& id) {
  for (const MessageId& message : std::set<MessageId>(town_.undelivered(id)))
    if (town_.nudge(message)) town_.erase_message(message);
  town_.erase(id);
}

// ---- leaving the process -----------------------------------------------------------------------------------------

void Change::effect(EffectBody body, std::string_view subject) {
  std::string key(effect_kind(body));
  key += ':';
  key += subject;
  key += ':';
  key += std::to_string(town_.make_effect_number());
  out_.effects.push_back({std::move(key), std::move(body)});
}

TextRef Change::text(std::string_view words) {
  const TextRef ref = TextRef::of(words);
  if (!ref.empty()) out_.texts.emplace_back(ref.hash, std::string(words));
  return ref;
}

}  // namespace townd
