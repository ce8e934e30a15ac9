#include "server/answer_schemas.hpp"

#include <map>
#include <string>

namespace townd {
namespace {

/// `[]Bead` is a list of that answer; otherwise the members that are always there, each `name:kind` with the kinds
/// s text, t time, i whole number, n number, b truth value, a list, o object, * any; `?` behind it: or null.
const std::map<std::string_view, std::string_view>& members() {
  static const std::map<std::string_view, std::string_view> all{
      {"Health", "status:s version:s"},
      {"OpenApi", "openapi:s info:o paths:o components:o"},
      {"Tokens", "[]Token"},
      {"Token", "id:s role:s created_at:t"},
      {"NewToken", "id:s role:s token:s"},
      {"Revoked", "revoked:b"},
      {"Noticed", "noticed:i"},
      {"Doctor", "findings:a unmade:a made:a"},
      {"Retried", "retried:b"},
      {"Town",
       "town_id:s name:s prefix:s paused:b paused_reason:s? draining:b draining_since:t? config_version:i rigs:i "
       "beads:i last_tick:i"},
      {"Towns", "[]Town"},
      {"Status",
       "town:o problems:a agents:o beads:o patrol:o reconciler:o? pendingEventCount:i effectsInDoubt:i quarantine:a "
       "breaker:o rigs:a budgets:o paused:b draining:b drainStartedAt:t?"},
      {"Config",
       "version:i merge_strategy:s staged_convoys_default:b convoy_merge_mode:s max_polecats:i runs_per_day:i "
       "usd_per_day:n? "
       "polecat_preset:s refinery_preset:s mayor_preset:s refinery:o reconciler:o"},
      {"ConfigKey", "key:s value:* default:* from:s meaning:s"},
      {"ConfigKeys", "[]ConfigKey"},
      {"Rig",
       "id:s rig_id:s name:s git_url:s default_branch:s? broken_reason:s? untrusted_reason:s? usable:b config:o "
       "breaker:o created_at:t"},
      {"Rigs", "[]Rig"},
      {"Bead",
       "bead_id:s type:s status:s status_since:t title:s rig_id:s? parent_bead_id:s? assignee_agent_bead_id:s? "
       "priority:s labels:a metadata:* dispatch_attempts:i review_rounds:i blocked_by:s? held:b created_by:s? "
       "created_at:t updated_at:t closed_at:t?"},
      {"Beads", "[]Bead"},
      {"BeadDetail",
       "bead_id:s type:s status:s title:s body:s? rig_id:s? priority:s labels:a metadata:* blockers:a blocks:a "
       "convoys:a children:a requests:a hooked_agents:a runs:a review:o?"},
      {"Slung", "bead:o agent:o?"},
      {"History", "[]HistoryLine"},
      {"HistoryLine", "bead_id:s agent_id:s event_type:s old_value:s new_value:s rule:s created_at:t"},
      {"Diff", "bead_id:s branch:s target_branch:s commit:s diff:s"},
      {"Reviews", "[]Review"},
      {"Review",
       "bead_id:s title:s status:s rig_id:s? branch:s? target_branch:s? source_bead_id:s? pr_url:s? strategy:s "
       "verdict:s result:s merge_commit:s? held_why:s? reviewer_agent_id:s?"},
      {"ConvoyMade", "convoy:o beads:a"},
      {"Convoy",
       "id:s title:s status:s staged:b total_beads:i closed_beads:i created_by:s? created_at:t landed_at:t? "
       "feature_branch:s? merge_mode:s"},
      {"Convoys", "[]Convoy"},
      {"ConvoyDetail", "id:s title:s status:s staged:b total_beads:i closed_beads:i beads:a dependency_edges:a"},
      {"ConvoyCount", "total_beads:i"},
      {"Agent",
       "id:s agent_id:s rig_id:s? role:s name:s identity:s? status:s current_hook_bead_id:s? dispatch_attempts:i "
       "last_activity_at:t? created_at:t agent_status_message:s? agent_status_updated_at:t?"},
      {"Agents", "[]Agent"},
      {"AgentDetail", "id:s agent_id:s role:s name:s status:s checkpoint:s? run:o?"},
      {"AgentReset", "reset:b"},
      {"Deleted", "deleted:b"},
      {"DeletedSome", "deleted:i refused:a"},
      {"Hooked", "hooked:b"},
      {"Unhooked", "unhooked:b"},
      {"Submitted", "submitted:b"},
      {"Log", "run_id:s offset:i next_offset:i text:s"},
      {"Prime", "agent:o hooked_bead:o? undelivered_mail:a open_beads:a assignment:o?"},
      {"Appended", "appended:b id:i"},
      {"AgentEvents", "[]AgentEvent"},
      {"AgentEvent", "id:i agent_id:s event_type:s data:* created_at:t"},
      {"Molecule", "bead_id:s type:s status:s title:s source_bead_id:s total_steps:i steps:a"},
      {"Step", "bead_id:s title:s status:s body:s? molecule_id:s step:i total_steps:i"},
      {"Advanced", "moleculeId:s previousStep:i currentStep:i totalSteps:i completed:b"},
      {"Done", "done:b"},
      {"Completed", "completed:b"},
      {"Acknowledged", "acknowledged:b"},
      {"Heartbeat", "heartbeat:b draining:b"},
      {"Written", "written:b"},
      {"Ok", "ok:b"},
      {"Rework", "rework_bead_id:s?"},
      {"Recorded", "recorded:b"},
      {"Queues", "rigs:a"},
      {"Resumed", "resumed:b"},
      {"Mail", "[]MailItem"},
      {"MailItem", "mail_id:s from_agent_id:s? to_agent_id:s? subject:s body:s? created_at:t delivered_at:t?"},
      {"Nudges", "[]Nudge"},
      {"Questions", "[]Question"},
      {"Question",
       "bead_id:s title:s triage_type:s agent_id:s about_bead_id:s run_id:s reason:s options:a created_at:t"},
      {"Nudge", "nudge_id:s message:s mode:s priority:s source:s"},
      {"Marked", "marked:b"},
      {"Sent", "sent:b"},
      {"Read", "read:b"},
      {"MayorSession", "agentId:s sessionStatus:s"},
      {"MayorStatus", "configured:b townId:s session:o?"},
      {"MayorId", "agentId:s?"},
      {"Configured", "configured:b"},
      {"Destroyed", "destroyed:b"},
      {"Nudged", "nudge_id:s?"},
      {"Why", "id:s status:s decisions:a next:s"},
      {"DryRun",
       "at:t actions:a skipped:a violations:a next_due_at:t? complete:b digest:s actionsEmitted:i actionsByType:o "
       "pendingEventCount:i eventsDrained:i"},
      {"Replay",
       "from:t to:t after_tick:i ticks:i events:i eventsReplayed:i matches:b actions:a left_out:i nextActions:a "
       "pending:a state:o stateSnapshot:o snapshot_at:t unusable_snapshots:a"},
      {"Shown", "rig_id:s?"},
      {"Changes", "from:t to:t changed:a doers_left_out:i"},
      {"Events", "[]Event"},
      {"Event", "seq:i event_type:s agent_id:s bead_id:s payload:* created_at:t processed_at:t? fate:s note:s"},
      {"Ticks", "[]Tick"},
      {"Tick", "tick:i at:t record:o"},
      {"OpenedTick", "tick:i at:t record:o facts:a effects:a"},
      {"Bundle", ""},
      {"Stream", ""},
      {"Metrics", ""},
      {"Snapshot", "format:s town:o"},
  };
  return all;
}

json::object kind_schema(std::string_view kind) {
  const bool nullable = kind.ends_with('?');
  if (kind.front() == '*') return {};
  std::string_view type = "string";
  switch (kind.front()) {
    case 'i': type = "integer"; break;
    case 'n': type = "number"; break;
    case 'b': type = "boolean"; break;
    case 'a': type = "array"; break;
    case 'o': type = "object"; break;
    default: break;
  }
  json::object schema;
  if (nullable)
    schema.emplace("type", json::array{type, "null"});
  else
    schema.emplace("type", type);
  if (kind.front() == 't') schema.emplace("format", "date-time");
  return schema;
}

}  // namespace

json::object answer_schema(std::string_view name) {
  const auto found = members().find(name);
  std::string_view rest = found == members().end() ? std::string_view{} : found->second;
  if (rest.starts_with("[]")) return {{"type", "array"}, {"items", answer_schema(rest.substr(2))}};
  if (name == "Stream")
    return {{"type", "string"}, {"description", "events tick, bead, agent, alert and gap; each id is <tick>.<n>"}};
  if (name == "Metrics") return {{"type", "string"}, {"description", "docs/metrics.md names them all"}};
  json::object properties;
  json::array required;
  while (!rest.empty()) {
    const std::size_t space = rest.find(' ');
    const std::string_view word = rest.substr(0, space);
    rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
    const std::size_t colon = word.find(':');
    properties.emplace(word.substr(0, colon), kind_schema(word.substr(colon + 1)));
    required.emplace_back(word.substr(0, colon));
  }
  json::object schema;
  schema.emplace("type", "object");
  schema.emplace("properties", std::move(properties));
  schema.emplace("required", std::move(required));
  return schema;
}

}  // namespace townd
