#include "cli/scenario_given.hpp"

#include <array>
#include <span>

namespace townd::cli {
namespace {

struct ShortForm {
  std::string_view written;
  std::string_view meant;
};

constexpr std::array kBead{ShortForm{"id", "bead_id"}, ShortForm{"assignee", "assignee_agent_bead_id"},
                           ShortForm{"parent", "parent_bead_id"}};
constexpr std::array kAgent{ShortForm{"id", "agent_id"}, ShortForm{"hook", "current_hook_bead_id"}};
constexpr std::array kRig{ShortForm{"id", "rig_id"}};
constexpr std::array kDependency{ShortForm{"type", "dependency_type"}};
constexpr std::array kConvoy{ShortForm{"id", "bead_id"}};
constexpr std::array kNudge{ShortForm{"id", "nudge_id"}, ShortForm{"agent", "agent_id"}};
constexpr std::array kRun{ShortForm{"id", "run_id"}, ShortForm{"agent", "agent_id"}, ShortForm{"bead", "bead_id"}};
constexpr std::array kMail{ShortForm{"id", "mail_id"}, ShortForm{"from", "from_agent_id"},
                           ShortForm{"to", "to_agent_id"}};

/// What the scenarios keep with a convoy but belongs to its bead.
constexpr std::array<std::string_view, 7> kOfConvoyBead{"status",     "metadata",   "title",    "labels",
                                                        "created_at", "updated_at", "closed_at"};
/// Columns of the reference that nothing reads.
constexpr std::array<std::string_view, 2> kUnreadReviewKeys{"retry_count", "last_feedback_check_at"};

constexpr std::array<std::string_view, 10> kGiven{"beads",  "agents", "dependencies", "reviews", "convoys",
                                                  "events", "rigs",   "nudges",       "runs",    "mail"};

json::object spelled_out(const json::object& row, std::span<const ShortForm> forms) {
  json::object out;
  for (const auto& [key, value] : row) {
    std::string_view name = key;
    for (const ShortForm& form : forms)
      if (form.written == key) name = form.meant;
    out.emplace(name, value);
  }
  return out;
}

/// The snapshot that a scenario's `given` stands for, list by list.
class GivenReader {
 public:
  bool read(const json::object& given) {
    for (const auto& [key, value] : given) {
      if (std::find(kGiven.begin(), kGiven.end(), std::string_view(key)) == kGiven.end())
        return wrong(key, "unknown key; the nearest known one is \"" + std::string(nearest(key, kGiven)) + "\"");
      const json::array* list = value.if_array();
      if (!list) return wrong(key, "expected a list");
      for (const json::value& row : *list) {
        if (!row.is_object()) return wrong(key, "expected objects");
        if (!add(key, row.get_object())) return false;
      }
      if (list->empty()) snapshot_[key].emplace_array();
    }
    if (snapshot_.contains("rigs") && snapshot_["rigs"].get_array().empty()) snapshot_.erase("rigs");
    return true;
  }

  json::object snapshot_;
  std::string why_;

 private:
  bool wrong(std::string_view key, const std::string& message) {
    why_ = "given." + std::string(key) + ": " + message;
    return false;
  }

  json::array& list(std::string_view key) {
    json::value& value = snapshot_[key];
    return value.is_array() ? value.get_array() : value.emplace_array();
  }

  bool add(std::string_view key, const json::object& row) {
    if (key == "beads") list(key).push_back(spelled_out(row, kBead));
    if (key == "agents") add_agent(row);
    if (key == "rigs") list(key).push_back(spelled_out(row, kRig));
    if (key == "dependencies") list(key).push_back(spelled_out(row, kDependency));
    if (key == "runs") list(key).push_back(spelled_out(row, kRun));
    if (key == "mail") list(key).push_back(spelled_out(row, kMail));
    if (key == "reviews") add_review(row);
    if (key == "nudges") add_nudge(row);
    if (key == "events") add_event(row);
    return key != "convoys" || add_convoy(row);
  }

  /// A checkpoint is any JSON; the town keeps its text.
  void add_agent(const json::object& row) {
    json::object agent = spelled_out(row, kAgent);
    if (json::value* checkpoint = agent.if_contains("checkpoint"); checkpoint && checkpoint->is_object())
      *checkpoint = canonical_text(*checkpoint);
    list("agents").push_back(std::move(agent));
  }

  void add_review(const json::object& row) {
    json::object review = row;
    for (const std::string_view key : kUnreadReviewKeys) review.erase(key);
    list("reviews").push_back(std::move(review));
  }

  void add_nudge(const json::object& row) {
    json::object nudge = spelled_out(row, kNudge);
    json::array& nudges = list("nudges");
    if (!nudge.contains("nudge_id")) nudge["nudge_id"] = "nudge-" + std::to_string(nudges.size() + 1);
    nudges.push_back(std::move(nudge));
  }

  void add_event(const json::object& row) {
    json::object event = row;
    const json::value* processed = event.if_contains("processed_at");
    const bool pending = !processed || processed->is_null();
    event.erase("processed_at");
    json::array& events = list("events");
    if (pending) events.push_back(std::move(event));
  }

  bool add_convoy(const json::object& row) {
    json::object convoy = spelled_out(row, kConvoy);
    json::object bead;
    if (!convoy.contains("bead_id")) return wrong("convoys", "a convoy has no id");
    bead["bead_id"] = convoy.at("bead_id");
    bead["type"] = "convoy";
    bead["rig_id"] = nullptr;
    for (const std::string_view key : kOfConvoyBead) {
      const json::value* value = convoy.if_contains(key);
      if (!value) continue;
      bead[key] = *value;
      convoy.erase(key);
    }
    if (json::value* staged = convoy.if_contains("staged"); staged && staged->is_int64()) {
      if (staged->get_int64() != 0 && staged->get_int64() != 1) return wrong("convoys", "staged is neither 0 nor 1");
      *staged = staged->get_int64() == 1;
    }
    list("beads").push_back(std::move(bead));
    list("convoys").push_back(std::move(convoy));
    return true;
  }
};

}  // namespace

expected<Snapshot> given_town(const json::object& scenario) {
  GivenReader given;
  if (const json::value* lists = scenario.if_contains("given")) {
    if (!lists->is_object()) return fail(Error::Code::invalid, "given: expected an object");
    if (!given.read(lists->get_object())) return fail(Error::Code::invalid, given.why_);
  }
  json::object town{{"id", "town-1"}, {"name", "town"}, {"prefix", "tn"}};
  for (const std::string_view key : {"now", "draining", "config"})
    if (const json::value* value = scenario.if_contains(key)) town[key] = *value;
  given.snapshot_["format"] = "town-snapshot/1";
  given.snapshot_["town"] = std::move(town);
  return snapshot_from_json(std::move(given.snapshot_));
}

}  // namespace townd::cli
