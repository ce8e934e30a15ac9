#include "sim/fake_store.hpp"

#include <algorithm>

#include "codec/events.hpp"
#include "codec/ticks.hpp"

namespace townd::sim {

// ---- writing -----------------------------------------------------------------------------------------------------

void FakeStore::commit(TownCommit commit, Committed done) {
  std::unique_lock lock(mutex_);
  for (const Waiting& other : queue_)
    if (other.commit.town_id == commit.town_id) complaints_.add("two commits of one town are in flight");
  queue_.push_back({std::move(commit), std::move(done)});
  lock.unlock();
  if (!by_hand) flush();
}

void FakeStore::flush(std::size_t at_most) {
  for (; at_most > 0; --at_most) {
    Waiting next;
    bool fails = false;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return;
      next = std::move(queue_.front());
      queue_.pop_front();
      fails = fail_next > 0;
      if (fails)
        --fail_next;
      else
        keep(next.commit);
    }
    next.done(fails ? expected<void>(fail(Error::Code::unavailable, "the disk is full")) : expected<void>());
  }
}

void FakeStore::crash(std::size_t survivors) {
  const std::lock_guard lock(mutex_);
  for (; survivors > 0 && !queue_.empty(); --survivors) {
    keep(queue_.front().commit);
    queue_.pop_front();
  }
  queue_.clear();
}

void FakeStore::keep(const TownCommit& commit) {
  ++commits_;
  Held& town = towns_[commit.town_id];
  keep_events(town, commit);
  keep_effects(town, commit);
  for (const RowChange& change : commit.rows) {
    if (change.row)
      town.rows[change.key] = *change.row;
    else
      town.rows.erase(change.key);
  }
  for (const auto& [hash, text] : commit.texts) town.texts[hash] = text;
  town.history.insert(town.history.end(), commit.history.begin(), commit.history.end());
  if (!commit.tick) return;
  const std::int64_t expected_number = town.ticks.empty() ? 1 : town.ticks.back().number + 1;
  if (commit.tick->number != expected_number)
    complaints_.add("tick " + std::to_string(commit.tick->number) + " instead of " + std::to_string(expected_number));
  if (!town.ticks.empty() && commit.tick->at < town.ticks.back().at) complaints_.add("a tick went back in time");
  town.ticks.push_back(*commit.tick);
}

void FakeStore::keep_events(Held& town, const TownCommit& commit) {
  for (const Event& event : commit.events) {
    if (!town.events.empty() && event.seq <= town.events.rbegin()->first)
      complaints_.add("event " + std::to_string(event.seq) + " is not the newest");
    town.events[event.seq] = event;
  }
  for (const EventOutcome& outcome : commit.processed) {
    if (!town.events.contains(outcome.seq))
      complaints_.add("the fate of an event that was not recorded: " + std::to_string(outcome.seq));
    const auto known = town.outcomes.find(outcome.seq);
    const auto settled_before = [](EventFate fate) { return fate == EventFate::applied || fate == EventFate::refused; };
    if (known != town.outcomes.end() && settled_before(known->second.outcome.fate))
      complaints_.add("event " + std::to_string(outcome.seq) + " was processed twice");
    const bool settled = outcome.fate != EventFate::deferred && commit.tick;
    town.outcomes[outcome.seq] = {outcome, settled ? MaybeInstant(commit.tick->at) : std::nullopt};
  }
}

void FakeStore::keep_effects(Held& town, const TownCommit& commit) {
  for (const Effect& effect : commit.effects) {
    if (!town.outbox.try_emplace(effect.key, StoredEffect{effect, EffectState::pending, 0, {}}).second)
      complaints_.add("the effect " + effect.key + " is in the outbox twice");
    town.outbox_order.push_back(effect.key);
  }
  for (const StoredEffect& outcome : commit.outcomes) {
    const auto known = town.outbox.find(outcome.effect.key);
    if (known == town.outbox.end())
      complaints_.add("the outcome of an unknown effect: " + outcome.effect.key);
    else if (known->second.state == EffectState::done || known->second.state == EffectState::failed)
      complaints_.add("a second outcome of " + outcome.effect.key);
    else
      known->second = outcome;
  }
}

// ---- reading -----------------------------------------------------------------------------------------------------

