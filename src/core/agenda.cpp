#include "core/agenda.hpp"

#include <algorithm>

namespace townd {

std::string_view to_string(Stage stage) {
  constexpr std::array<std::string_view, kStages> names = {
      "agents",     "issues",      "hooked_agents", "work_queue",  "town",      "requests",
      "refineries", "merge_queue", "convoys",       "gupp",        "gc_agents", "gc_beads",
      "mayor",      "messages",    "triage",        "escalations", "molecules"};
  return names[static_cast<std::size_t>(stage)];
}

std::string_view to_string(Edge edge) {
  constexpr std::array<std::string_view, kEdges> names = {
      "self",         "blocked",  "request",    "source",    "source_blocked", "convoy", "source_convoy", "tracked",
      "hooked_agent", "hook",     "child",      "parent",    "blocker",        "batch",  "work_queue",    "merge_queue",
      "run_agent",    "run_bead", "run_triage", "recipient", "message",        "gate",   "everything"};
  return names[static_cast<std::size_t>(edge)];
}

void Agenda::touch(Stage stage, const SubjectKey& subject, Edge edge) {
  ++touches_[static_cast<std::size_t>(edge)];
  auto& touched = touched_[static_cast<std::size_t>(stage)];
  touched.insert(touched.end(), subject);  // subjects often come in order: then it costs one comparison
}

void Agenda::wait(Stage stage, const SubjectKey& subject, Instant until) {
  auto& due = due_[static_cast<std::size_t>(stage)];
  if (until == kNever) {
    due.erase(subject);
    return;
  }
  auto& slot = due.insert(subject);
  if (slot.row == until) return;
  slot.row = until;
  heap_.push_back({until, stage, subject});
  std::push_heap(heap_.begin(), heap_.end(), later);
  // An outdated entry goes when its moment comes, which may be days away: before that when there are many.
  constexpr std::size_t kSlack = 1024;
  std::size_t waiting = 0;
  for (const auto& of_stage : due_) waiting += of_stage.size();
  if (heap_.size() <= kSlack + 2 * waiting) return;
  std::erase_if(heap_, [this](const Due& entry) { return !current(entry); });
  std::make_heap(heap_.begin(), heap_.end(), later);
}

void Agenda::forget(Stage stage, const SubjectKey& subject) {
  due_[static_cast<std::size_t>(stage)].erase(subject);
  touched_[static_cast<std::size_t>(stage)].erase(subject);
}

bool Agenda::expects(Stage stage, const SubjectKey& subject, Instant by) const {
  const auto index = static_cast<std::size_t>(stage);
  const Instant* due = due_[index].find(subject);
  return (due && *due <= by) || touched_[index].contains(subject);
}

bool Agenda::current(const Due& due) const {
  const Instant* at = due_[static_cast<std::size_t>(due.stage)].find(due.subject);
  return at && *at == due.at;
}

void Agenda::drop_outdated() {
  while (!heap_.empty() && !current(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
  }
}

void Agenda::wake(Instant now) {
  for (drop_outdated(); !heap_.empty() && heap_.front().at <= now; drop_outdated()) {
    const Due due = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
    due_[static_cast<std::size_t>(due.stage)].erase(due.subject);
    touched_[static_cast<std::size_t>(due.stage)].insert(due.subject);
  }
}

bool Agenda::take_next(Stage stage, const SubjectKey* after, SubjectKey& taken) {
  auto& touched = touched_[static_cast<std::size_t>(stage)];
  const auto next = after ? touched.upper_bound(*after) : touched.begin();
  if (next == touched.end()) return false;
  taken = *next;
  touched.erase(next);
  if (remembering_) looked_.emplace_back(stage, taken);
  return true;
}

void Agenda::remember_looked() { remembering_ = true; }

void Agenda::restore_looked() {
  remembering_ = false;
  for (const auto& [stage, subject] : looked_) touched_[static_cast<std::size_t>(stage)].insert(subject);
  looked_.clear();
}

bool Agenda::anything_touched() const {
  return std::any_of(touched_.begin(), touched_.end(), [](const auto& stage) { return !stage.empty(); });
}

Instant Agenda::next_due() {
  drop_outdated();
  return heap_.empty() ? kNever : heap_.front().at;
}

}  // namespace townd
