#include "observe/lifecycle.hpp"

#include <utility>

#include "codec/json.hpp"
#include "codec/time_text.hpp"

namespace townd {
namespace {

constexpr Duration kQuietTickEvery = minutes(1);

/// One line in the making; what is empty is left out.
class Line {
 public:
  Line(std::string_view event, Instant at, std::string_view town) {
    object_.emplace("event", event);
    object_.emplace("time", to_text(at));
    say("town", town);
  }
  Line& say(std::string_view key, std::string_view value) {
    if (!value.empty()) object_.insert_or_assign(key, value);
    return *this;
  }
  Line& count(std::string_view key, double value) {
    object_.insert_or_assign(key, value);
    return *this;
  }
  Line& count(std::string_view key, std::int64_t value) {
    object_.insert_or_assign(key, value);
    return *this;
  }
  Line& label(json::object counts) {
    object_.insert_or_assign("label", std::move(counts));
    return *this;
  }
  [[nodiscard]] std::string text() const { return json::serialize(object_); }

 private:
  json::object object_;
};

std::string_view convoy_id(const Town& town, const BeadId& bead) {
  if (const Convoy* own = town.convoy(bead)) return own->bead_id.text;
  const Convoy* convoy = convoy_of(town, bead);
  return convoy == nullptr ? std::string_view{} : convoy->bead_id.text;
}

/// Lines about the rows of one tick.
class Told {
 public:
  Told(const Ticked& tick, const Lifecycle::Write& write)
      : town_(tick.town), at_(tick.record.at), write_(write), tick_(tick) {}

  void all() {
    for (const HistoryRow& row : tick_.result.outbox.history) history(row);
    for (const RowKey& key : tick_.result.changed) {
      if (key.table == RowKey::Table::nudge) nudge(MessageId(key.key));
      if (key.table == RowKey::Table::bead) acknowledged(BeadId(key.key));
    }
  }

 private:
  Line about(std::string_view event, const BeadId& id) {
    Line line(event, at_, town_.row().town_id.text);
    line.say("bead", id.text);
    if (const Bead* bead = town_.bead(id)) line.say("rig", bead->rig_id.text).say("bead_type", to_string(bead->type));
    return line.say("convoy", convoy_id(town_, id));
  }
  static Line& with_agent(Line& line, const Town& town, const AgentId& id) {
    line.say("agent", id.text);
    if (const Agent* agent = town.agent(id)) line.say("role", to_string(agent->role));
    return line;
  }
  void write(const Line& line) { write_(line.text()); }

  void history(const HistoryRow& row) {
    const std::string& type = row.event_type;
    if (type == "created") return created(row);
    if (type == "status_changed") return status_changed(row);
    if (type == "agent_spawned") return agent("agent.spawned", row, {});
    if (type == "agent_exited") {
      agent("agent.exited", row, row.new_value);
      if (row.new_value == "refused" || row.new_value == "never_started")
        agent("agent.dispatch_failed", row, row.new_value);
    }
    if (type == "review_submitted") return agent("review.submitted", row, {});
    if (type == "review_completed")
      agent(row.new_value == "merged" ? "review.completed" : "review.failed", row, row.new_value);
  }

  void created(const HistoryRow& row) {
    const Bead* bead = town_.bead(row.bead_id);
    write(about("bead.created", row.bead_id).say("reason", row.rule));
    if (bead == nullptr) return;
    if (bead->type == BeadType::convoy) write(about("convoy.created", row.bead_id));
    if (bead->type == BeadType::escalation) write(about("escalation.created", row.bead_id));
  }

  void status_changed(const HistoryRow& row) {
    write(about("bead.status_changed", row.bead_id)
              .say("from", row.old_value)
              .say("to", row.new_value)
              .say("reason", row.rule));
    if (row.new_value == "closed") write(about("bead.closed", row.bead_id).say("reason", row.rule));
    if (row.new_value == "failed") write(about("bead.failed", row.bead_id).say("reason", row.rule));
    const Convoy* convoy = town_.convoy(row.bead_id);
    if (convoy != nullptr && row.new_value == "closed" && convoy->landed_at) write(about("convoy.landed", row.bead_id));
  }

  void agent(std::string_view event, const HistoryRow& row, std::string_view reason) {
    Line line = about(event, row.bead_id);
    write(with_agent(line, town_, row.agent_id).say("reason", reason));
  }