namespace {

/// Core's order of ids is by length first.
void in_id_order(TownImage& image) {
  std::ranges::sort(image.rigs, {}, &Rig::rig_id);
  std::ranges::sort(image.beads, {}, &Bead::bead_id);
  std::ranges::sort(image.agents, {}, &Agent::agent_id);
  std::ranges::sort(image.runs, {}, &Run::run_id);
  std::ranges::sort(image.reviews, {}, &Review::bead_id);
  std::ranges::sort(image.convoys, {}, &Convoy::bead_id);
  std::ranges::sort(image.dependencies);
  std::ranges::sort(image.nudges, {}, &Nudge::nudge_id);
  std::ranges::sort(image.mail, {}, &Mail::mail_id);
}

}  // namespace

expected<std::vector<TownId>> FakeStore::towns() {
  const std::lock_guard lock(mutex_);
  std::vector<TownId> ids;
  for (const auto& [id, town] : towns_) ids.push_back(id);
  return ids;
}

int FakeStore::loads_of(const TownId& town) const {
  const std::lock_guard lock(mutex_);
  const auto found = loads_.find(town);
  return found == loads_.end() ? 0 : found->second;
}

expected<LoadedTown> FakeStore::load(const TownId& id) {
  const std::lock_guard lock(mutex_);
  if (fail_loads > 0) {
    --fail_loads;
    return fail(Error::Code::unavailable, "the disk cannot be read");
  }
  const auto found = towns_.find(id);
  if (found == towns_.end()) return fail(Error::Code::not_found, "there is no town " + id.text);
  const Held& town = found->second;
  ++loads_[id];
  struct Fill {
    TownImage& image;
    void operator()(const TownRow& row) { image.town = row; }
    void operator()(const Rig& row) { image.rigs.push_back(row); }
    void operator()(const Bead& row) { image.beads.push_back(row); }
    void operator()(const Agent& row) { image.agents.push_back(row); }
    void operator()(const Run& row) { image.runs.push_back(row); }
    void operator()(const Review& row) { image.reviews.push_back(row); }
    void operator()(const Convoy& row) { image.convoys.push_back(row); }
    void operator()(const Dependency& row) { image.dependencies.push_back(row); }
    void operator()(const Nudge& row) { image.nudges.push_back(row); }
    void operator()(const Mail& row) { image.mail.push_back(row); }
    void operator()(const DeferredEvent& row) { image.deferred.push_back(row); }
  };
  LoadedTown loaded;
  for (const auto& [key, row] : town.rows) std::visit(Fill{loaded.image}, row);
  in_id_order(loaded.image);
  for (const auto& [seq, event] : town.events)
    if (!town.outcomes.contains(seq)) loaded.pending.push_back(event);
  for (const std::string& key : town.outbox_order) {
    const StoredEffect& effect = town.outbox.at(key);
    if (effect.state == EffectState::pending || effect.state == EffectState::unknown) loaded.outbox.push_back(effect);
  }
  loaded.next_seq = town.events.empty() ? 1 : town.events.rbegin()->first + 1;
  if (!town.ticks.empty()) {
    loaded.next_tick = town.ticks.back().number + 1;
    loaded.last_tick_at = town.ticks.back().at;
    loaded.last_digest = town.ticks.back().digest;
  }
  if (!town.snapshots.empty()) {
    loaded.snapshot_tick = town.snapshots.rbegin()->first;
    loaded.snapshot_at = town.snapshots.rbegin()->second.at;
  }
  return loaded;
}

std::vector<TickRecord> FakeStore::ticks_of(const TownId& town) const {
  const std::lock_guard lock(mutex_);
  const auto found = towns_.find(town);
  return found == towns_.end() ? std::vector<TickRecord>() : found->second.ticks;
}

std::map<std::int64_t, KeptSnapshot> FakeStore::snapshots_of(const TownId& town) const {
  const std::lock_guard lock(mutex_);
  const auto found = towns_.find(town);
  return found == towns_.end() ? std::map<std::int64_t, KeptSnapshot>() : found->second.snapshots;
}

