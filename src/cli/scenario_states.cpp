#include <array>

#include "cli/scenario_play.hpp"
#include "codec/describe_rows.hpp"
#include "codec/metadata.hpp"

namespace townd::cli {
namespace {

using Why = std::optional<std::string>;

constexpr std::array<std::string_view, 12> kStates{"beads",
                                                   "agents",
                                                   "reviews",
                                                   "convoys",
                                                   "nudges",
                                                   "agents_created",
                                                   "agents_deleted",
                                                   "beads_created",
                                                   "agents_created_count",
                                                   "beads_created_count",
                                                   "deps_created",
                                                   "events_pending"};

json::object view_of(const Review& review) { return to_json(review).get_object(); }

json::object view_of(const Agent& agent) {
  json::object view = to_json(agent).get_object();
  view["id"] = view.at("agent_id");
  view["hook"] = view.at("current_hook_bead_id");
  return view;
}

json::object view_of(const Town& town, const Bead& bead) {
  json::object view = to_json(bead).get_object();
  view["id"] = view.at("bead_id");
  view["assignee"] = view.at("assignee_agent_bead_id");
  view["parent"] = view.at("parent_bead_id");
  view["metadata"] = shown_metadata(town, bead);
  if (const Review* review = town.review(bead.bead_id)) view["review"] = view_of(*review);
  return view;
}

json::object view_of(const Town& town, const Convoy& convoy) {
  json::object view = to_json(convoy).get_object();
  view["id"] = view.at("bead_id");
  view["staged"] = convoy.staged ? 1 : 0;
  if (const Bead* bead = town.bead(convoy.bead_id)) {
    view["status"] = enum_name(bead->status);
    view["metadata"] = shown_metadata(town, *bead);
  }
  return view;
}

/// What `expect.states` can name, as it is after the last operation.
class States {
 public:
  explicit States(const Played& played) : played_(played), town_(played.town()) {}

  [[nodiscard]] json::value named(std::string_view key) const {
    if (key == "agents_created") return agents_created();
    if (key == "agents_created_count") return agents_created().size();
    if (key == "agents_deleted") return agents_deleted();
    if (key == "beads_created") return beads_created();
    if (key == "beads_created_count") return beads_created().size();
    if (key == "deps_created") return dependencies_created();
    if (key == "events_pending") return played_.pending_events();
    return nullptr;
  }

  /// The row of `kind` with this id; none when it does not exist.
  [[nodiscard]] std::optional<json::object> row(std::string_view kind, std::string_view id) const {
    if (kind == "beads")
      if (const Bead* bead = town_.bead(BeadId(id))) return view_of(town_, *bead);
    if (kind == "agents")
      if (const Agent* agent = town_.agent(AgentId(id))) return view_of(*agent);
    if (kind == "reviews")
      if (const Review* review = town_.review(BeadId(id))) return view_of(*review);
    if (kind == "convoys")
      if (const Convoy* convoy = town_.convoy(BeadId(id))) return view_of(town_, *convoy);
    if (kind == "nudges" && town_.agent(AgentId(id))) return nudges_of(AgentId(id));
    return std::nullopt;
  }

 private:
  [[nodiscard]] json::array agents_created() const {
    json::array made;
    for (const AgentId& id : town_.agent_ids()) {
      const auto was_there = [&](const Agent& agent) { return agent.agent_id == id; };
      const auto& before = played_.before().agents;
      if (std::none_of(before.begin(), before.end(), was_there)) made.push_back(view_of(*town_.agent(id)));
    }
    return made;
  }
  [[nodiscard]] json::array agents_deleted() const {
    json::array gone;
    for (const Agent& agent : played_.before().agents)
      if (!town_.agent(agent.agent_id)) gone.push_back(json::value(agent.agent_id.text));
    return gone;
  }
  [[nodiscard]] json::array beads_created() const {
    json::array made;
    for (const auto& [id, type] : played_.new_beads()) made.push_back(view_of(town_, *town_.bead(BeadId(id))));
    return made;
  }
  [[nodiscard]] json::array dependencies_created() const {
    json::array made;
    const auto& before = played_.before().dependencies;
    for (const Dependency& edge : town_.dependencies()) {
      if (std::find(before.begin(), before.end(), edge) != before.end()) continue;
      made.push_back(json::object{{"bead_id", edge.bead_id.text},
                                  {"depends_on", edge.depends_on_bead_id.text},
                                  {"type", enum_name(edge.kind)}});
    }
    return made;
  }
  /// How many nudges of each source the agent has.
  [[nodiscard]] json::object nudges_of(const AgentId& agent) const {
    json::object counts;
    for (const MessageId& id : town_.nudge_ids()) {
      const Nudge& nudge = *town_.nudge(id);
      if (nudge.agent_id != agent) continue;
      const json::value* before = counts.if_contains(nudge.source);
      counts[nudge.source] = (before ? before->get_int64() : 0) + 1;
    }
    return counts;
  }

  const Played& played_;
  const Town& town_;
};

bool by_id(std::string_view key) {
  return key == "beads" || key == "agents" || key == "reviews" || key == "convoys" || key == "nudges";
}

Why compare_rows(std::string_view kind, const json::value& expected, const States& states, const Matcher& matcher) {
  if (!expected.is_object()) return "states." + std::string(kind) + ": expected an object";
  for (const auto& [id, row] : expected.get_object()) {
    const std::string path = std::string(kind) + "." + std::string(id);
    const auto actual = states.row(kind, id);
    if (!actual) return path + ": expected " + shown(row) + ", got nothing";
    if (auto why = matcher.mismatch(row, *actual, path)) return why;
  }
  return std::nullopt;
}

}  // namespace

Why compare_states(const json::object& expected, const Played& played, const Matcher& matcher) {
  const States states(played);
  for (const auto& [key, value] : expected) {
    if (std::find(kStates.begin(), kStates.end(), std::string_view(key)) == kStates.end())
      return "states." + std::string(key) + ": unknown key; the nearest known one is \"" +
             std::string(nearest(key, kStates)) + "\"";
    const Why why = by_id(key) ? compare_rows(key, value, states, matcher)
                               : matcher.mismatch(value, states.named(key), std::string(key));
    if (why) return why;
  }
  return std::nullopt;
}

}  // namespace townd::cli
