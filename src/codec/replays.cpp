#include "codec/replays.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "codec/actions.hpp"
#include "codec/config.hpp"
#include "codec/describe_rows.hpp"
#include "codec/describe_ticks.hpp"
#include "codec/ticks.hpp"
#include "codec/time_text.hpp"

namespace townd {
namespace {

/// One object for each action, with the rule that decided it; of one that was not applied also why.
void add_actions(json::array& list, std::int64_t tick, Instant at, const std::vector<Decided>& decisions) {
  for (const Decided& decided : decisions)
    for (const ActionBody& body : decided.actions) {
      json::object action = decided_action_json(decided, body);
      if (tick > 0) action.emplace("tick", tick);
      action.emplace("at", to_text(at));
      if (decided.fate != ActionFate::applied) action.emplace("skipped", decided.why);
      list.push_back(std::move(action));
    }
}

json::array actions_of(Instant at, const std::vector<Decided>& decisions) {
  json::array list;
  add_actions(list, 0, at, decisions);
  return list;
}

json::object agent_shape(const Agent& agent) {
  return {{"agent_id", agent.agent_id.text},
          {"name", agent.name},
          {"role", to_string(agent.role)},
          {"status", to_string(agent.status)},
          {"current_hook_bead_id", agent.current_hook_bead_id.text}};
}

json::object bead_shape(const Bead& bead) {
  return {{"bead_id", bead.bead_id.text},
          {"type", to_string(bead.type)},
          {"status", to_string(bead.status)},
          {"title", bead.title},
          {"assignee_agent_bead_id", bead.assignee_agent_bead_id.text}};
}

json::object state_shape(const Town& town) {
  json::array agents, beads;
  for (const AgentId& id : town.agent_ids()) agents.push_back(agent_shape(*town.agent(id)));
  for (const BeadId& id : town.bead_ids())
    if (const Bead& bead = *town.bead(id); !terminal(bead.status)) beads.push_back(bead_shape(bead));
  return {{"agents", std::move(agents)}, {"nonTerminalBeads", std::move(beads)}};
}

/// The two sides of a tick that is not what was recorded.
json::object difference_shape(const Difference& difference) {
  const JsonWriter writer(Blanks::omit);
  return {{"tick", difference.recorded.number},
          {"at", to_text(difference.recorded.at)},
          {"what", difference.what},
          {"recorded", writer.write(difference.recorded)},
          {"replayed", writer.write(difference.replayed)}};
}

std::map<std::string, std::string> statuses(const Town& town) {
  std::map<std::string, std::string> all;
  for (const BeadId& id : town.bead_ids()) all[id.text] = to_string(town.bead(id)->status);
  for (const AgentId& id : town.agent_ids()) all[id.text] = to_string(town.agent(id)->status);
  return all;
}

/// Beads and agents whose status is not the same in both; null where there is none of this id.
json::array ends_apart(const Town& as_it_was, const Town& instead) {
  std::map<std::string, std::pair<json::value, json::value>> both;
  for (auto& [id, status] : statuses(as_it_was)) both[id].first = json::string(status);
  for (auto& [id, status] : statuses(instead)) both[id].second = json::string(status);
  json::array list;
  for (auto& [id, pair] : both)
    if (pair.first != pair.second) list.push_back({{"id", id}, {"as_it_was", pair.first}, {"instead", pair.second}});
  return list;
}

json::array events_json(const std::vector<Event>& events) {
  const JsonWriter writer(Blanks::null);
  json::array list;
  for (const Event& event : events) list.push_back(writer.write(event));
  return list;
}

}  // namespace

expected<Variation> variation_of(const WhatIf& what_if, const TownConfig& config) {
  Variation variation;
  variation.dropped.insert(what_if.dropped.begin(), what_if.dropped.end());
  std::vector<std::string_view> known;
  for (const Rule& rule : rules()) known.push_back(rule.id);
  for (const std::string& id : what_if.without_rules) {
    if (std::find(known.begin(), known.end(), id) == known.end())
      return fail(Error::Code::invalid, "there is no rule " + id, "the nearest is " + std::string(nearest(id, known)));
    variation.without_rules.push_back(id);
  }
  if (what_if.set.empty()) return variation;
  TownConfig tried = config;
  JsonReader reader;
  if (!read_settings(reader, what_if.set, tried))
    return fail(Error::Code::invalid, "set" + reader.issue.path + ": " + reader.issue.message,
                "town config list shows every key");
  variation.change = [set = what_if.set](Town& town) {
    TownRow row = town.row();
    JsonReader again;
    read_settings(again, set, row.config);
    town.put(std::move(row));
  };
  return variation;
}

json::object rerun_json(const Rerun& rerun, const Window& window, const std::vector<Event>& pending) {
  json::array actions;
  for (const DecidedTick& tick : rerun.decided) add_actions(actions, tick.number, tick.at, tick.decisions);
  Town town = rerun.town;
  json::object shape{{"from", to_text(window.from)},
                     {"to", to_text(window.to)},
                     {"after_tick", rerun.from_tick},
                     {"ticks", rerun.ticks},
                     {"events", rerun.events},
                     {"eventsReplayed", rerun.events},
                     {"matches", !rerun.first_difference},
                     {"actions", std::move(actions)},
                     {"left_out", rerun.left_out.decided}};
  if (rerun.first_difference) shape["first_difference"] = difference_shape(*rerun.first_difference);
  json::array next;
  for (const auto& [at, tick] : dry_run(town, {window.to, {}, {}, {}}, window.to))
    add_actions(next, 0, at, tick.decisions);
  shape["nextActions"] = std::move(next);
  shape["pending"] = events_json(pending);
  shape["state"] = state_shape(rerun.town);
  shape["stateSnapshot"] = shape.at("state");
  if (rerun.instead) {
    json::array differing;
    for (const DifferingTick& tick : rerun.differing)
      differing.push_back({{"tick", tick.number > 0 ? json::value(tick.number) : json::value(nullptr)},
                           {"at", to_text(tick.at)},
                           {"as_it_was", actions_of(tick.at, tick.as_it_was)},
                           {"instead", actions_of(tick.at, tick.instead)}});
    shape["endless"] = rerun.endless;
    shape["not_dropped"] = json::value_from(rerun.not_dropped);
    shape["differing"] = std::move(differing);
    shape["differing_left_out"] = rerun.left_out.differing;
    shape["ends_apart"] = ends_apart(rerun.town, *rerun.instead);
    shape["state_instead"] = state_shape(*rerun.instead);
  }
  return shape;
}

// ---- between two moments -----------------------------------------------------------------------------------------

namespace {

using Shapes = std::map<std::pair<std::string, std::string>, json::object>;  // by kind and id

template <class Row>
void add_row(Shapes& shapes, const char* kind, const std::string& id, const Row& row) {
  shapes[{kind, id}] = JsonWriter(Blanks::null).write(row).as_object();
}

Shapes shapes_of(const Town& town) {
  Shapes shapes;
  const TownImage image = image_of(town);
  for (const Rig& row : image.rigs) add_row(shapes, "rig", row.rig_id.text, row);
  for (const Bead& row : image.beads) add_row(shapes, "bead", row.bead_id.text, row);
  for (const Agent& row : image.agents) add_row(shapes, "agent", row.agent_id.text, row);
  for (const Run& row : image.runs) add_row(shapes, "run", row.run_id.text, row);
  for (const Review& row : image.reviews) add_row(shapes, "review", row.bead_id.text, row);
  for (const Convoy& row : image.convoys) add_row(shapes, "convoy", row.bead_id.text, row);
  add_row(shapes, "town", image.town.town_id.text, image.town);
  return shapes;
}

/// The members of `row` that `other` has not, or has otherwise.
json::object members_apart(const json::object& row, const json::object& other) {
  json::object apart;
  for (const auto& [name, value] : row) {
    const json::value* same = other.if_contains(name);
    if (same == nullptr || *same != value) apart.emplace(name, value);
  }
  return apart;
}

json::array doers(const Rerun& rerun, const std::string& id) {
  json::array list;
  for (const auto& [tick, row] : rerun.history)
    if (row.bead_id.text == id || row.agent_id.text == id)
      list.push_back({{"tick", tick},
                      {"at", to_text(row.at)},
                      {"what", row.event_type},
                      {"before", row.old_value},
                      {"after", row.new_value},
                      {"rule", row.rule}});
  return list;
}

}  // namespace

json::object changes_json(const Rerun& rerun, const Window& window) {
  const Shapes before = shapes_of(rerun.before);
  const Shapes after = shapes_of(rerun.town);
  const json::object none;
  json::array changed;
  const auto tell = [&](const Shapes::key_type& key, const json::object& then, const json::object& now) {
    if (then == now) return;
    json::object row{{"kind", key.first}, {"id", key.second}};
    row["before"] = then.empty() ? json::value(nullptr) : json::value(members_apart(then, now));
    row["after"] = now.empty() ? json::value(nullptr) : json::value(members_apart(now, then));
    row["by"] = doers(rerun, key.second);
    changed.push_back(std::move(row));
  };
  for (const auto& [key, row] : before) {
    const auto found = after.find(key);
    tell(key, row, found == after.end() ? none : found->second);
  }
  for (const auto& [key, row] : after)
    if (!before.contains(key)) tell(key, none, row);
  return {{"from", to_text(window.from)},
          {"to", to_text(window.to)},
          {"changed", std::move(changed)},
          {"doers_left_out", rerun.left_out.history}};
}

}  // namespace townd