std::vector<std::pair<Event, EventFate>> FakeStore::events_of(const TownId& town) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<Event, EventFate>> all;
  const auto found = towns_.find(town);
  if (found == towns_.end()) return all;
  for (const auto& [seq, event] : found->second.events) {
    const auto known = found->second.outcomes.find(seq);
    if (known != found->second.outcomes.end()) all.emplace_back(event, known->second.outcome.fate);
  }
  return all;
}

std::map<std::string, StoredEffect> FakeStore::outbox_of(const TownId& town) const {
  const std::lock_guard lock(mutex_);
  const auto found = towns_.find(town);
  return found == towns_.end() ? std::map<std::string, StoredEffect>() : found->second.outbox;
}

expected<std::vector<EventRow>> FakeStore::events(const TownId& town, const EventQuery& query) {
  const std::lock_guard lock(mutex_);
  const Held& held = towns_[town];
  std::vector<EventRow> rows;
  for (const auto& [seq, event] : held.events) {
    if (static_cast<int>(rows.size()) == query.limit) break;
    EventText text = encode_event(event.body);
    EventRow row{seq,
                 std::move(text.event_type),
                 std::move(text.agent_id),
                 std::string(about_bead(event.body)),
                 std::move(text.payload),
                 event.created_at,
                 {},
                 {},
                 {}};
    if (const auto known = held.outcomes.find(seq); known != held.outcomes.end()) {
      const EventOutcome& outcome = known->second.outcome;
      if (row.bead_id.empty() && !outcome.created.empty()) row.bead_id = outcome.created.front();
      row.processed_at = known->second.at;
      row.note = outcome.note;
      row.fate = fate_text(outcome.fate);
    }
    const bool wanted = seq > query.after_seq && row.created_at >= query.from && row.created_at <= query.to &&
                        (query.type.empty() || query.type == row.event_type) &&
                        (query.bead_id.empty() || query.bead_id == row.bead_id) &&
                        (query.agent_id.empty() || query.agent_id == row.agent_id);
    if (wanted) rows.push_back(std::move(row));
  }
  return rows;
}

expected<std::vector<TickRow>> FakeStore::ticks(const TownId& town, const TickQuery& query) {
  const std::lock_guard lock(mutex_);
  const Held& held = towns_[town];
  std::set<Instant> of_bead, of_agent;  // when facts were drained, or it changed
  for (const auto& [seq, known] : held.outcomes) {
    const Event& event = held.events.at(seq);
    if (!known.at) continue;
    if (about_bead(event.body) == query.bead_id) of_bead.insert(*known.at);
    if (encode_event(event.body).agent_id == query.agent_id) of_agent.insert(*known.at);
  }
  for (const HistoryRow& row : held.history)
    if (row.bead_id.text == query.bead_id) of_bead.insert(row.at);
  std::vector<TickRow> rows;
  for (const TickRecord& tick : held.ticks) {
    if (tick.number <= query.after || tick.at < query.from || tick.at > query.to) continue;
    if (query.violations && tick.violations.empty()) continue;
    std::string record = encode_tick(tick);
    const auto names = [&](const std::string& text) {
      return text.empty() || record.find('"' + text + '"') != std::string::npos;
    };
    if (!names(query.rule)) continue;
    if (!names(query.agent_id) && !of_agent.contains(tick.at)) continue;
    if (!names(query.bead_id) && !of_bead.contains(tick.at)) continue;
    rows.push_back({tick.number, tick.at, std::move(record)});
  }
  const auto limit = static_cast<std::size_t>(query.limit);
  if (rows.size() > limit)
    rows.erase(query.newest ? rows.begin() : rows.begin() + query.limit,
               query.newest ? rows.end() - query.limit : rows.end());
  return rows;
}

expected<std::vector<Event>> FakeStore::pending(const TownId& town) {
  const std::lock_guard lock(mutex_);
  std::vector<Event> pending;
  for (const auto& [seq, event] : towns_[town].events)
    if (!towns_[town].outcomes.contains(seq)) pending.push_back(event);
  return pending;
}

expected<std::vector<StoredEffect>> FakeStore::effects(const TownId& town, const std::vector<std::string>& keys) {
  const std::lock_guard lock(mutex_);
  const auto& outbox = towns_[town].outbox;
  std::vector<StoredEffect> effects;
  for (const std::string& key : keys)
    if (const auto found = outbox.find(key); found != outbox.end()) effects.push_back(found->second);
  return effects;
}

