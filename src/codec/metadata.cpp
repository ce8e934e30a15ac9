#include "codec/metadata.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "codec/describe_rows.hpp"
#include "core/molecule.hpp"

namespace townd {
namespace {

/// One of the reference's keys and the member that it is here (reference-behaviour §a.14).
template <class Row>
struct SystemKey {
  std::string_view key;
  bool (*read)(JsonReader& reader, const json::value& v, Row& row);
  void (*show)(const Row& row, std::string_view key, json::object& out);  ///< null: shown by hand
};

bool read_flag(JsonReader& reader, const json::value& v, bool& out) {
  if (const std::int64_t* number = v.if_int64(); number && (*number == 0 || *number == 1)) {
    out = *number == 1;
    return true;
  }
  return reader.read(v, out);
}

template <auto Member, class Row>
SystemKey<Row> key_for(std::string_view key) {
  SystemKey<Row> made{};
  made.key = key;
  made.read = [](JsonReader& reader, const json::value& v, Row& row) {
    auto& value = row.*Member;
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, bool>)
      return read_flag(reader, v, value);
    else
      return reader.read(v, value);
  };
  made.show = [](const Row& row, std::string_view name, json::object& out) {
    const auto& value = row.*Member;
    using Type = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Type, bool>) {
      if (value) out[name] = 1;
    } else {
      if (value != Type{}) out[name] = to_json(value);
    }
  };
  return made;
}
template <auto Member, class Row>
SystemKey<Row> hidden_key_for(std::string_view key) {
  SystemKey<Row> made = key_for<Member, Row>(key);
  made.show = nullptr;
  return made;
}

std::span<const SystemKey<Review>> review_keys() {
  static const std::array keys{
      key_for<&Review::source_bead_id, Review>("source_bead_id"),
      key_for<&Review::source_agent_id, Review>("source_agent_id"),
      key_for<&Review::pr_url, Review>("pr_url"),
      key_for<&Review::pr_head, Review>("head_sha"),
      key_for<&Review::last_poll_at, Review>("last_poll_at"),
      hidden_key_for<&Review::poll_transient_count, Review>("poll_transient_count"),
      hidden_key_for<&Review::poll_non_transient_count, Review>("poll_non_transient_count"),
      key_for<&Review::poll_error_kind, Review>("poll_error_kind"),
      key_for<&Review::auto_merge_pending, Review>("auto_merge_pending"),
      key_for<&Review::failure_reason, Review>("failureReason"),
      key_for<&Review::failure_kind, Review>("failureKind"),
      key_for<&Review::failure_message, Review>("failureMessage"),
      key_for<&Review::has_conflicts, Review>("has_conflicts"),
      key_for<&Review::conflicts_detected_at, Review>("conflicts_detected_at"),
      hidden_key_for<&Review::awaiting_approval, Review>("awaiting_approval"),
      key_for<&Review::awaiting_approval_observed_at, Review>("awaiting_approval_observed_at"),
      key_for<&Review::review_decision, Review>("review_decision"),
      key_for<&Review::merge_state_status, Review>("merge_state_status"),
  };
  return keys;
}

std::span<const SystemKey<Convoy>> convoy_keys() {
  static const std::array keys{
      key_for<&Convoy::feature_branch, Convoy>("feature_branch"),
      key_for<&Convoy::ready_to_land, Convoy>("ready_to_land"),
      key_for<&Convoy::failure_reason, Convoy>("failureReason"),
      key_for<&Convoy::failure_message, Convoy>("failureMessage"),
  };
  return keys;
}

std::span<const SystemKey<LoadedLanding>> landing_keys() {
  static const std::array keys{
      key_for<&LoadedLanding::attempts, LoadedLanding>("landing_mr_attempts"),
      key_for<&LoadedLanding::last_attempt_at, LoadedLanding>("last_landing_mr_attempt_at"),
  };
  return keys;
}

/// Which name stands for the request and the source depends on the kind of rework.
std::span<const SystemKey<Rework>> rework_keys() {
  static const std::array keys{
      hidden_key_for<&Rework::source, Rework>("rework_for"),
      hidden_key_for<&Rework::source, Rework>("source_bead_id"),
      hidden_key_for<&Rework::request, Rework>("mr_bead_id"),
      hidden_key_for<&Rework::request, Rework>("pr_feedback_for"),
      key_for<&Rework::branch, Rework>("branch"),
      key_for<&Rework::target_branch, Rework>("target_branch"),
      key_for<&Rework::pr_url, Rework>("pr_url"),
      key_for<&Rework::files, Rework>("files"),
      key_for<&Rework::has_conflicts, Rework>("has_conflicts"),
      key_for<&Rework::has_feedback, Rework>("has_feedback"),
      key_for<&Rework::conflict_target_branch, Rework>("conflict_target_branch"),
  };
  return keys;
}

