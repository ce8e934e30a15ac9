#include <algorithm>
#include <map>

#include "codec/describe_rows.hpp"
#include "codec/fields.hpp"
#include "core/budget.hpp"
#include "core/explain.hpp"
#include "core/merge_queue.hpp"
#include "core/molecule.hpp"
#include "core/rules/common.hpp"
#include "server/shapes.hpp"

namespace townd {
namespace {

json::value time_or_null(MaybeInstant t) { return t ? json::value(to_text(*t)) : json::value(nullptr); }

struct Counts {
  std::map<std::string, int> agents;
  std::map<std::string, int> beads;
  int agents_total = 0;
  int triage_requests = 0;
  int stalled = 0;
  int orphaned_hooks = 0;
};

Counts count(const Town& town) {
  Counts counts;
  const Census& census = town.census();
  for (std::size_t s = 0; s < kAgentStatuses; ++s)
    counts.agents[std::string(to_string(static_cast<AgentStatus>(s)))] = census.agents.at(s);
  counts.agents_total = static_cast<int>(town.agent_count());
  counts.stalled = census.agents.at(static_cast<std::size_t>(AgentStatus::stalled));
  for (const AgentId& id : town.agent_ids()) {
    const Agent* agent = town.agent(id);
    const Bead* hook = town.bead(agent->current_hook_bead_id);
    if (!agent->current_hook_bead_id.empty() && (!hook || terminal(hook->status))) ++counts.orphaned_hooks;
  }
  for (const BeadType type : {BeadType::issue, BeadType::merge_request})
    for (std::size_t s = 0; s < kBeadStatuses; ++s)
      counts.beads[std::string(to_string(static_cast<BeadStatus>(s)))] +=
          census.beads.at(static_cast<std::size_t>(type)).at(s);
  counts.triage_requests = static_cast<int>(town.open_triage_requests().size());
  return counts;
}

/// Some agent of this town runs, or would run, this program.
bool wanted(const Town& town, const std::string& preset) {
  if (!town.mayors().empty() && town.config().mayor_preset == preset) return true;
  for (const RigId& id : town.rig_ids())
    for (const AgentRole role : {AgentRole::polecat, AgentRole::refinery})
      if (preset_of(town, *town.rig(id), role) == preset) return true;
  return false;
}

/// All that is left of the convoy has failed, and a person has to say what becomes of the rest.
bool waits_for_failed(const Town& town, const Bead& bead) {
  const Convoy* convoy = town.convoy(bead.bead_id);
  if (!convoy || bead.status != BeadStatus::open || convoy->on_failed_child != OnFailedChild::hold) return false;
  const BeadLinks& links = town.links(bead.bead_id);
  return links.failed_issues > 0 && links.terminal_issues == links.tracked_issues;
}

/// What a person should see first.
json::array problems(const Engine::View& view, const std::string& upgraded) {
  json::array list;
  const auto say = [&list](std::string_view id, std::string what) { list.push_back({{"id", id}, {"problem", what}}); };
  const TownRow& row = view.town.row();
  if (!view.quarantined.empty()) say(row.town_id.text, "the town is not run: " + view.quarantined);
  if (!upgraded.empty()) say(row.town_id.text, "this townd and the record disagree: " + upgraded);
  if (row.paused) say(row.town_id.text, "paused" + (row.paused_reason.empty() ? "" : ": " + row.paused_reason));
  if (row.breaker.opened_at) say(row.town_id.text, "too many runs failed; one probe at a time until one ends well");
  for (const Budget& budget : spent_budgets(view.town, view.now))
    say(row.town_id.text, "the budget " + std::string(budget.setting) + " is spent; nothing new is started" +
                              (budget.free_at == kNever ? "" : " until " + to_text(budget.free_at)));
  if (row.node.disk_low) say(row.town_id.text, "the disk is nearly full");
  if (!row.node.runtime_reachable) say(row.town_id.text, "the runtime cannot be reached");
  for (const PresetState& preset : row.node.presets)
    if (!preset.usable && wanted(view.town, preset.preset))
      say(preset.preset, "the agent program cannot be used: " + preset.reason);
  for (const RigId& id : view.town.rig_ids()) {
    const Rig* rig = view.town.rig(id);
    if (!rig->broken_reason.empty()) say(id.text, "rig " + rig->name + " is broken: " + rig->broken_reason);
    if (!rig->untrusted_reason.empty()) say(id.text, "rig " + rig->name + " waits for trust: " + rig->untrusted_reason);
    if (const MaybeInstant until = paused_until(rig->queue); until && *until > view.now)
      say(id.text, "rig " + rig->name + ": its merge queue is paused: " + rig->queue.paused_reason);
    if (rig->breaker.opened_at) say(id.text, "rig " + rig->name + ": too many runs failed in a row");
    if (rig->config.sandbox == "none") say(id.text, "rig " + rig->name + " runs its agents without a sandbox");
  }
  for (const BeadId& id : view.town.bead_ids()) {
    const Bead* bead = view.town.bead(id);
    if (bead->type == BeadType::escalation && !terminal(bead->status)) say(id.text, "escalation: " + bead->title);
    const bool counts = bead->type == BeadType::issue && !molecule_step(view.town, *bead);  // a step's issue is named
    if (counts && bead->status == BeadStatus::failed) say(id.text, "failed: " + bead->title);
    if (waits_for_failed(view.town, *bead))
      say(id.text, "convoy waits because a piece of it failed: " + bead->title +
                       " (`town reopen` the piece, `town convoy remove` it, or `town convoy close`)");
    const Review* review = view.town.review(id);
    if (review && !terminal(bead->status) && !review->held_why.empty())
      say(id.text, "landing held: " + review->held_why);
    if (bead->status == BeadStatus::in_review)
      if (const Review* refusal = forge_refusal(view.town, id))
        say(id.text, "its pull request was refused: " + refusal->failure_message + " (`town why " + id.text + "`)");
  }
  return list;
}

json::array quarantine(const Town& town) {
  json::array list;
  for (const auto& [seq, deferred] : town.deferred())
    list.push_back(
        {{"seq", seq},
         {"event_type", event_type(deferred.event->body)},
         {"attempts", deferred.attempts},
         {"reason", deferred.reason},
         {"retry_at", deferred.retry_at == kNever ? json::value(nullptr) : json::value(to_text(deferred.retry_at))}});
  return list;
}

/// The nine values of one tick (interfaces.md, Metrics).
json::value last_tick(const Engine::View& view) {
  const TickRecord* record = view.last_record;
  if (!record) return nullptr;
  json::object by_type;
  std::int64_t actions = 0;
  for (const Decided& decided : record->decisions) {
    if (decided.fate != ActionFate::applied) continue;
    for (const ActionBody& action : decided.actions) {
      json::value& value = by_type[action_type(action)];
      value = value.is_int64() ? value.get_int64() + 1 : 1;
      ++actions;
    }
  }
  json::object shape;
  shape.emplace("tick", record->number);
  shape.emplace("at", to_text(record->at));
  shape.emplace("eventsDrained", record->events.size());
  shape.emplace("actionsEmitted", actions);
  shape.emplace("actionsByType", std::move(by_type));
  shape.emplace("effectsAttempted", record->effects.size());
  shape.emplace("effectsSucceeded", record->effects_succeeded);
  shape.emplace("effectsFailed", record->effects_failed);
  shape.emplace("invariantViolations", record->violations.size());
  shape.emplace("wallClockMs", static_cast<double>(record->wall_us) / 1000.0);
  shape.emplace("pendingEventCount", record->pending_events);
  return shape;
}

/// What there is of each budget and what is left of it.
json::object budgets(const Town& town, Instant now) {
  const NodeFacts& node = town.row().node;
  const auto left = [](std::int64_t limit, std::int64_t used) { return std::max<std::int64_t>(0, limit - used); };
  const auto free_at = [](const Budget& b) { return time_or_null(b.spent() ? MaybeInstant(b.free_at) : std::nullopt); };
  const Budget runs = runs_budget(town, now);
  json::object shape{{"slots", node.slots},
                     {"slots_taken", town.slots_taken()},
                     {"slots_left", left(node.slots, town.slots_taken())},
                     {"runs_per_day", runs.limit},
                     {"runs_used", runs.used},
                     {"runs_left", left(runs.limit, runs.used)},
                     {"runs_free_at", free_at(runs)},
                     {"micro_usd_per_day", to_json(town.config().micro_usd_per_day)}};
  if (const auto usd = usd_budget(town, now)) {
    shape.emplace("micro_usd_used", usd->used);
    shape.emplace("micro_usd_left", left(usd->limit, usd->used));
    shape.emplace("micro_usd_free_at", free_at(*usd));
  }
  return shape;
}

/// What is in the way of the first in a rig's queue; null when nothing waits there.
template <class Queue>
json::value waits_for(const Town& town, const Queue& queue, Instant now) {
  if (queue.empty()) return nullptr;
  const BeadId& first = queue.begin()->bead_id;
  const Explanation why = explain(town, first.text, now);
  std::string because;
  for (const Explained& decision : why.decisions)
    if (decision.kind != Explained::Kind::act && !decision.because.empty()) because = decision.because;
  return json::object{{"id", first.text}, {"because", because.empty() ? why.next : because}};
}

int number(const std::map<std::string, int>& counts, const std::string& name) {
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

json::object town_shape(const Engine::View& view) {
  const TownRow& row = view.town.row();
  json::object shape;
  shape.emplace("town_id", row.town_id.text);
  shape.emplace("name", row.name);
  shape.emplace("prefix", row.prefix);
  shape.emplace("paused", row.paused);
  shape.emplace("paused_reason", to_json(row.paused_reason));
  shape.emplace("draining", draining(view.town, view.now));
  shape.emplace("draining_since", time_or_null(row.draining_since));
  shape.emplace("config_version", row.config.version);
  shape.emplace("rigs", view.town.rig_ids().size());
  shape.emplace("beads", view.town.bead_count());
  shape.emplace("last_tick", view.last_tick);
  return shape;
}

json::object status_shape(const Engine::View& view, const std::string& upgraded) {
  const Town& town = view.town;
  const TownRow& row = town.row();
  const Counts counts = count(town);
  json::object shape;
  shape.emplace("town", town_shape(view));
  shape.emplace("problems", problems(view, upgraded));

  json::object agents;
  for (const auto& [status, n] : counts.agents) agents.emplace(status, n);
  agents.emplace("total", counts.agents_total);
  shape.emplace("agents", std::move(agents));
  shape.emplace("beads", json::value{{"open", number(counts.beads, "open")},
                                     {"inProgress", number(counts.beads, "in_progress")},
                                     {"inReview", number(counts.beads, "in_review")},
                                     {"closed", number(counts.beads, "closed")},
                                     {"failed", number(counts.beads, "failed")},
                                     {"triageRequests", counts.triage_requests}});
  shape.emplace("patrol", json::value{{"stalledAgents", counts.stalled}, {"orphanedHooks", counts.orphaned_hooks}});
  shape.emplace("reconciler", last_tick(view));
  shape.emplace("pendingEventCount", view.pending_events);
  shape.emplace("effectsInDoubt", view.effects_in_doubt);
  shape.emplace("quarantine", quarantine(town));
  shape.emplace("breaker", to_json(row.breaker));

  json::array rigs;
  for (const RigId& id : town.rig_ids()) {
    const Rig* rig = town.rig(id);
    const RigIndex& index = town.index(id);
    rigs.push_back({{"rig_id", id.text},
                    {"name", rig->name},
                    {"usable", rig->broken_reason.empty() && rig->untrusted_reason.empty()},
                    {"sandbox", rig->config.sandbox},
                    {"gates", to_json(rig->config.gates)},
                    {"ready", index.ready.size()},
                    {"queue", index.queue.size()},
                    {"reviewing", index.reviewing.size()},
                    {"busy_polecats", index.busy_polecats},
                    {"work_waits_for", waits_for(town, index.ready, view.now)},
                    {"merge_waits_for", waits_for(town, index.queue, view.now)},
                    {"breaker", to_json(rig->breaker)}});
  }
  shape.emplace("rigs", std::move(rigs));
  shape.emplace("budgets", budgets(town, view.now));
  shape.emplace("paused", row.paused);
  shape.emplace("draining", draining(town, view.now));
  shape.emplace("drainStartedAt", time_or_null(row.draining_since));
  return shape;
}

}  // namespace townd