expected<std::vector<RecordedTick>> FakeStore::recorded(const TownId& town, std::int64_t after, int limit) {
  const std::lock_guard lock(mutex_);
  const Held& held = towns_[town];
  std::vector<RecordedTick> ticks;
  for (const TickRecord& record : held.ticks) {
    if (record.number <= after) continue;
    if (static_cast<int>(ticks.size()) == limit) break;
    RecordedTick tick{record, {}};
    if (alter_tick) alter_tick(tick.record);
    for (const EventOutcome& outcome : record.events)
      if (!outcome.again) tick.events.push_back(held.events.at(outcome.seq));
    ticks.push_back(std::move(tick));
  }
  return ticks;
}

expected<SnapshotMade> FakeStore::keep_snapshot(const TownId& town) {
  const std::lock_guard lock(mutex_);
  auto loaded = load(town);
  if (!loaded) return tl::unexpected(loaded.error());
  --loads_[town];  // nobody read the town to run it
  if (!loaded->last_digest) return fail(Error::Code::unavailable, "the town has no tick yet");
  KeptSnapshot kept{loaded->next_tick - 1, loaded->last_tick_at, std::move(loaded->image), {}};
  if (town_of(kept.image).digest() != *loaded->last_digest) complaints_.add("the rows are not those of the last tick");
  const SnapshotMade made{kept.tick, kept.at};
  towns_[town].snapshots[made.tick] = std::move(kept);
  return made;
}

expected<std::vector<SnapshotMade>> FakeStore::snapshots(const TownId& town) {
  std::vector<SnapshotMade> all;
  for (const auto& [tick, kept] : snapshots_of(town)) all.push_back({tick, kept.at});
  return all;
}

expected<KeptSnapshot> FakeStore::snapshot(const TownId& town, Instant latest) {
  const std::lock_guard lock(mutex_);
  const auto& all = towns_[town].snapshots;
  for (auto kept = all.rbegin(); kept != all.rend(); ++kept)
    if (kept->second.at <= latest) return kept->second;
  return fail(Error::Code::not_found, "there is no snapshot at that time or before");
}

expected<std::vector<HistoryRow>> FakeStore::history(const TownId& town, const BeadId& bead, int limit) {
  const std::lock_guard lock(mutex_);
  std::vector<HistoryRow> rows;
  for (const HistoryRow& row : towns_[town].history)
    if (row.bead_id == bead) rows.push_back(row);
  if (static_cast<int>(rows.size()) > limit) rows.erase(rows.begin(), rows.end() - limit);
  return rows;
}

expected<std::optional<std::string>> FakeStore::text(const TownId& town, const Hash128& hash) {
  const std::lock_guard lock(mutex_);
  const auto& texts = towns_[town].texts;
  const auto found = texts.find(hash);
  return found == texts.end() ? std::optional<std::string>() : std::optional(found->second);
}

expected<std::int64_t> FakeStore::add_agent_event(const TownId& town, const AgentId& agent, AgentEventRow row) {
  const std::lock_guard lock(mutex_);
  std::deque<AgentEventRow>& kept = agent_events_[{town, agent}];
  row.id = kept.empty() ? 1 : kept.back().id + 1;
  kept.push_back(std::move(row));
  if (static_cast<std::int64_t>(kept.size()) > kAgentEventsKept) kept.pop_front();
  return kept.back().id;
}

expected<std::vector<AgentEventRow>> FakeStore::agent_events(const TownId& town, const AgentId& agent,
                                                             std::int64_t after, int limit) {
  const std::lock_guard lock(mutex_);
  std::vector<AgentEventRow> rows;
  for (const AgentEventRow& row : agent_events_[{town, agent}])
    if (row.id > after && static_cast<int>(rows.size()) < limit) rows.push_back(row);
  return rows;
}

expected<void> FakeStore::put_token(const TokenRow& token) {
  const std::lock_guard lock(mutex_);
  tokens_[token.id] = token;
  return {};
}

expected<std::vector<TokenRow>> FakeStore::tokens() {
  const std::lock_guard lock(mutex_);
  std::vector<TokenRow> rows;
  for (const auto& [id, token] : tokens_) rows.push_back(token);
  return rows;
}

}  // namespace townd::sim
