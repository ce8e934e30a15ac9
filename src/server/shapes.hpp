#pragma once

#include <string_view>

#include "codec/json.hpp"
#include "core/assignment.hpp"
#include "core/town.hpp"
#include "engine/engine.hpp"

/// Rows as answers show them: the reference's names (reference-surface §a.10) and beside them what townd knows more.
/// Bodies and other long texts are held by hash in a town; `LateTexts` collects where they belong, and they are put in
/// once the engine's thread is left.
namespace townd {

class LateTexts {
 public:
  /// Notes that the text of `ref` belongs to the object's `key`, and puts null there for now.
  void want(json::object& object, std::string_view key, const TextRef& ref);
  [[nodiscard]] const std::vector<Hash128>& hashes() const { return hashes_; }
  /// Replaces each noted place in `value` by its text; one that is not in the book stays null.
  static void fill(json::value& value, const TextBook& book);

 private:
  std::vector<Hash128> hashes_;
};

/// `storage`: where it is kept; its values are moved only among objects that are kept in the same.
json::object bead_shape(const Town& town, const Bead& bead, const json::storage_ptr& storage = {});
/// With body, review, dependencies and convoys.
json::object bead_detail(const Town& town, const Bead& bead, LateTexts& texts);
json::object review_shape(const Town& town, const Review& review);
json::object agent_shape(const Agent& agent);
/// With checkpoint and run.
json::object agent_detail(const Town& town, const Agent& agent, LateTexts& texts);
json::object run_shape(const Run& run);
json::object rig_shape(const Rig& rig);
json::object convoy_shape(const Town& town, const Bead& bead, const Convoy& convoy);
/// With its beads and the edges between them.
json::object convoy_detail(const Town& town, const Bead& bead, const Convoy& convoy);
json::object nudge_shape(const Nudge& nudge);
json::object mail_shape(const Mail& mail, LateTexts& texts);
json::object town_shape(const Engine::View& view);
/// `upgraded`: what this townd would have decided otherwise, in words; empty when nothing.
json::object status_shape(const Engine::View& view, const std::string& upgraded);
json::object assignment_shape(const Assignment& assignment, LateTexts& texts);
/// The step as a bead, with its text and place.
json::object step_shape(const CurrentStep& step, LateTexts& texts);

}  // namespace townd
