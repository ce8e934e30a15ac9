#include <algorithm>
#include <span>

#include "core/town.hpp"

/// What follows from a changed row: indexes brought up to date, neighbours touched along the fixed edges.
namespace townd {
namespace {

template <class Item>
void insert_sorted(std::vector<Item>& items, const Item& item) {
  const auto place = std::lower_bound(items.begin(), items.end(), item);
  if (place == items.end() || *place != item) items.insert(place, item);
}

template <class Item>
void remove_sorted(std::vector<Item>& items, const Item& item) {
  const auto place = std::lower_bound(items.begin(), items.end(), item);
  if (place != items.end() && *place == item) items.erase(place);
}

SubjectKey subject(std::string_view id) { return SubjectKey(id); }

const TriageRequest* triage_of(const Bead* bead) {
  return bead && bead->detail ? std::get_if<TriageRequest>(bead->detail.get()) : nullptr;
}

/// A change of these is seen by the neighbours; the rest concerns the bead alone.
bool neighbours_see(const Bead* old, const Bead* now) {
  if (!old || !now) return true;
  return old->status != now->status || old->type != now->type || old->labels != now->labels ||
         old->rig_id != now->rig_id || old->parent_bead_id != now->parent_bead_id || old->priority != now->priority;
}

// ---- which stages look at a row ----

constexpr Stage kOfAgents[] = {Stage::agents, Stage::hooked_agents, Stage::refineries,
                               Stage::gupp,   Stage::gc_agents,     Stage::mayor};
constexpr Stage kOfRigs[] = {Stage::work_queue, Stage::merge_queue};
constexpr Stage kOfMessages[] = {Stage::messages};

std::span<const Stage> stages_of(const Bead& bead) {
  static constexpr Stage ended[] = {Stage::gc_beads}, issue[] = {Stage::issues, Stage::triage},
                         request[] = {Stage::requests}, convoy[] = {Stage::convoys},
                         escalation[] = {Stage::escalations}, molecule[] = {Stage::molecules};
  if (terminal(bead.status)) return ended;
  switch (bead.type) {
    case BeadType::issue: return issue;
    case BeadType::merge_request: return request;
    case BeadType::convoy: return convoy;
    case BeadType::escalation: return escalation;
    case BeadType::molecule: return molecule;
    case BeadType::message: return {};
  }
  return {};
}

bool contains(std::span<const Stage> stages, Stage stage) {
  return std::find(stages.begin(), stages.end(), stage) != stages.end();
}

}  // namespace

// ---- touching ----------------------------------------------------------------------------------------------------

void Town::touch_bead(const BeadId& id, Edge edge) {
  const Bead* bead = beads_.find(id);
  if (!bead) return;
  const SubjectKey key = subject(id.text);
  if (terminal(bead->status)) {
    agenda_.touch(Stage::gc_beads, key, edge);
    return;
  }
  switch (bead->type) {
    case BeadType::issue:
      agenda_.touch(Stage::issues, key, edge);
      if (has_label(*bead, "gt:triage-request")) agenda_.touch(Stage::triage, key, edge);
      if (const Filed* filed = filed_.find(id); filed && filed->ready) touch_rig(filed->rig, Edge::work_queue);
      break;
    case BeadType::merge_request:
      agenda_.touch(Stage::requests, key, edge);
      if (bead->rig_id) touch_rig(bead->rig_id, Edge::merge_queue);
      break;
    case BeadType::convoy: agenda_.touch(Stage::convoys, key, edge); break;
    case BeadType::escalation: agenda_.touch(Stage::escalations, key, edge); break;
    case BeadType::molecule: agenda_.touch(Stage::molecules, key, edge); break;
    case BeadType::message: break;
  }
}

void Town::touch_agent(const AgentId& id, Edge edge) {
  const Agent* agent = agents_.find(id);
  if (!agent) return;
  const SubjectKey key = subject(id.text);
  agenda_.touch(Stage::agents, key, edge);
  if (agent->role == AgentRole::mayor) {
    agenda_.touch(Stage::mayor, key, edge);
    return;
  }
  if (agent->status == AgentStatus::working) agenda_.touch(Stage::gupp, key, edge);
  agenda_.touch(Stage::gc_agents, key, edge);
  if (agent->role == AgentRole::refinery) {
    agenda_.touch(Stage::refineries, key, edge);
    if (agent->rig_id) touch_rig(agent->rig_id, Edge::merge_queue);
  } else if (agent->current_hook_bead_id) {
    agenda_.touch(Stage::hooked_agents, key, edge);
  }
}

void Town::touch_rig(const RigId& id, Edge edge) {
  if (!rigs_.find(id)) return;
  if (edge != Edge::merge_queue) agenda_.touch(Stage::work_queue, subject(id.text), edge);
  if (edge != Edge::work_queue) agenda_.touch(Stage::merge_queue, subject(id.text), edge);
}

void Town::touch_town(Edge edge) { agenda_.touch(Stage::town, subject(kTownSubject), edge); }

void Town::touch_gate(const RigId& rig) {
  if (rig)
    touch_rig(rig, Edge::gate);
  else
    rigs_.for_each([this](const auto& slot) { touch_rig(slot.id, Edge::gate); });
  for (const AgentId& agent : hooked_idle_) touch_agent(agent, Edge::gate);
  for (const AgentId& mayor : mayors_) touch_agent(mayor, Edge::gate);
}

void Town::touch_messages_of(const AgentId& id) {
  for (const MessageId& message : undelivered(id))
    agenda_.touch(Stage::messages, subject(message.text), Edge::recipient);
}

void Town::touch_everything() {
  constexpr std::size_t kRows = 1'000;
  std::size_t place = 0;
  do {
    for (const auto& [stage, key] : some_subjects(place, kRows)) agenda_.touch(stage, key, Edge::everything);
  } while (place != 0);
}

std::vector<std::pair<Stage, SubjectKey>> Town::some_subjects(std::size_t& place, std::size_t rows) const {
  std::vector<std::pair<Stage, SubjectKey>> found;
  const auto add = [&](std::span<const Stage> stages, std::string_view id) {
    for (const Stage stage : stages) found.emplace_back(stage, subject(id));
  };
  std::size_t before = 0;  // places of the tables before the one at hand
  const auto walk = [&](const auto& table, auto stages_of_row) {
    for (; rows > 0 && place < before + table.places(); ++place, --rows)
      if (const auto* slot = table.slot_at(place - before)) add(stages_of_row(slot->row), slot->id.text);
    before += table.places();
  };
  walk(beads_, stages_of);
  walk(agents_, [](const Agent&) { return std::span(kOfAgents); });
  walk(nudges_, [](const Nudge&) { return std::span(kOfMessages); });
  walk(mail_, [](const Mail&) { return std::span(kOfMessages); });
  walk(rigs_, [](const Rig&) { return std::span(kOfRigs); });
  if (rows == 0) return found;
  found.emplace_back(Stage::town, subject(kTownSubject));
  place = 0;
  return found;
}

std::vector<SubjectKey> Town::all_subjects(Stage stage) const {
  std::vector<SubjectKey> keys;
  const auto add = [&keys](const auto& slot) { keys.push_back(subject(slot.id.text)); };
  if (stage == Stage::town) {
    keys.push_back(subject(kTownSubject));
  } else if (contains(kOfAgents, stage)) {
    agents_.for_each(add);
  } else if (contains(kOfRigs, stage)) {
    rigs_.for_each(add);
  } else if (contains(kOfMessages, stage)) {
    nudges_.for_each(add);
    mail_.for_each(add);
  } else {
    beads_.for_each([&](const auto& slot) {
      if (contains(stages_of(slot.row), stage)) add(slot);
    });
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

// ---- beads -------------------------------------------------------------------------------------------------------

void Town::refile(const BeadId& id) {
  const Bead* bead = beads_.find(id);
  const Review* review = reviews_.find(id);
  Filed next;
  if (bead && !terminal(bead->status)) {
    next.rig = bead->rig_id;
    next.assignee = bead->assignee_agent_bead_id;
    next.key = ready_key(*this, *bead);
    next.ready = townd::ready(*this, *bead);
    if (bead->type == BeadType::merge_request) {
      next.live_request = true;
      next.queued = bead->status == BeadStatus::open && bead->rig_id;
      next.reviewing = bead->status == BeadStatus::in_progress && (!review || review->pr_url.empty());
      if (review) next.source = review->source_bead_id;
    }
    if (bead->type == BeadType::issue && has_label(*bead, "gt:triage-request")) {
      next.triage_request = true;
      if (const TriageRequest* triage = triage_of(bead))
        next.triage_agent = triage->agent, next.triage_bead = triage->bead;
    }
    next.triage_batch = bead->type == BeadType::issue && has_label(*bead, "gt:triage");
  }
  const Filed* filed = filed_.find(id);
  if (filed && bead && *filed == next) {
    if (next.ready) touch_rig(next.rig, Edge::work_queue);
    return;
  }
  const Filed last = filed ? *filed : Filed{};

  if (last.rig) {
    if (RigIndex* index = indexes_.find(last.rig)) {
      if (last.ready) index->ready.erase(last.key);
      if (last.queued) index->queue.erase(last.key);
      if (last.reviewing) index->reviewing.erase(id);
      if (last.live_request) index->requests.erase(id);
    }
    if (last.ready && !next.ready) touch_rig(last.rig, Edge::work_queue);
  }
  if (next.rig) {
    RigIndex& index = indexes_.insert(next.rig).row;
    if (next.ready) index.ready.insert(next.key);
    if (next.queued) index.queue.insert(next.key);
    if (next.reviewing) index.reviewing.insert(id);
    if (next.live_request) index.requests.insert(id);
    if (next.ready) touch_rig(next.rig, Edge::work_queue);
  }
  // Before its neighbours are filed: in data a request may wait for its own source, which files it again.
  if (bead)
    filed_.insert(id).row = next;
  else
    filed_.erase(id);
  if (last.live_request != next.live_request || last.source != next.source) {
    if (last.live_request && last.source) {
      --links_for(last.source).live_requests;
      count_in_convoys(last.source);
      refile_blocked(last.source, Edge::source_blocked);
    }
    if (next.live_request && next.source) {
      ++links_for(next.source).live_requests;
      count_in_convoys(next.source);
      refile_blocked(next.source, Edge::source_blocked);
    }
  }
  if (last.assignee != next.assignee) {
    if (last.assignee) assigned_.insert(last.assignee).row.erase(id);
    if (next.assignee) assigned_.insert(next.assignee).row.insert(id);
  }
  if (last.triage_request != next.triage_request || last.triage_batch != next.triage_batch) touch_town(Edge::self);
  if (last.triage_request) {
    open_triage_.erase(id);
    if (auto* about = triage_about_.find(last.triage_agent)) about->erase(id);
    if (last.triage_bead) remove_sorted(links_for(last.triage_bead).triage, id);
  }
  if (next.triage_request) {
    open_triage_.insert(id);
    if (next.triage_agent) triage_about_.insert(next.triage_agent).row.insert(id);
    if (next.triage_bead) insert_sorted(links_for(next.triage_bead).triage, id);
  }
  if (last.triage_batch) live_batches_.erase(id);
  if (next.triage_batch) live_batches_.insert(id);
}

void Town::refile_blocked(const BeadId& id, Edge edge) {
  for (const BeadId& waiting : links(id).blocked) {  // filing changes nobody's dependencies
    refile(waiting);
    touch_bead(waiting, edge);
  }
}

void Town::count_in_convoys(const BeadId& id) {
  BeadLinks& links = links_for(id);
  const Bead* bead = beads_.find(id);
  const bool issue = bead && bead->type == BeadType::issue;
  const int counts_issue = issue ? 1 : 0;
  const int counts_terminal = issue && terminal(bead->status) ? 1 : 0;
  const int counts_failed = issue && bead->status == BeadStatus::failed ? 1 : 0;
  const int counts_in_flight = issue ? links.live_requests : 0;
  for (const BeadId& convoy_id : links.tracks) {
    BeadLinks& convoy = links_for(convoy_id);
    convoy.tracked_issues += counts_issue - links.counts_issue;
    convoy.terminal_issues += counts_terminal - links.counts_terminal;
    convoy.failed_issues += counts_failed - links.counts_failed;
    convoy.reviews_in_flight += counts_in_flight - links.counts_in_flight;
    touch_bead(convoy_id, Edge::source_convoy);
  }
  links.counts_issue = counts_issue;
  links.counts_terminal = counts_terminal;
  links.counts_failed = counts_failed;
  links.counts_in_flight = counts_in_flight;
}

void Town::count(const Bead* row, int by) {
  if (row) census_.beads.at(static_cast<std::size_t>(row->type)).at(static_cast<std::size_t>(row->status)) += by;
}

void Town::count(const Agent* row, int by) {
  if (row) census_.agents.at(static_cast<std::size_t>(row->status)) += by;
}

void Town::changed(const Bead* old, const Bead* now) {
  count(old, -1);
  count(now, 1);
  const BeadId id = (now ? now : old)->bead_id;
  if ((old ? old->parent_bead_id : BeadId{}) != (now ? now->parent_bead_id : BeadId{})) {
    if (old && old->parent_bead_id) remove_sorted(links_for(old->parent_bead_id).children, id);
    if (now && now->parent_bead_id) insert_sorted(links_for(now->parent_bead_id).children, id);
    if (old && old->parent_bead_id) touch_bead(old->parent_bead_id, Edge::parent);
  }
  refile(id);
  if (neighbours_see(old, now)) {
    count_in_convoys(id);
    refile_blocked(id, Edge::blocked);
    const BeadLinks& around = links(id);
    for (const BeadId& request : around.requests) touch_bead(request, Edge::request);
    for (const BeadId& target : around.tracks) touch_bead(target, Edge::convoy);
    for (const BeadId& member : around.members) touch_bead(member, Edge::batch);
    for (const BeadId& child : around.children) touch_bead(child, Edge::child);
    for (const BeadId& blocker : around.blockers) touch_bead(blocker, Edge::blocker);
    for (const BeadId& request : around.triage) touch_bead(request, Edge::run_triage);
    for (const AgentId& agent : around.hooked) touch_agent(agent, Edge::hooked_agent);
    for (const RunId& run : around.runs)
      if (const Run* row = runs_.find(run)) touch_agent(row->agent_id, Edge::hooked_agent);
    if (const Bead* row = now ? now : old; row->parent_bead_id) touch_bead(row->parent_bead_id, Edge::parent);
    if (const TriageRequest* triage = triage_of(now ? now : old)) touch_bead(triage->bead, Edge::run_triage);
    if (const Review* review = reviews_.find(id)) {
      touch_bead(review->batch_head, Edge::batch);
      touch_bead(review->source_bead_id, Edge::source);
      for (const BeadId& convoy : links(review->source_bead_id).tracks) touch_bead(convoy, Edge::source_convoy);
    }
    if (const Bead* row = now ? now : old; row->type == BeadType::convoy)
      for (const BeadId& tracked : around.tracked_by) {
        refile(tracked);
        touch_bead(tracked, Edge::tracked);
      }
    if (old && old->type == BeadType::merge_request) touch_rig(old->rig_id, Edge::merge_queue);
    if ((old && has_label(*old, "gt:triage")) || (now && has_label(*now, "gt:triage"))) touch_town(Edge::self);
    if (id == row_.runs_escalation || id == row_.usd_escalation) touch_town(Edge::self);
  }
  touch_bead(id, Edge::self);
  if (!now) drop_unused_links(id);
}

void Town::changed(const Review* old, const Review* now) {
  const BeadId id = (now ? now : old)->bead_id;
  const BeadId source_before = old ? old->source_bead_id : BeadId{};
  const BeadId source_after = now ? now->source_bead_id : BeadId{};
  if (source_before != source_after) {
    if (source_before) remove_sorted(links_for(source_before).requests, id);
    if (source_after) insert_sorted(links_for(source_after).requests, id);
  }
  const BeadId head_before = old ? old->batch_head : BeadId{};
  const BeadId head_after = now ? now->batch_head : BeadId{};
  if (head_before != head_after) {
    if (head_before) remove_sorted(links_for(head_before).members, id);
    if (head_after) insert_sorted(links_for(head_after).members, id);
  }
  refile(id);
  touch_bead(id, Edge::self);
  if (old && now && old->verifying_since != now->verifying_since)
    for (const BeadId& member : links(id).members) touch_bead(member, Edge::batch);
  if (source_after) touch_bead(source_after, Edge::source);
  for (const BeadId& convoy : links(source_after).tracks) touch_bead(convoy, Edge::source_convoy);
  for (const BeadId& target : links(id).tracks) touch_bead(target, Edge::convoy);
}

void Town::changed(const Convoy* old, const Convoy* now) {
  const BeadId id = (now ? now : old)->bead_id;
  if ((old && old->staged) != (now && now->staged)) {
    for (const BeadId& tracked : std::vector<BeadId>(links(id).tracked_by)) {
      refile(tracked);
      touch_bead(tracked, Edge::tracked);
    }
  }
  touch_bead(id, Edge::self);
}

// ---- agents and runs ---------------------------------------------------------------------------------------------

void Town::refile(const AgentId& id) {
  const Agent* agent = agents_.find(id);
  FiledAgent next;
  if (agent) {
    const bool live = run_live(*this, *agent);
    const bool at_work = agent->status == AgentStatus::working || agent->status == AgentStatus::stalled;
    next.rig = agent->rig_id;
    next.mayor = agent->role == AgentRole::mayor;
    next.refinery = agent->role == AgentRole::refinery;
    next.hooked_idle = agent->status == AgentStatus::idle && agent->current_hook_bead_id;
    if (agent->role == AgentRole::polecat) {
      next.free_polecat = free_agent(*this, *agent);
      next.busy_polecat = live || (agent->run_id.empty() && at_work);
      next.takes_slot = next.busy_polecat;
    }
  }
  const FiledAgent* filed = filed_agents_.find(id);
  const FiledAgent last = filed ? *filed : FiledAgent{};
  if (last.rig) {
    RigIndex& index = indexes_.insert(last.rig).row;
    if (last.free_polecat) index.free_polecats.erase(id);
    if (last.refinery) index.refineries.erase(id);
    if (last.busy_polecat) --index.busy_polecats;
  }
  if (next.rig) {
    RigIndex& index = indexes_.insert(next.rig).row;
    if (next.free_polecat) index.free_polecats.insert(id);
    if (next.refinery) index.refineries.insert(id);
    if (next.busy_polecat) ++index.busy_polecats;
  }
  slots_taken_ += (next.takes_slot ? 1 : 0) - (last.takes_slot ? 1 : 0);
  if (last.mayor != next.mayor) {
    if (next.mayor)
      mayors_.insert(id);
    else
      mayors_.erase(id);
  }
  if (last.hooked_idle != next.hooked_idle) {
    if (next.hooked_idle)
      hooked_idle_.insert(id);
    else
      hooked_idle_.erase(id);
  }
  if (agent)
    filed_agents_.insert(id).row = next;
  else
    filed_agents_.erase(id);
  if (last.takes_slot && !next.takes_slot) touch_gate(RigId{});  // a slot came free for everybody
}

void Town::changed(const Agent* old, const Agent* now) {
  count(old, -1);
  count(now, 1);
  const AgentId id = (now ? now : old)->agent_id;
  const BeadId hook_before = old ? old->current_hook_bead_id : BeadId{};
  const BeadId hook_after = now ? now->current_hook_bead_id : BeadId{};
  if (hook_before != hook_after) {
    if (hook_before) remove_sorted(links_for(hook_before).hooked, id);
    if (hook_after) insert_sorted(links_for(hook_after).hooked, id);
  }
  refile(id);
  touch_agent(id, Edge::self);
  const auto touch_hook = [this](const BeadId& hook) {
    touch_bead(hook, Edge::hook);
    for (const BeadId& member : links(hook).members) touch_bead(member, Edge::batch);
  };
  if (hook_before) touch_hook(hook_before);
  if (hook_after && hook_after != hook_before) touch_hook(hook_after);
  if (hook_before && hook_before != hook_after) drop_unused_links(hook_before);
  touch_messages_of(id);
  if (!now) {
    if (old->role == AgentRole::refinery) touch_rig(old->rig_id, Edge::merge_queue);
    for (const BeadId& request : triage_about(id)) touch_bead(request, Edge::run_triage);
  }
}

void Town::changed(const Run* old, const Run* now) {
  const Run& row = now ? *now : *old;
  const RunId id = row.run_id;
  if (old) {
    if (old->ended_at) runs_by_end_.erase({*old->ended_at, id});
    runs_by_request_.erase({old->requested_at, id});
    if (old->bead_id && (!now || now->bead_id != old->bead_id)) remove_sorted(links_for(old->bead_id).runs, id);
  }
  if (now) {
    if (now->ended_at) runs_by_end_.insert({*now->ended_at, id});
    runs_by_request_.insert({now->requested_at, id});
    if (now->bead_id) insert_sorted(links_for(now->bead_id).runs, id);
  }
  if (now && now->state != RunState::ended)
    live_runs_.insert(id);
  else
    live_runs_.erase(id);

  refile(row.agent_id);
  touch_agent(row.agent_id, Edge::run_agent);
  touch_bead(row.bead_id, Edge::run_bead);
  if (row.bead_id) drop_unused_links(row.bead_id);
  touch_messages_of(row.agent_id);
  for (const BeadId& request : triage_about(row.agent_id)) touch_bead(request, Edge::run_triage);
  const bool spent_otherwise =
      !old || !now || (old->cost_micro_usd != now->cost_micro_usd && config().micro_usd_per_day);
  if (spent_otherwise) touch_town(Edge::self);
  if (!now) touch_gate(RigId{});  // the budgets have room again
  const bool ended = (!now || now->state == RunState::ended) && old && old->state != RunState::ended;
  if (ended) touch_gate(row.rig_id);
}

// ---- rigs and messages -------------------------------------------------------------------------------------------

void Town::changed(const Rig* old, const Rig* now) {
  const RigId id = (now ? now : old)->rig_id;
  const bool named = indexes_.find(id);  // by a bead or an agent
  indexes_.insert(id);
  const BeadId ahead = old ? old->queue.ahead.head : BeadId{};
  if (ahead && (!now || now->queue.ahead.head != ahead)) touch_bead(ahead, Edge::batch);
  if (!old && !named) {
    touch_rig(id, Edge::self);
    touch_town(Edge::self);
  } else if (old && now && old->breaker != now->breaker) {
    touch_gate(id);
    touch_town(Edge::self);
  } else if (old && now && old->queue != now->queue) {
    touch_rig(id, Edge::merge_queue);
  } else {
    touch_everything();  // settings of a rig are read by many rules, and change rarely
  }
}

void Town::changed(const Nudge* old, const Nudge* now) {
  const Nudge& row = now ? *now : *old;
  const auto waits = [](const Nudge* nudge) { return nudge && !nudge->delivered_at && !nudge->expired; };
  if (old) nudged_.insert(old->agent_id).row.erase({old->source, old->created_at, old->nudge_id});
  if (now) nudged_.insert(now->agent_id).row.insert({now->source, now->created_at, now->nudge_id});
  auto& waiting = undelivered_.insert(row.agent_id).row;
  if (waits(now))
    waiting.insert(row.nudge_id);
  else
    waiting.erase(row.nudge_id);
  if (now) agenda_.touch(Stage::messages, subject(row.nudge_id.text), Edge::self);
  touch_messages_of(row.agent_id);
  touch_agent(row.agent_id, Edge::message);
}

void Town::changed(const Mail* old, const Mail* now) {
  const Mail& row = now ? *now : *old;
  auto& waiting = undelivered_.insert(row.to_agent_id).row;
  if (now && !now->delivered_at && !now->undeliverable)
    waiting.insert(row.mail_id);
  else
    waiting.erase(row.mail_id);
  if (now) agenda_.touch(Stage::messages, subject(row.mail_id.text), Edge::self);
  touch_messages_of(row.to_agent_id);
  touch_agent(row.to_agent_id, Edge::message);
}

// ---- the reference for the indexes -------------------------------------------------------------------------------

std::vector<ReadyKey> Town::recount_ready(const RigId& rig) const {
  std::vector<ReadyKey> keys;
  beads_.for_each([&](const auto& slot) {
    if (slot.row.rig_id == rig && townd::ready(*this, slot.row)) keys.push_back(ready_key(*this, slot.row));
  });
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<ReadyKey> Town::recount_queue(const RigId& rig) const {
  std::vector<ReadyKey> keys;
  beads_.for_each([&](const auto& slot) {
    const Bead& bead = slot.row;
    if (bead.type == BeadType::merge_request && bead.status == BeadStatus::open && bead.rig_id == rig)
      keys.push_back(ready_key(*this, bead));
  });
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace townd