std::span<const SystemKey<TriageRequest>> triage_keys() {
  static const std::array keys{
      key_for<&TriageRequest::triage_type, TriageRequest>("triage_type"),
      key_for<&TriageRequest::agent, TriageRequest>("agent_bead_id"),
      key_for<&TriageRequest::bead, TriageRequest>("hooked_bead_id"),
      key_for<&TriageRequest::options, TriageRequest>("options"),
      key_for<&TriageRequest::resolution_action, TriageRequest>("resolution_action"),
      key_for<&TriageRequest::resolution_notes, TriageRequest>("resolution_notes"),
      key_for<&TriageRequest::resolved_by, TriageRequest>("resolved_by"),
  };
  return keys;
}

std::span<const SystemKey<Escalation>> escalation_keys() {
  static const std::array keys{
      key_for<&Escalation::source, Escalation>("source_bead_id"),
      key_for<&Escalation::agent, Escalation>("source_agent_id"),
      key_for<&Escalation::convoy, Escalation>("convoy_id"),
      hidden_key_for<&Escalation::conflict, Escalation>("conflict"),
  };
  return keys;
}

/// What follows from dependencies and is shown, never read.
constexpr std::array<std::string_view, 3> kIssueDerived{"convoy_id", "feature_branch", "molecule_bead_id"};
constexpr std::string_view kMoleculeDerived = "source_bead_id";
constexpr std::array<std::string_view, 2> kRequestDerived{"convoy_id", "convoy_feature_branch"};
constexpr std::string_view kContext = "context";
constexpr std::string_view kReason = "reason";

template <class Row>
bool take(JsonReader& reader, json::object& metadata, std::span<const SystemKey<Row>> keys, Row& row, bool& taken) {
  for (const SystemKey<Row>& key : keys) {
    const json::value* value = metadata.if_contains(key.key);
    if (!value) continue;
    if (!key.read(reader, *value, row)) return reader.at(key.key);
    metadata.erase(key.key);
    taken = true;
  }
  return true;
}

template <class Row>
void show(const Row& row, std::span<const SystemKey<Row>> keys, json::object& out) {
  for (const SystemKey<Row>& key : keys)
    if (key.show) key.show(row, key.key, out);
}

template <class Row>
bool contains(std::span<const SystemKey<Row>> keys, std::string_view name) {
  for (const SystemKey<Row>& key : keys)
    if (key.key == name) return true;
  return false;
}

bool is_triage_request(const Bead& bead) { return has_label(bead, "gt:triage-request"); }

template <class Part>
bool take_detail(JsonReader& reader, json::object& metadata, std::span<const SystemKey<Part>> keys, Bead& bead) {
  Part part;
  bool taken = false;
  if (!take(reader, metadata, keys, part, taken)) return false;
  if constexpr (std::is_same_v<Part, TriageRequest>) {
    if (const json::value* context = metadata.if_contains(kContext); context && context->is_object()) {
      const json::value* reason = context->get_object().if_contains(kReason);
      if (reason && !reader.read(*reason, part.reason)) return reader.at(kReason) || reader.at(kContext);
      metadata.erase(kContext);
      taken = true;
    }
  }
  if (taken) bead.detail = std::make_shared<const BeadDetail>(std::move(part));
  return true;
}

void show_rework(const Rework& rework, const Bead& bead, json::object& out) {
  show(rework, rework_keys(), out);
  const bool is_rework = has_label(bead, "gt:rework");
  if (rework.request) out[has_label(bead, "gt:pr-feedback") ? "pr_feedback_for" : "mr_bead_id"] = rework.request.text;
  if (rework.source) out[is_rework ? "rework_for" : "source_bead_id"] = rework.source.text;
}

void show_detail(const Bead& bead, json::object& out) {
  if (const auto* rework = std::get_if<Rework>(bead.detail.get())) show_rework(*rework, bead, out);
  if (const auto* request = std::get_if<TriageRequest>(bead.detail.get())) {
    show(*request, triage_keys(), out);
    if (!request->reason.empty()) out[kContext] = {{kReason, request->reason}};
  }
  if (const auto* escalation = std::get_if<Escalation>(bead.detail.get())) {
    show(*escalation, escalation_keys(), out);
    if (escalation->conflict) out["conflict"] = true;
  }
}

