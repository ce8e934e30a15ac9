#include "contract/sample_town.hpp"

#include <memory>

#include "codec/rows.hpp"

namespace townd::sample {

namespace {

template <class Row>
void add(std::vector<std::string>& lines, const std::vector<Row>& rows) {
  for (const Row& row : rows) lines.push_back(encode_row(AnyRow(row)));
}

/// A row's key, as the town itself names it.
struct KeyText {
  std::string operator()(const TownRow& row) const { return row.town_id.text; }
  std::string operator()(const Rig& row) const { return row.rig_id.text; }
  std::string operator()(const Bead& row) const { return row.bead_id.text; }
  std::string operator()(const Agent& row) const { return row.agent_id.text; }
  std::string operator()(const Run& row) const { return row.run_id.text; }
  std::string operator()(const Review& row) const { return row.bead_id.text; }
  std::string operator()(const Convoy& row) const { return row.bead_id.text; }
  std::string operator()(const Nudge& row) const { return row.nudge_id.text; }
  std::string operator()(const Mail& row) const { return row.mail_id.text; }
  std::string operator()(const DeferredEvent& row) const { return std::to_string(row.event->seq); }
  std::string operator()(const Dependency& row) const {
    return row.bead_id.text + '\x1f' + row.depends_on_bead_id.text + '\x1f' +
           (row.kind == DependencyKind::blocks ? "blocks" : "tracks");
  }
};

RowKey key_of(const AnyRow& row) { return {static_cast<RowKey::Table>(row.index()), std::visit(KeyText{}, row)}; }

}  // namespace

TownId town_id(const std::string& prefix) { return TownId("town-" + prefix); }

Instant at(std::int64_t minute) { return Instant{1'800'000'000'000} + minutes(minute); }

RowChange put(AnyRow row) { return {key_of(row), std::move(row)}; }

RowChange gone(const AnyRow& row) { return {key_of(row), std::nullopt}; }

Bead bead(const std::string& prefix, std::int64_t n) {
  Bead bead;
  bead.bead_id = BeadId(prefix + "-" + std::to_string(n));
  bead.title = "Write chapter " + std::to_string(n) + " \"as it was\", naïvely";
  bead.body = TextRef::of("chapter " + std::to_string(n));
  bead.rig_id = RigId(prefix + "-rig");
  bead.labels = {"gt:held", "prose"};
  bead.metadata = R"({"words":1200})";
  bead.priority = Priority::high;
  bead.dispatch_attempts = 2;
  bead.last_dispatch_attempt_at = at(n);
  bead.created_at = at(n);
  bead.updated_at = at(n);
  bead.created_by = "a person";
  return bead;
}

Event event(std::int64_t seq, EventBody body) { return {seq, at(seq), std::move(body)}; }

TickRecord tick(std::int64_t number) {
  TickRecord tick;
  tick.number = number;
  tick.at = at(number);
  tick.trigger = "event";
  tick.config_version = 1;
  tick.wall_us = 120;
  tick.digest = siphash128("tick " + std::to_string(number));
  return tick;
}

namespace {

std::vector<RowChange> one_of_each(const std::string& prefix) {
  const auto named = [&](const char* name) { return prefix + "-" + name; };
  TownRow town;
  town.town_id = town_id(prefix);
  town.name = "Town " + prefix;
  town.prefix = prefix;
  town.next_id = 17;
  Rig rig;
  rig.rig_id = RigId(named("rig"));
  rig.git_url = "/srv/books.git";
  rig.config.gates = {"make test"};
  Agent agent;
  agent.agent_id = AgentId(named("agent"));
  agent.name = "Toast";
  agent.status = AgentStatus::working;
  Run run;
  run.run_id = RunId(named("run"));
  run.agent_id = agent.agent_id;
  run.outcome = Outcome::timed_out;
  Review review;
  review.bead_id = BeadId(named("review"));
  review.verdict = Verdict::approved;
  Convoy convoy;
  convoy.bead_id = BeadId(named("convoy"));
  convoy.landings = {{rig.rig_id, 2, at(3), 0}};
  Nudge nudge;
  nudge.nudge_id = MessageId(named("nudge"));
  nudge.message = "Still there?";
  Mail mail;
  mail.mail_id = MessageId(named("mail"));
  mail.subject = "About chapter 1";
  const Dependency blocks{BeadId(prefix + "-2"), BeadId(prefix + "-1"), DependencyKind::blocks};
  const Dependency tracks{BeadId(prefix + "-1"), convoy.bead_id, DependencyKind::tracks};
  DeferredEvent deferred;
  deferred.event = std::make_shared<const Event>(event(1, events::ConvoyStarted{convoy.bead_id}));
  deferred.attempts = 1;
  deferred.reason = "not yet";
  deferred.retry_at = at(5);
  return {put(town),   put(rig),    put(bead(prefix, 1)), put(agent), put(run),  put(review),
          put(convoy), put(tracks), put(blocks),          put(nudge), put(mail), put(deferred)};
}

}  // namespace

TownCommit founding(const std::string& prefix) {
  TownCommit commit;
  commit.town_id = town_id(prefix);
  commit.events = {event(1, events::ConvoyStarted{BeadId(prefix + "-convoy")})};
  commit.processed = {{1, EventFate::deferred, "not yet", {}}};
  commit.tick = std::make_shared<const TickRecord>(tick(1));
  commit.rows = one_of_each(prefix);
  return commit;
}

TownCommit work(const std::string& prefix, std::int64_t n) {
  const std::int64_t seq = n + 1;
  const Bead made = bead(prefix, n + 100);
  TownCommit commit;
  commit.town_id = town_id(prefix);
  events::BeadCreated fact;
  fact.title = made.title;
  fact.body = "chapter";
  commit.events = {event(seq, fact)};
  commit.processed = {{seq, EventFate::applied, "", {made.bead_id.text}}};
  TickRecord record = tick(seq);
  record.events = commit.processed;
  commit.tick = std::make_shared<const TickRecord>(std::move(record));
  commit.rows = {put(made)};
  commit.history = {{made.bead_id, AgentId(), "created", "", "open", "bead_created", at(seq)}};
  const std::string text = "text " + std::to_string(n);
  commit.texts = {{siphash128(text), text}};
  commit.effects = {{"start " + std::to_string(n), effects::StartAgent{RunId(prefix + "-run")}}};
  return commit;
}

TownCommit truthful(TownCommit commit, TownImage& image) {
  std::erase_if(commit.rows, [](const RowChange& change) {
    return !std::holds_alternative<TownRow>(*change.row) && !std::holds_alternative<Bead>(*change.row);
  });
  for (const RowChange& change : commit.rows)
    if (const auto* made = std::get_if<Bead>(&*change.row))
      image.beads.push_back(*made);
    else
      image.town = std::get<TownRow>(*change.row);
  TickRecord record = *commit.tick;
  record.digest = town_of(image).digest();
  commit.tick = std::make_shared<const TickRecord>(std::move(record));
  return commit;
}

std::vector<std::string> lines(const TownImage& image) {
  std::vector<std::string> lines{encode_row(AnyRow(image.town))};
  add(lines, image.rigs);
  add(lines, image.beads);
  add(lines, image.agents);
  add(lines, image.runs);
  add(lines, image.reviews);
  add(lines, image.convoys);
  add(lines, image.dependencies);
  add(lines, image.nudges);
  add(lines, image.mail);
  add(lines, image.deferred);
  return lines;
}

std::vector<std::string> lines(const std::vector<RowChange>& rows) {
  std::vector<std::string> lines;
  for (const RowChange& change : rows)
    if (change.row) lines.push_back(encode_row(*change.row));
  return lines;
}

}  // namespace townd::sample
