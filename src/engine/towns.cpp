#include <algorithm>
#include <exception>
#include <utility>

#include "engine/state.hpp"

/// Towns, their ticks and commits. Whatever a tick throws stops that town only.
namespace townd {
namespace {

constexpr Duration kReloadPause = seconds(1);
constexpr Duration kReloadPauseMax = minutes(1);

Error not_run(const LiveTown& town) {
  if (town.state == LiveTown::State::unreadable)
    return {Error::Code::unavailable, "store_failed: " + town.why_not, "try again; nothing was changed"};
  return {Error::Code::unavailable, "town " + town.id.text + " is quarantined: " + town.why_not,
          "look at the log, then restart townd"};
}

/// 2–6 letters from the name that no other town uses.
std::string free_prefix(const std::string& name, const std::map<std::string, TownId>& used) {
  std::string letters;
  for (const char c : name) {
    if (c >= 'a' && c <= 'z') letters += c;
    if (c >= 'A' && c <= 'Z') letters += static_cast<char>(c - 'A' + 'a');
  }
  if (letters.size() < 2) letters = "town";
  for (std::size_t size = 2; size <= std::min<std::size_t>(letters.size(), 6); ++size)
    if (const std::string prefix = letters.substr(0, size); !used.contains(prefix)) return prefix;
  for (char first = 'a'; first <= 'z'; ++first)
    for (char second = 'a'; second <= 'z'; ++second)
      if (const std::string prefix = letters.substr(0, 2) + first + second; !used.contains(prefix)) return prefix;
  return {};
}

expected<void> check_new(const TownRow& row, bool known, const std::map<std::string, TownId>& used) {
  if (row.town_id.empty()) return fail(Error::Code::invalid, "a town needs an id");
  if (known)
    return fail(Error::Code::conflict, "there is a town " + row.town_id.text + " already", "choose another name");
  const bool letters = std::all_of(row.prefix.begin(), row.prefix.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!letters || row.prefix.size() < 2 || row.prefix.size() > 6)
    return fail(Error::Code::invalid, "the prefix \"" + row.prefix + "\" is not 2 to 6 of the letters a to z");
  if (const auto owner = used.find(row.prefix); owner != used.end())
    return fail(Error::Code::conflict, "the prefix " + row.prefix + " belongs to town " + owner->second.text,
                "choose another, or leave it out");
  return {};
}

/// What becomes of a request that was recorded but could not be applied.
std::string fate_of(const EventOutcome& outcome) {
  if (outcome.fate == EventFate::refused) return "something else came first; look at its state and ask again";
  return "recorded as event " + std::to_string(outcome.seq) +
         (outcome.fate == EventFate::deferred ? "; it is tried again by itself" : "; it is quarantined");
}

}  // namespace

// ---- towns come --------------------------------------------------------------------------------------------------

expected<void> Engine::State::open() {
  const auto ids = ports.store.towns();
  if (!ids) return tl::unexpected(ids.error());
  if (const auto loaded = hands.tokens->load(); !loaded) return loaded;
  now = std::max(now, ports.clock.now());
  facts = ports.runtime.facts();
  look_for_idle_at = now;
  for (const TownId& id : *ids) {
    load_town(id, true);
    if (too_many_to_stay(*towns.at(id))) leave(id, true);
  }
  for (const TokenRow& token : hands.tokens->open_ones()) {
    const TownId id(token.town_id);
    const auto found = towns.find(id);
    const LiveTown* town = found == towns.end() ? nullptr : found->second.get();
    const Run* run = town == nullptr ? nullptr : town->town.run(RunId(token.run_id));
    const bool readable = town == nullptr ? away.contains(id) : town->state == LiveTown::State::ready;
    if (readable && (run == nullptr || run->state == RunState::ended))
      if (const auto over = hands.tokens->end(RunId(token.run_id), now); !over) return over;
  }
  share_slots();
  return {};
}

void Engine::State::load_town(const TownId& id, bool restarted) {
  std::unique_ptr<LiveTown> town;
  std::string why;
  try {
    auto loaded = ports.store.load(id);
    if (loaded) {
      const std::vector<StoredEffect> outbox = loaded->outbox;
      const std::optional<Hash128> digest = loaded->last_digest;
      town = std::make_unique<LiveTown>(id, std::move(*loaded));
      town->used_at = now;
      if (restarted) town->notice_restart();
      if (digest && town->town.digest() != *digest)
        alarm(id, "rows_altered",
              "the rows of " + id.text +
                  " are not those that its last tick left; a replay across this point will not match");
      for (const StoredEffect& effect : outbox) queue.add(id, effect);
    } else {
      why = loaded.error().what;
    }
  } catch (const std::exception& thrown) {
    why = thrown.what();
  }
  if (!town) {
    LoadedTown empty;
    empty.image.town.town_id = id;
    town = std::make_unique<LiveTown>(id, std::move(empty));
    queue.drop(id);
    if (restarted) {
      town->quarantine("it could not be read: " + why);
      alarm(id, "town_quarantined", town->why_not);
    } else {
      town->lose(why, now + kReloadPause);
      alarm(id, "store_failed", why);
    }
  }
  add_town(std::move(town));
}

void Engine::State::add_town(std::unique_ptr<LiveTown> town) {
  const std::lock_guard lock(names_mutex);
  const auto place = std::lower_bound(names.begin(), names.end(), town->id);
  if (place == names.end() || *place != town->id) names.insert(place, town->id);
  if (const std::string& prefix = town->town.row().prefix; !prefix.empty()) prefixes.emplace(prefix, town->id);
  stirred.insert(town->id);
  ports.observer.in_memory(town->town, town->state == LiveTown::State::ready);
  towns.emplace(town->id, std::move(town));
}

void Engine::State::create(inbox::Create create) {
  if (closing) return create.answered(fail(Error::Code::unavailable, "townd is shutting down"));
  TownRow row = std::move(create.row);
  const bool known = towns.contains(row.town_id) || away.contains(row.town_id);
  if (row.prefix.empty()) row.prefix = free_prefix(row.name, prefixes);
  if (const auto fine = check_new(row, known, prefixes); !fine) return create.answered(tl::unexpected(fine.error()));
  row.node.slots = 0;  // its share comes with its first event
  const TownId id = row.town_id;
  add_town(std::make_unique<LiveTown>(id, std::move(row), std::move(create.answered)));
  note_use(*towns.at(id));
}

void Engine::State::submit(inbox::Submit submit) {
  LiveTown* town = find(submit.town);
  // A fact is submitted without anybody to answer; it is kept for as long as its town may run again.
  if (town == nullptr) {
    if (submit.answered) submit.answered(fail(Error::Code::not_found, "there is no town " + submit.town.text));
    return;
  }
  if (submit.answered) {
    if (closing) return submit.answered(fail(Error::Code::unavailable, "townd is shutting down", "try again"));
    if (town->state == LiveTown::State::quarantined || town->state == LiveTown::State::unreadable)
      return submit.answered(tl::unexpected(not_run(*town)));
    if (town->waiting() >= static_cast<std::size_t>(options.pending_limit))
      return submit.answered(fail(Error::Code::too_many,
                                  std::to_string(options.pending_limit) + " events are waiting in " + town->id.text,
                                  "try again in a moment"));
  }
  if (town->state != LiveTown::State::quarantined)
    town->submit(Submission{std::move(submit.body), std::move(submit.answered), {}, std::move(submit.make)});
}

// ---- reads
// -----------------------------------------------------------------------------------------------------------

void Engine::State::serve_readers(LiveTown& town) {
  while (!town.readers.empty()) {
    auto reader = std::move(town.readers.front());
    town.readers.pop_front();
    if (auto* look = std::get_if<inbox::Look>(&reader))
      look->seen(town.view(now));
    else
      dry_run(town, std::move(std::get<inbox::DryRun>(reader)));
  }
}

void Engine::State::dry_run(LiveTown& town, inbox::DryRun dry_run) {
  if (town.state != LiveTown::State::ready) return dry_run.answered(tl::unexpected(not_run(town)));
  expected<std::vector<TimedTick>> results;
  const Town::Mark mark = town.town.mark();
  try {
    results = townd::dry_run(town.town, town.foresee(now), dry_run.until.value_or(now));
  } catch (const std::exception& thrown) {
    town.town.rollback(mark);
    town.town.agenda().restore_looked();
    results = fail(Error::Code::internal, "the dry run failed: " + std::string(thrown.what()));
  }
  dry_run.answered(std::move(results));
}

void Engine::State::alarm(const TownId& town, std::string_view kind, const std::string& message) {
  ports.observer.alarm({std::string(kind), town, message});
}

// ---- ticks and commits -------------------------------------------------------------------------------------------

void Engine::State::tick_town(LiveTown& town, std::string_view trigger) {
  Batch batch;
  try {
    const Instant at = town.tick_time(now, trigger);
    town.take_batch(batch, now, [&](const Town&, const Observation& seen) { return end_of_run(town, seen); });
    auto work = town.tick_once(at, trigger, batch);
    if (town.take_unsettled())
      alarm(town.id, "ticks_do_not_settle",
            std::to_string(kFollowUpLimit) + " ticks followed one another; the rest waits a second");
    if (work) return commit(town, std::move(*work));
    const LiveTown::Quiet& quiet = town.last_quiet();
    ports.observer.ticked_quietly({town.id, trigger, at, quiet.wall_us, quiet.life});
    note_use(town);
  } catch (const std::exception& thrown) {
    quarantine(town, thrown.what());
    for (const Batch::Asker& asker : batch.askers) asker.answered(tl::unexpected(not_run(town)));
  }
}

void Engine::State::commit(LiveTown& town, TownCommit work) {
  ports.store.commit(std::move(work), [inbox = inbox, id = town.id](const expected<void>& result) {
    inbox->post(inbox::Committed{id, result});
  });
}

void Engine::State::committed(const inbox::Committed& committed) {
  LiveTown* town = find(committed.town);
  if (town == nullptr || town->state != LiveTown::State::in_flight) return;
  if (committed.result)
    landed(*town);
  else
    crashed(*town, committed.result.error());
}

void Engine::State::landed(LiveTown& town) {
  const Flight flight = town.landed();
  note_use(town);
  for (const StoredEffect& outcome : flight.batch.outcomes) queue.settled(town.id, outcome.effect.key);
  if (!flight.batch.outcomes.empty()) ports.observer.effects_ended(town.id, flight.batch.outcomes);
  if (!flight.record) return;
  note_snapshot(town);
  std::map<std::int64_t, const EventOutcome*> outcomes;
  for (const EventOutcome& outcome : flight.result.events) outcomes.emplace(outcome.seq, &outcome);
  for (const Batch::Asker& asker : flight.batch.askers) {
    const auto found = outcomes.find(asker.seq);
    if (found == outcomes.end() || found->second->fate == EventFate::applied) {
      Receipt receipt{asker.seq, flight.record->number, {}, {}};
      if (found != outcomes.end()) {
        receipt.note = found->second->note;
        receipt.created = found->second->created;
      }
      asker.answered(std::move(receipt));
    } else {
      asker.answered(fail(Error::Code::conflict, found->second->note, fate_of(*found->second)));
    }
  }
  if (flight.creation && *flight.creation)
    (*flight.creation)(Receipt{flight.result.events.empty() ? 0 : flight.result.events.front().seq,
                               flight.record->number,
                               {},
                               {town.id.text}});
  for (const Effect& effect : flight.result.outbox.effects) queue.add(town.id, {effect, EffectState::pending, 0, {}});
  // Begun before the town ticks again, so that what is read for them is what was committed.
  begin_effects();
  end_tokens(town, flight);
  publish(town, flight);
}

void Engine::State::crashed(LiveTown& town, const Error& error) {
  Flight flight = town.crashed();
  const Error answer{Error::Code::unavailable, "store_failed: " + error.what, "try again; nothing was changed"};
  for (const Batch::Asker& asker : flight.batch.askers) asker.answered(tl::unexpected(answer));
  alarm(town.id, "store_failed", error.what);
  if (flight.creation) {
    for (const Engine::Answered& waiting : town.dismiss()) waiting(tl::unexpected(answer));
    (*flight.creation)(tl::unexpected(answer));
    const TownId id = town.id;
    const std::lock_guard lock(names_mutex);
    std::erase(names, id);
    prefixes.erase(town.town.row().prefix);
    forget(id);
    return;
  }
  queue.drop(town.id);
  town.lose(error.what, now);
  ports.observer.in_memory(town.town, false);
  try_reload(town);
}

void Engine::State::try_reload(LiveTown& town) {
  std::string why;
  try {
    auto loaded = ports.store.load(town.id);
    if (loaded) {
      const std::vector<StoredEffect> outbox = loaded->outbox;
      town.reload(std::move(*loaded));
      note_use(town);
      ports.observer.in_memory(town.town, true);
      const std::set<std::string> over = town.outcomes_waiting();
      for (const StoredEffect& effect : outbox)
        if (!over.contains(effect.effect.key)) queue.add(town.id, effect);
      for (const std::string& key : over) town.in_doubt.erase(key);
      return;
    }
    why = loaded.error().what;
  } catch (const std::exception& thrown) {
    why = thrown.what();
  }
  const Duration pause = std::min(kReloadPause * (std::int64_t{1} << std::min(town.retries++, 10)), kReloadPauseMax);
  town.lose(why, now + pause);
  for (const Engine::Answered& waiting : town.dismiss()) waiting(tl::unexpected(not_run(town)));
}

void Engine::State::quarantine(LiveTown& town, const std::string& why) {
  queue.drop(town.id);
  town.quarantine(why);
  alarm(town.id, "town_quarantined", "a tick of " + town.id.text + " failed: " + why);
  ports.observer.in_memory(town.town, false);
  for (const Engine::Answered& waiting : town.dismiss()) waiting(tl::unexpected(not_run(town)));
}

void Engine::State::publish(const LiveTown& town, const Flight& flight) {
  const TickRecord& record = *flight.record;
  ports.observer.ticked({town.town, record, flight.result, flight.record});
  for (const Violation& violation : record.violations) {
    Alarm alarm{"invariant_" + std::to_string(violation.invariant), town.id, violation.message, record.number};
    alarm.invariant = violation.invariant;
    alarm.subject = violation.subject;
    alarm.rule = violation.rule;
    ports.observer.alarm(alarm);
  }
  for (const Missed& missed : record.missed) {
    Alarm alarm{"agenda_missed", town.id, "a rule acts on it and the agenda did not know; this is a fault of townd",
                record.number};
    alarm.subject = std::string(to_string(missed.stage)) + " " + missed.subject.text;
    ports.observer.alarm(alarm);
  }
  if (listeners.empty()) return;
  std::vector<StreamItem> items;
  items.push_back({record.number, "tick", std::to_string(record.number),
                   "trigger=" + record.trigger + " events=" + std::to_string(record.events.size()) +
                       " decisions=" + std::to_string(record.decisions.size())});
  for (const RowKey& key : flight.result.changed) {
    if (key.table == RowKey::Table::bead) {
      const Bead* bead = town.town.bead(BeadId(key.key));
      items.push_back({record.number, "bead", key.key,
                       bead == nullptr ? "gone" : "status=" + std::string(to_string(bead->status))});
    } else if (key.table == RowKey::Table::agent) {
      const Agent* agent = town.town.agent(AgentId(key.key));
      items.push_back({record.number, "agent", key.key,
                       agent == nullptr ? "gone" : "status=" + std::string(to_string(agent->status))});
    }
  }
  for (const Effect& effect : flight.result.outbox.effects)
    if (const auto* alert = std::get_if<effects::Alert>(&effect.body))
      items.push_back({record.number, "alert", alert->bead_id.text, "kind=" + alert->kind});
  for (const auto& listener : listeners)
    for (const StreamItem& item : items) listener(town.id, item);
}

}  // namespace townd