void show_review(const Town& town, const Review& review, json::object& out) {
  show(review, review_keys(), out);
  if (review.poll_transient_count != 0 || review.poll_non_transient_count != 0) {
    out["poll_transient_count"] = review.poll_transient_count;
    out["poll_non_transient_count"] = review.poll_non_transient_count;
  }
  if (review.awaiting_approval || review.awaiting_approval_observed_at)
    out["awaiting_approval"] = review.awaiting_approval ? 1 : 0;
  if (const Convoy* convoy = convoy_of(town, review.source_bead_id)) {
    out["convoy_id"] = convoy->bead_id.text;
    if (!convoy->feature_branch.empty()) out["convoy_feature_branch"] = convoy->feature_branch;
  }
}

void show_convoy(const Convoy& convoy, json::object& out) {
  show(convoy, convoy_keys(), out);
  LoadedLanding landing;
  for (const LandingAttempts& rig : convoy.landings) {
    landing.attempts = std::max(landing.attempts, rig.attempts);
    landing.last_attempt_at = std::max(landing.last_attempt_at, rig.last_attempt_at);
  }
  show(landing, landing_keys(), out);
}

}  // namespace

bool take_system_keys(JsonReader& reader, Bead& bead, Review& review, Convoy& convoy, LoadedLanding& landing) {
  if (bead.metadata == "{}") return true;
  json::error_code error;
  json::value document = json::parse(bead.metadata, error);
  if (error || !document.is_object()) return reader.wrong("expected an object") || reader.at("metadata");
  json::object& metadata = document.get_object();
  bool taken = false;
  bool good = true;
  switch (bead.type) {
    case BeadType::merge_request:
      good = take(reader, metadata, review_keys(), review, taken);
      for (const std::string_view key : kRequestDerived) metadata.erase(key);
      break;
    case BeadType::convoy:
      good = take(reader, metadata, convoy_keys(), convoy, taken) &&
             take(reader, metadata, landing_keys(), landing, taken);
      break;
    case BeadType::issue:
      if (!bead.detail && rework_class(bead))
        good = take_detail(reader, metadata, rework_keys(), bead);
      else if (!bead.detail && is_triage_request(bead))
        good = take_detail(reader, metadata, triage_keys(), bead);
      for (const std::string_view key : kIssueDerived) metadata.erase(key);
      break;
    case BeadType::escalation:
      if (!bead.detail) good = take_detail(reader, metadata, escalation_keys(), bead);
      break;
    case BeadType::molecule:
      if (const json::value* source = metadata.if_contains(kMoleculeDerived); source && source->is_string()) {
        if (bead.parent_bead_id.empty()) bead.parent_bead_id = BeadId(source->get_string());
        metadata.erase(kMoleculeDerived);
      }
      break;
    case BeadType::message: break;
  }
  if (!good) return reader.at("metadata");
  bead.metadata = metadata.empty() ? "{}" : canonical_text(document);
  return true;
}

json::object shown_metadata(const Town& town, const Bead& bead) {
  json::object shown;
  if (bead.metadata != "{}") {
    json::error_code error;
    const json::value own = json::parse(bead.metadata, error);
    if (!error && own.is_object()) shown = own.get_object();
  }
  if (bead.detail) show_detail(bead, shown);
  if (const Review* review = town.review(bead.bead_id)) show_review(town, *review, shown);
  if (const Convoy* convoy = town.convoy(bead.bead_id)) show_convoy(*convoy, shown);
  if (bead.type == BeadType::issue) {
    if (const Convoy* convoy = convoy_of(town, bead.bead_id)) {
      shown["convoy_id"] = convoy->bead_id.text;
      if (!convoy->feature_branch.empty()) shown["feature_branch"] = convoy->feature_branch;
    }
    if (const BeadId molecule = molecule_of(town, bead.bead_id)) shown["molecule_bead_id"] = molecule.text;
  }
  if (bead.type == BeadType::molecule && bead.parent_bead_id) shown[kMoleculeDerived] = bead.parent_bead_id.text;
  return shown;
}

bool is_system_key(const Bead& bead, std::string_view key) {
  switch (bead.type) {
    case BeadType::merge_request:
      return contains(review_keys(), key) || key == kRequestDerived[0] || key == kRequestDerived[1];
    case BeadType::convoy: return contains(convoy_keys(), key) || contains(landing_keys(), key);
    case BeadType::issue:
      if (std::find(kIssueDerived.begin(), kIssueDerived.end(), key) != kIssueDerived.end()) return true;
      if (rework_class(bead)) return contains(rework_keys(), key);
      return is_triage_request(bead) && (contains(triage_keys(), key) || key == kContext);
    case BeadType::escalation: return contains(escalation_keys(), key);
    case BeadType::molecule: return key == kMoleculeDerived;
    case BeadType::message: return false;
  }
  return false;
}

}  // namespace townd
