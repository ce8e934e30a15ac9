#include "server/shapes.hpp"

#include "codec/describe_rows.hpp"
#include "codec/fields.hpp"

namespace townd {
namespace {

/// A place that waits for its text holds `{kHole: <hash>}`. The key cannot come from anywhere else: objects from
/// outside are metadata, and those are looked past.
constexpr std::string_view kHole = "\x01text";

json::object members(const auto& row, std::initializer_list<std::string_view> leave_out = {},
                     const json::storage_ptr& storage = {}) {
  return JsonWriter(Blanks::null, nullptr, storage).write_members(row, leave_out);
}

json::value id_or_null(const auto& id) { return id.empty() ? json::value(nullptr) : json::value(id.text); }

json::array ids(const auto& list) {
  json::array array;
  for (const auto& id : list) array.emplace_back(id.text);
  return array;
}

}  // namespace

void LateTexts::want(json::object& object, std::string_view key, const TextRef& ref) {
  if (ref.empty()) {
    object[key] = nullptr;
    return;
  }
  hashes_.push_back(ref.hash);
  json::object hole;
  hole.emplace(kHole, ref.hash.hex());
  object[key] = std::move(hole);
}

void LateTexts::fill(json::value& value, const TextBook& book) {
  if (json::array* array = value.if_array()) {
    for (json::value& element : *array) fill(element, book);
  } else if (json::object* object = value.if_object()) {
    if (const json::value* hash = object->if_contains(kHole)) {
      const auto found = book.find(Hash128::from_hex(hash->get_string()));
      value = found == book.end() ? json::value(nullptr) : json::value(found->second);
      return;
    }
    for (auto& [key, member] : *object)
      if (key != "metadata") fill(member, book);
  }
}

json::object bead_shape(const Town& town, const Bead& bead, const json::storage_ptr& storage) {
  json::object shape = members(bead, {"body", "detail"}, storage);
  if (bead.detail) {
    // The reference keeps these in metadata; here they are fields of their own, shown there and not written there.
    json::value detail = to_json(bead.detail);
    json::value& metadata = shape["metadata"];
    if (metadata.is_object())
      for (auto& [key, value] : detail.get_object()) metadata.get_object().insert_or_assign(key, value);
  }
  const BeadId blocker = first_blocker(town, bead.bead_id);
  shape.emplace("blocked_by", id_or_null(blocker));
  shape.emplace("held", held(town, bead));
  return shape;
}

json::object bead_detail(const Town& town, const Bead& bead, LateTexts& texts) {
  json::object shape = bead_shape(town, bead);
  texts.want(shape, "body", bead.body);
  const BeadLinks& links = town.links(bead.bead_id);
  shape.emplace("blockers", ids(links.blockers));
  shape.emplace("blocks", ids(links.blocked));
  shape.emplace("convoys", ids(links.tracks));
  shape.emplace("children", ids(links.children));
  shape.emplace("requests", ids(links.requests));
  shape.emplace("hooked_agents", ids(links.hooked));
  json::array runs;
  for (const RunId& id : links.runs)
    if (const Run* run = town.run(id)) runs.push_back(run_shape(*run));
  shape.emplace("runs", std::move(runs));
  const Review* review = town.review(bead.bead_id);
  shape.emplace("review", review ? json::value(review_shape(town, *review)) : json::value(nullptr));
  return shape;
}

json::object review_shape(const Town& town, const Review& review) {
  json::object shape = members(review);
  if (const Bead* bead = town.bead(review.bead_id)) {
    shape.emplace("title", bead->title);
    shape.emplace("status", to_string(bead->status));
    shape.emplace("rig_id", id_or_null(bead->rig_id));
    shape.emplace("ready_since", to_text(bead->ready_since));
    shape.emplace("dispatch_attempts", bead->dispatch_attempts);
  }
  const auto& hooked = town.links(review.bead_id).hooked;
  shape.emplace("reviewer_agent_id", hooked.empty() ? json::value(nullptr) : json::value(hooked.front().text));
  return shape;
}

json::object agent_shape(const Agent& agent) {
  json::object shape = members(agent, {"checkpoint", "status_message", "status_message_at"});
  shape.emplace("id", agent.agent_id.text);
  shape.emplace("agent_status_message", to_json(agent.status_message));
  shape.emplace("agent_status_updated_at", to_json(agent.status_message_at));
  return shape;
}

json::object agent_detail(const Town& town, const Agent& agent, LateTexts& texts) {
  json::object shape = agent_shape(agent);
  texts.want(shape, "checkpoint", agent.checkpoint);
  const Run* run = town.run(agent.run_id);
  shape.emplace("run", run ? json::value(run_shape(*run)) : json::value(nullptr));
  return shape;
}

json::object run_shape(const Run& run) { return members(run); }

json::object rig_shape(const Rig& rig) {
  json::object shape = members(rig);
  shape.emplace("id", rig.rig_id.text);
  shape.emplace("usable", rig.broken_reason.empty() && rig.untrusted_reason.empty());
  return shape;
}

json::object convoy_shape(const Town& town, const Bead& bead, const Convoy& convoy) {
  json::object shape = members(convoy, {"total_beads"});
  shape.emplace("id", bead.bead_id.text);
  shape.emplace("title", bead.title);
  // The reference knows two; a convoy that failed is neither.
  shape.emplace("status", bead.status == BeadStatus::open     ? "active"
                          : bead.status == BeadStatus::closed ? "landed"
                                                              : "failed");
  shape.emplace("total_beads", town.links(bead.bead_id).tracked_issues);
  shape.emplace("failed_beads", town.links(bead.bead_id).failed_issues);
  shape.emplace("created_by", bead.created_by);
  shape.emplace("created_at", to_text(bead.created_at));
  return shape;
}

json::object convoy_detail(const Town& town, const Bead& bead, const Convoy& convoy) {
  json::object shape = convoy_shape(town, bead, convoy);
  json::array beads;
  json::array edges;
  for (const BeadId& id : town.links(bead.bead_id).tracked_by) {
    const Bead* tracked = town.bead(id);
    if (!tracked || tracked->type != BeadType::issue) continue;  // its landing requests track it too
    const Agent* agent = town.agent(tracked->assignee_agent_bead_id);
    json::object line;
    line.emplace("bead_id", id.text);
    line.emplace("title", tracked->title);
    line.emplace("status", to_string(tracked->status));
    line.emplace("rig_id", id_or_null(tracked->rig_id));
    line.emplace("assignee_agent_name", agent ? json::value(agent->name) : json::value(nullptr));
    beads.push_back(std::move(line));
    for (const BeadId& blocker : town.links(id).blockers)
      edges.push_back({{"bead_id", id.text}, {"depends_on_bead_id", blocker.text}});
  }
  shape.emplace("beads", std::move(beads));
  shape.emplace("dependency_edges", std::move(edges));
  return shape;
}

json::object nudge_shape(const Nudge& nudge) {
  json::object shape = members(nudge);
  shape.emplace("priority", nudge.urgent ? "urgent" : "normal");
  return shape;
}

json::object mail_shape(const Mail& mail, LateTexts& texts) {
  json::object shape = members(mail, {"body"});
  texts.want(shape, "body", mail.body);
  return shape;
}

json::array requests_shape(const std::vector<TrialRequest>& requests) {
  json::array list;
  for (const TrialRequest& request : requests)
    list.push_back({{"bead_id", request.bead_id.text},
                    {"title", request.title},
                    {"branch", request.branch},
                    {"commit", request.commit},
                    {"source_run_id", request.source_run_id.text}});
  return list;
}

json::object assignment_shape(const Assignment& assignment, LateTexts& texts) {
  json::object shape;
  shape.emplace("town_id", assignment.town_id.text);
  shape.emplace("run_id", assignment.run_id.text);
  shape.emplace("kind", to_string(assignment.kind));
  shape.emplace("preset", assignment.preset);
  shape.emplace("branch", assignment.branch);
  shape.emplace("target_branch", assignment.target_branch);
  shape.emplace("continue_run_id", id_or_null(assignment.continue_run_id));
  shape.emplace("strategy", to_json(assignment.strategy));
  shape.emplace("gates", to_json(assignment.gates));
  shape.emplace("convoy_title", to_json(assignment.convoy_title));
  json::array attempts;
  for (const EarlierAttempt& attempt : assignment.attempts)
    attempts.push_back(
        {{"run_id", attempt.run_id.text}, {"outcome", attempt.outcome}, {"exit_reason", attempt.exit_reason}});
  shape.emplace("attempts", std::move(attempts));
  shape.emplace("trial", requests_shape(assignment.trial));
  if (!assignment.expected.empty()) {
    shape.emplace("expected", requests_shape(assignment.expected));
    shape.emplace("expected_by", assignment.expected_by);
  }
  shape.emplace("retry_gate", assignment.care.retry_gate);
  shape.emplace("check_base", assignment.care.check_base);
  shape.emplace("sound", assignment.care.sound);
  json::array triage;
  for (const Bead& bead : assignment.triage) {
    json::object question = members(bead, {"body"});
    texts.want(question, "body", bead.body);
    triage.push_back(std::move(question));
  }
  shape.emplace("triage", std::move(triage));
  if (assignment.step)
    shape.emplace("molecule", step_shape(*assignment.step, texts));
  else
    shape.emplace("molecule", nullptr);
  texts.want(shape, "checkpoint", assignment.checkpoint);
  return shape;
}

json::object step_shape(const CurrentStep& step, LateTexts& texts) {
  json::object shape = members(step.bead, {"body"});
  texts.want(shape, "body", step.bead.body);
  shape.emplace("molecule_id", step.molecule_id.text);
  shape.emplace("step", step.number);
  shape.emplace("total_steps", step.of);
  return shape;
}

}  // namespace townd
