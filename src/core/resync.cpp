#include "core/resync.hpp"

#include <algorithm>

namespace townd {
namespace {

/// What was tried and did not apply is tried again after a second: expected, though it acts.
constexpr Duration kTriedAgain = seconds(1);

bool acts(const Town& town, Stage stage, const SubjectKey& subject, Instant now) {
  const auto rules = rules_of(stage);
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
    return town.refused_until(rule.id, subject) <= now && std::holds_alternative<Act>(rule.decide(town, subject, now));
  });
}

/// The head of a queue stands for it: what keeps the head waiting keeps the rest, but for its own pause or blockers.
bool queue_acts(const Town& town, Stage stage, const SubjectKey& rig, Instant now) {
  constexpr int kHead = 20;
  const RigIndex& index = town.index(RigId(rig.text));
  const auto& queue = stage == Stage::work_queue ? index.ready : index.queue;
  int seen = 0;
  return std::any_of(queue.begin(), queue.end(), [&](const ReadyKey& key) {
    return seen++ < kHead && acts(town, stage, SubjectKey(key.bead_id.text), now);
  });
}

}  // namespace

bool Resync::look(const Town& town, Instant now, std::size_t rows, std::vector<Missed>& missed) {
  for (auto& [stage, subject] : town.some_subjects(place_, rows)) {
    if (town.agenda().expects(stage, subject, now + kTriedAgain)) continue;
    const bool queue = stage == Stage::work_queue || stage == Stage::merge_queue;
    if (queue ? queue_acts(town, stage, subject, now) : acts(town, stage, subject, now))
      missed.push_back({stage, std::move(subject)});
  }
  return place_ == 0;
}

}  // namespace townd