  void nudge(const MessageId& id) {
    const Nudge* nudge = town_.nudge(id);
    if (nudge == nullptr) return;
    Line line(nudge->created_at == at_ ? "nudge.queued" : "nudge.delivered", at_, town_.row().town_id.text);
    if (nudge->created_at == at_ || nudge->delivered_at == at_)
      write(with_agent(line, town_, nudge->agent_id).say("reason", nudge->source));
  }

  void acknowledged(const BeadId& id) {
    const Bead* bead = town_.bead(id);
    if (bead == nullptr || bead->type != BeadType::escalation || bead->detail == nullptr) return;
    const auto* escalation = std::get_if<Escalation>(bead->detail.get());
    if (escalation != nullptr && escalation->acknowledged_at == at_) write(about("escalation.acknowledged", id));
  }

  const Town& town_;
  const Instant at_;
  const Lifecycle::Write& write_;
  const Ticked& tick_;
};

std::string tick_line(const Ticked& tick) {
  const TickRecord& record = tick.record;
  json::object by_type;
  std::int64_t actions = 0;
  for (const Decided& decided : record.decisions) {
    if (decided.fate != ActionFate::applied) continue;
    for (const ActionBody& action : decided.actions) {
      json::value& count = by_type[action_type(action)];
      count = count.is_int64() ? count.get_int64() + 1 : 1;
      ++actions;
    }
  }
  return Line("reconciler_tick", record.at, tick.town.row().town_id.text)
      .count("tick", record.number)
      .count("duration_ms", static_cast<double>(record.wall_us) / 1000.0)
      .count("events_drained", static_cast<std::int64_t>(record.events.size()))
      .count("actions_emitted", actions)
      .count("effects_attempted", static_cast<std::int64_t>(record.effects.size()))
      .count("effects_succeeded", std::int64_t{record.effects_succeeded})
      .count("effects_failed", std::int64_t{record.effects_failed})
      .count("violations", static_cast<std::int64_t>(record.violations.size()))
      .count("pending_events", std::int64_t{record.pending_events})
      .label(std::move(by_type))
      .text();
}

}  // namespace

void Lifecycle::ticked(const Ticked& tick) {
  Told(tick, write_).all();
  const TickRecord& record = tick.record;
  Instant& told = tick_told_[tick.town.row().town_id];
  const bool something = !record.events.empty() || !record.decisions.empty() || !record.violations.empty();
  if (!something && record.at - told < kQuietTickEvery) return;
  told = record.at;
  write_(tick_line(tick));
}

void Lifecycle::ticked_quietly(const QuietTick& tick) {
  Instant& told = tick_told_[tick.town];
  if (tick.at - told < kQuietTickEvery) return;
  told = tick.at;
  Line line("reconciler_tick", tick.at, tick.town.text);
  line.count("duration_ms", static_cast<double>(tick.wall_us) / 1000.0);
  for (const std::string_view name : {"events_drained", "actions_emitted", "effects_attempted", "effects_succeeded",
                                      "effects_failed", "violations", "pending_events"})
    line.count(name, std::int64_t{0});
  write_(line.label({}).text());
}

void Lifecycle::effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes) {
  const Instant now = clock_.now();  // they may come without a tick
  for (const StoredEffect& outcome : outcomes) {
    const std::string_view kind = effect_kind(outcome.effect.body);
    const bool forge = kind == "poll_pr" || kind == "merge_pr" || kind == "publish_pr";
    if (!forge && kind != "start_agent") continue;
    Line line(forge ? "api.external_request" : "container.agent_start_fetch", now, town.text);
    line.say("route", kind).say("to", to_string(outcome.state));
    if (outcome.state != EffectState::done) line.say("error", outcome.detail.empty() ? "failed" : outcome.detail);
    write_(line.text());
  }
}

void Lifecycle::answered(std::string_view operation, int status, double seconds, Instant at) {
  Line line("http." + std::string(operation.empty() ? "none" : operation), at, {});
  line.say("delivery", "http").count("status_code", std::int64_t{status}).count("duration_ms", seconds * 1000.0);
  if (status >= 400) line.say("error", "status " + std::to_string(status));
  write_(line.text());
}

}  // namespace townd
