#include "core/resync.hpp"

#include "core/invariant.hpp"

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

/// The rows that a subject is made of; a subject comes once for each of its stages, one after the other.
void add_rows(const Town& town, const SubjectKey& subject, std::vector<RowKey>& rows) {
  const std::string id(subject.text);
  if (!rows.empty() && rows.back().key == id) return;
  if (town.bead(BeadId(id)))
    rows.insert(rows.end(), {{RowKey::Table::bead, id}, {RowKey::Table::convoy, id}});
  else if (town.agent(AgentId(id)))
    rows.push_back({RowKey::Table::agent, id});
}

}  // namespace

bool Resync::look(const Town& town, Instant now, std::size_t rows, Found& found) {
  std::vector<RowKey> checked;
  for (auto& [stage, subject] : town.some_subjects(place_, rows)) {
    add_rows(town, subject, checked);
    if (town.agenda().expects(stage, subject, now + kTriedAgain)) continue;
    const bool queue = stage == Stage::work_queue || stage == Stage::merge_queue;
    if (queue ? queue_acts(town, stage, subject, now) : acts(town, stage, subject, now))
      found.missed.push_back({stage, std::move(subject)});
  }
  for (Violation& violation : check_rows(town, checked)) found.broken.push_back(std::move(violation));
  return place_ == 0;
}

}  // namespace townd
