#include "core/town.hpp"

#include <algorithm>
#include <type_traits>

#include "core/encode.hpp"

namespace townd {
namespace {

constexpr char kSeparator = '\x1f';

std::string key_of(const Dependency& dependency) {
  return dependency.bead_id.text + kSeparator + dependency.depends_on_bead_id.text + kSeparator +
         (dependency.kind == DependencyKind::blocks ? "blocks" : "tracks");
}

template <class T, class Item>
void insert_sorted(std::vector<T>& items, const Item& item) {
  const auto place = std::lower_bound(items.begin(), items.end(), item);
  if (place == items.end() || *place != item) items.insert(place, item);
}

template <class T, class Item>
void remove_sorted(std::vector<T>& items, const Item& item) {
  const auto place = std::lower_bound(items.begin(), items.end(), item);
  if (place != items.end() && *place == item) items.erase(place);
}

}  // namespace

Town::Town(TownRow row) : row_(std::move(row)) {}

// ---- reading -----------------------------------------------------------------------------------------------------

bool Town::has(const Dependency& dependency) const {
  const BeadLinks& out = links(dependency.bead_id);
  const auto& list = dependency.kind == DependencyKind::blocks ? out.blockers : out.tracks;
  return std::binary_search(list.begin(), list.end(), dependency.depends_on_bead_id);
}

std::vector<Dependency> Town::dependencies() const {
  std::vector<Dependency> all;
  links_.for_each([&](const auto& slot) {
    for (const BeadId& to : slot.row.blockers) all.push_back({slot.id, to, DependencyKind::blocks});
    for (const BeadId& to : slot.row.tracks) all.push_back({slot.id, to, DependencyKind::tracks});
  });
  std::sort(all.begin(), all.end());
  return all;
}

const BeadLinks& Town::links(const BeadId& id) const {
  static const BeadLinks none;
  const BeadLinks* found = links_.find(id);
  return found ? *found : none;
}

const RigIndex& Town::index(const RigId& id) const {
  static const RigIndex none;
  const RigIndex* found = indexes_.find(id);
  return found ? *found : none;
}

const std::set<MessageId>& Town::undelivered(const AgentId& id) const {
  static const std::set<MessageId> none;
  const auto* found = undelivered_.find(id);
  return found ? *found : none;
}

const std::set<BeadId>& Town::assigned(const AgentId& id) const {
  static const std::set<BeadId> none;
  const auto* found = assigned_.find(id);
  return found ? *found : none;
}

const std::set<BeadId>& Town::triage_about(const AgentId& id) const {
  static const std::set<BeadId> none;
  const auto* found = triage_about_.find(id);
  return found ? *found : none;
}

MaybeInstant Town::last_nudged(const AgentId& id, const std::string& source) const {
  const auto* times = nudged_.find(id);
  if (!times) return std::nullopt;
  auto after = times->lower_bound({source, kNever, MessageId{}});
  if (after == times->begin()) return std::nullopt;
  --after;
  if (std::get<0>(*after) != source) return std::nullopt;
  return std::get<1>(*after);
}

// ---- writing -----------------------------------------------------------------------------------------------------

template <class Row, class IdType>
void Town::write(Table<Row, IdType>& table, RowKey::Table kind, const IdType& id, std::type_identity_t<Row>* row) {
  auto* slot = table.find_slot(id);
  if (!slot && !row) return;
  Old<Row> old;
  if (slot) old = std::make_shared<Row>(std::move(slot->row));
  if (row) {
    if (!slot) slot = &table.insert(id);
    slot->row = std::move(*row);
    if (!slot->dirty) {
      slot->dirty = true;
      dirty_.push_back({kind, id.text});
    }
    changed(old.get(), &slot->row);
  } else {
    digest_ -= slot->hash;
    table.erase(id);
    changed(old.get(), nullptr);
  }
  undo_.push_back(Undo<Row, IdType>{id, std::move(old)});
}

template <class Row, class IdType>
void Town::restore(Table<Row, IdType>& table, RowKey::Table kind, const Undo<Row, IdType>& undo) {
  if (!undo.old) return write(table, kind, undo.key, nullptr);
  Row old = *undo.old;
  write(table, kind, undo.key, &old);
}

void Town::put(Rig row) {
  const RigId id = row.rig_id;
  write(rigs_, RowKey::Table::rig, id, &row);
}
void Town::put(Bead row) {
  const BeadId id = row.bead_id;
  write(beads_, RowKey::Table::bead, id, &row);
}
void Town::put(Agent row) {
  const AgentId id = row.agent_id;
  write(agents_, RowKey::Table::agent, id, &row);
}
void Town::put(Run row) {
  const RunId id = row.run_id;
  write(runs_, RowKey::Table::run, id, &row);
}
void Town::put(Review row) {
  const BeadId id = row.bead_id;
  write(reviews_, RowKey::Table::review, id, &row);
}
void Town::put(Convoy row) {
  const BeadId id = row.bead_id;
  write(convoys_, RowKey::Table::convoy, id, &row);
}
void Town::put(Nudge row) {
  const MessageId id = row.nudge_id;
  write(nudges_, RowKey::Table::nudge, id, &row);
}
void Town::put(Mail row) {
  const MessageId id = row.mail_id;
  write(mail_, RowKey::Table::mail, id, &row);
}
void Town::put(const Dependency& dependency) {
  if (!has(dependency)) write(dependency, true);
}
void Town::put(DeferredEvent deferred) {
  const std::int64_t seq = deferred.event->seq;
  write(seq, std::move(deferred));
}
void Town::put(TownRow row) { write(std::move(row)); }

void Town::erase(const BeadId& id) {
  const BeadLinks around = links(id);  // erasing edges changes them
  for (const BeadId& to : around.blockers) erase(Dependency{id, to, DependencyKind::blocks});
  for (const BeadId& to : around.tracks) erase(Dependency{id, to, DependencyKind::tracks});
  for (const BeadId& from : around.blocked) erase(Dependency{from, id, DependencyKind::blocks});
  for (const BeadId& from : around.tracked_by) erase(Dependency{from, id, DependencyKind::tracks});
  for (const RunId& run : around.runs) erase(run);
  write(reviews_, RowKey::Table::review, id, nullptr);
  write(convoys_, RowKey::Table::convoy, id, nullptr);
  write(beads_, RowKey::Table::bead, id, nullptr);
}
void Town::erase(const AgentId& id) { write(agents_, RowKey::Table::agent, id, nullptr); }
void Town::erase(const RunId& id) { write(runs_, RowKey::Table::run, id, nullptr); }
void Town::erase(const Dependency& dependency) {
  if (has(dependency)) write(dependency, false);
}
void Town::erase_message(const MessageId& id) {
  write(nudges_, RowKey::Table::nudge, id, nullptr);
  write(mail_, RowKey::Table::mail, id, nullptr);
}
void Town::erase_deferred(std::int64_t seq) {
  if (deferred_.contains(seq)) write(seq, std::nullopt);
}

void Town::write(TownRow row) {
  TownRow old = std::exchange(row_, std::move(row));
  town_dirty_ = true;
  const bool resettled = old.config.version != row_.config.version;
  config_dirty_ = config_dirty_ || resettled;
  if (old.config.constants.ageing != row_.config.constants.ageing)
    for (const BeadId& bead : beads_.ids()) refile(bead);
  if (resettled || old.draining_since != row_.draining_since || old.paused != row_.paused ||
      old.observed_since != row_.observed_since || old.node.runtime_reachable != row_.node.runtime_reachable) {
    touch_everything();
  } else if (old.node != row_.node || old.breaker != row_.breaker) {
    touch_gate(RigId{});
  }
  touch_town(Edge::self);
  undo_.push_back(UndoTown{std::make_shared<TownRow>(std::move(old))});
}

void Town::write(const Dependency& dependency, bool exists) {
  link(dependency, exists);
  const Hash128 hash = siphash128(encode(dependency));
  if (exists)
    digest_ += hash;
  else
    digest_ -= hash;
  undo_.push_back(UndoDependency{dependency, !exists});
}

void Town::write(std::int64_t seq, std::optional<DeferredEvent> row) {
  Old<DeferredEvent> old;
  if (const auto found = deferred_.find(seq); found != deferred_.end()) {
    digest_ -= siphash128(encode(found->second));
    old = std::make_shared<DeferredEvent>(std::move(found->second));
    deferred_.erase(found);
  }
  if (row) {
    digest_ += siphash128(encode(*row));
    deferred_.emplace(seq, std::move(*row));
  }
  undo_.push_back(Undo<DeferredEvent, std::int64_t>{seq, std::move(old)});
}

std::string Town::make_id() {
  undo_.push_back(UndoCounter{row_.next_id, row_.next_effect});
  town_dirty_ = true;
  return row_.prefix + "-" + std::to_string(row_.next_id++);
}

std::int64_t Town::make_effect_number() {
  undo_.push_back(UndoCounter{row_.next_id, row_.next_effect});
  town_dirty_ = true;
  return row_.next_effect++;
}

// ---- undo --------------------------------------------------------------------------------------------------------

void Town::rollback(Mark mark) {
  while (undo_.size() > mark) {
    UndoRecord record = std::move(undo_.back());
    undo_.pop_back();
    const std::size_t before = undo_.size();
    std::visit(
        [this]<class Record>(Record& undo) {
          if constexpr (std::is_same_v<Record, UndoTown>)
            write(TownRow(*undo.old));
          else if constexpr (std::is_same_v<Record, UndoCounter>)
            row_.next_id = undo.next_id, row_.next_effect = undo.next_effect, town_dirty_ = true;
          else if constexpr (std::is_same_v<Record, UndoRefusal>)
            refusals_[undo.key] = undo.old;
          else if constexpr (std::is_same_v<Record, UndoDependency>)
            write(undo.dependency, undo.existed);
          else if constexpr (std::is_same_v<Record, Undo<DeferredEvent, std::int64_t>>)
            write(undo.key, undo.old ? std::optional(*undo.old) : std::nullopt);
          else if constexpr (std::is_same_v<Record, Undo<Rig, RigId>>)
            restore(rigs_, RowKey::Table::rig, undo);
          else if constexpr (std::is_same_v<Record, Undo<Bead, BeadId>>)
            restore(beads_, RowKey::Table::bead, undo);
          else if constexpr (std::is_same_v<Record, Undo<Agent, AgentId>>)
            restore(agents_, RowKey::Table::agent, undo);
          else if constexpr (std::is_same_v<Record, Undo<Run, RunId>>)
            restore(runs_, RowKey::Table::run, undo);
          else if constexpr (std::is_same_v<Record, Undo<Review, BeadId>>)
            restore(reviews_, RowKey::Table::review, undo);
          else if constexpr (std::is_same_v<Record, Undo<Convoy, BeadId>>)
            restore(convoys_, RowKey::Table::convoy, undo);
          else if constexpr (std::is_same_v<Record, Undo<Nudge, MessageId>>)
            restore(nudges_, RowKey::Table::nudge, undo);
          else
            restore(mail_, RowKey::Table::mail, undo);
        },
        record);
    undo_.resize(before);
  }
}

std::vector<RowKey> Town::changed_since(Mark mark) const {
  std::vector<RowKey> keys;
  for (std::size_t i = mark; i < undo_.size(); ++i) {
    std::visit(
        [&keys]<class Record>(const Record& undo) {
          using T = RowKey::Table;
          if constexpr (std::is_same_v<Record, UndoTown> || std::is_same_v<Record, UndoCounter>)
            keys.push_back({T::town, ""});
          else if constexpr (std::is_same_v<Record, UndoRefusal>)
            return;  // not a row
          else if constexpr (std::is_same_v<Record, UndoDependency>)
            keys.push_back({T::dependency, key_of(undo.dependency)});
          else if constexpr (std::is_same_v<Record, Undo<DeferredEvent, std::int64_t>>)
            keys.push_back({T::deferred, std::to_string(undo.key)});
          else if constexpr (std::is_same_v<Record, Undo<Rig, RigId>>)
            keys.push_back({T::rig, undo.key.text});
          else if constexpr (std::is_same_v<Record, Undo<Bead, BeadId>>)
            keys.push_back({T::bead, undo.key.text});
          else if constexpr (std::is_same_v<Record, Undo<Agent, AgentId>>)
            keys.push_back({T::agent, undo.key.text});
          else if constexpr (std::is_same_v<Record, Undo<Run, RunId>>)
            keys.push_back({T::run, undo.key.text});
          else if constexpr (std::is_same_v<Record, Undo<Review, BeadId>>)
            keys.push_back({T::review, undo.key.text});
          else if constexpr (std::is_same_v<Record, Undo<Convoy, BeadId>>)
            keys.push_back({T::convoy, undo.key.text});
          else if constexpr (std::is_same_v<Record, Undo<Nudge, MessageId>>)
            keys.push_back({T::nudge, undo.key.text});
          else
            keys.push_back({T::mail, undo.key.text});
        },
        undo_[i]);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

// ---- digest ------------------------------------------------------------------------------------------------------

Hash128 Town::digest() {
  const auto renew = [this](auto* slot) {
    if (!slot || !slot->dirty) return;
    digest_ -= slot->hash;
    slot->hash = siphash128(encode(slot->row));
    slot->dirty = false;
    digest_ += slot->hash;
  };
  for (const RowKey& key : dirty_) {
    using T = RowKey::Table;
    switch (key.table) {
      case T::rig: renew(rigs_.find_slot(RigId(key.key))); break;
      case T::bead: renew(beads_.find_slot(BeadId(key.key))); break;
      case T::agent: renew(agents_.find_slot(AgentId(key.key))); break;
      case T::run: renew(runs_.find_slot(RunId(key.key))); break;
      case T::review: renew(reviews_.find_slot(BeadId(key.key))); break;
      case T::convoy: renew(convoys_.find_slot(BeadId(key.key))); break;
      case T::nudge: renew(nudges_.find_slot(MessageId(key.key))); break;
      case T::mail: renew(mail_.find_slot(MessageId(key.key))); break;
      case T::town:
      case T::dependency:
      case T::deferred: break;  // summed when written
    }
  }
  dirty_.clear();
  if (std::exchange(town_dirty_, false)) {
    digest_ -= town_hash_;
    town_hash_ = siphash128(encode(row_));
    digest_ += town_hash_;
  }
  if (std::exchange(config_dirty_, false)) {
    digest_ -= config_hash_;
    config_hash_ = siphash128(encode(row_.config));
    digest_ += config_hash_;
  }
  return digest_;
}

Hash128 Town::recount() const {
  Hash128 sum;
  const auto add = [&sum](const auto& slot) { sum += siphash128(encode(slot.row)); };
  rigs_.for_each(add);
  beads_.for_each(add);
  agents_.for_each(add);
  runs_.for_each(add);
  reviews_.for_each(add);
  convoys_.for_each(add);
  nudges_.for_each(add);
  mail_.for_each(add);
  for (const Dependency& dependency : dependencies()) sum += siphash128(encode(dependency));
  for (const auto& [seq, deferred] : deferred_) sum += siphash128(encode(deferred));
  sum += siphash128(encode(row_));
  sum += siphash128(encode(row_.config));
  return sum;
}

// ---- refusals ----------------------------------------------------------------------------------------------------

void Town::refuse(std::string_view rule, const SubjectKey& subject, Instant now) {
  const RefusalKey key{std::string(rule), subject};
  Refusal& refusal = refusals_[key];
  undo_.push_back(UndoRefusal{key, refusal});
  refusal.until = now + std::min(minutes(1) * (std::int64_t{1} << std::min(refusal.times, 6)), hours(1));
  ++refusal.times;
}

Instant Town::refused_until(std::string_view rule, const SubjectKey& subject) const {
  if (refusals_.empty()) return Instant{};
  const auto found = refusals_.find({std::string(rule), subject});
  return found == refusals_.end() ? Instant{} : found->second.until;
}

// ---- edges between beads -----------------------------------------------------------------------------------------

void Town::link(const Dependency& dependency, bool exists) {
  const auto& [from, to, kind] = dependency;
  // Both sides are looked up anew each time: making one may move the other.
  const auto change = [exists](std::vector<BeadId>& list, const BeadId& id) {
    if (exists)
      insert_sorted(list, id);
    else
      remove_sorted(list, id);
  };
  if (kind == DependencyKind::blocks) {
    change(links_for(from).blockers, to);
    change(links_for(to).blocked, from);
  } else {
    change(links_for(from).tracks, to);
    change(links_for(to).tracked_by, from);
    const BeadLinks& counted = links_for(from);
    const int sign = exists ? 1 : -1;
    const int issue = counted.counts_issue, over = counted.counts_terminal, failed = counted.counts_failed,
              in_flight = counted.counts_in_flight;
    BeadLinks& convoy = links_for(to);
    convoy.tracked_issues += sign * issue;
    convoy.terminal_issues += sign * over;
    convoy.failed_issues += sign * failed;
    convoy.reviews_in_flight += sign * in_flight;
  }
  touch_bead(from, Edge::blocked);
  touch_bead(to, kind == DependencyKind::tracks ? Edge::convoy : Edge::blocker);
  refile(from);
  drop_unused_links(from);
  drop_unused_links(to);
}

BeadLinks& Town::links_for(const BeadId& id) { return links_.insert(id).row; }

void Town::drop_unused_links(const BeadId& id) {
  const BeadLinks* links = links_.find(id);
  if (links && links->unused() && !beads_.find(id)) links_.erase(id);
}

}  // namespace townd
