#include "core/resync.hpp"

namespace townd {
namespace {

/// What was tried and did not apply is tried again after a second: expected, though it acts.
constexpr Duration kTriedAgain = seconds(1);

bool acts(const Town& town, Stage stage, const SubjectKey& subject, Instant now, bool* stop = nullptr) {
  for (const Rule& rule : rules_of(stage)) {
    if (town.refused_until(rule.id, subject) > now) continue;
    const Decision decision = rule.decide(town, subject, now);
    if (std::holds_alternative<Act>(decision)) return true;
    if (stop) *stop = stops_queue(decision);
  }
  return false;
}

/// The head of a queue, long enough for a slice.
bool queue_acts(const Town& town, Stage stage, const SubjectKey& rig, Instant now) {
  constexpr int kHead = 50;
  const RigIndex& index = town.index(RigId(rig.text));
  int seen = 0;
  bool stop = false;
  for (const ReadyKey& key : stage == Stage::work_queue ? index.ready : index.queue) {
    if (acts(town, stage, SubjectKey(key.bead_id.text), now, &stop)) return true;
    if (stop || ++seen == kHead) return false;
  }
  return false;
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
