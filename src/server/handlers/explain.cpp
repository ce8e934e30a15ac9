#include <algorithm>
#include <array>

#include "codec/actions.hpp"
#include "codec/describe_events.hpp"
#include "codec/snapshot.hpp"
#include "codec/ticks.hpp"
#include "codec/time_text.hpp"
#include "core/image.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"
#include "server/live_hub.hpp"
#include "server/pages.hpp"

namespace townd {
namespace {

// ---- why and what next ---------------------------------------------------------------------------------------------

void why(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    std::string id = call->parameter("id");
    Explanation explanation = explain(view.town, id, view.now);
    if (explanation.status.empty() && explanation.decisions.empty()) {
      const Rig* rig = find_rig(view.town, id);
      const Agent* agent = find_agent(view.town, id);
      if (rig || agent) explanation = explain(view.town, rig ? rig->rig_id.text : agent->agent_id.text, view.now);
    }
    if (explanation.status.empty() && explanation.decisions.empty())
      return call->fail(Error::Code::not_found, "nothing in this town is called " + id,
                        "give the id of a bead, an agent, a rig or a message");
    call->succeed(explanation_json(explanation));
  });
}

/// The reference's names beside those of `plan --json`.
json::object dry_run_shape(const std::vector<TimedTick>& ticks, Instant at, int pending) {
  json::object shape = plan_json(ticks, at);
  json::object by_type;
  const json::array& actions = shape.at("actions").get_array();
  for (const json::value& action : actions) {
    json::value& count = by_type[action.at("type").get_string()];
    count = count.is_int64() ? count.get_int64() + 1 : 1;
  }
  shape.emplace("actionsEmitted", actions.size());
  shape.emplace("actionsByType", std::move(by_type));
  shape.emplace("pendingEventCount", pending);
  shape.emplace("eventsDrained", shape.at("events_applied"));
  return shape;
}

void dry_run(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const MaybeInstant at = call->arguments().time("at");
    if (at && *at < view.now)
      return call->fail(Error::Code::invalid, "the time is in the past; it is " + to_text(view.now),
                        "leave `at` out for now");
    const Instant when = at.value_or(view.now);
    const int pending = view.pending_events;
    call->services().engine.dry_run(call->town(), at,
                                    [call, when, pending](const expected<std::vector<TimedTick>>& ticks) {
                                      call->guarded([&] {
                                        if (!ticks) return call->fail(ticks.error());
                                        call->succeed(dry_run_shape(*ticks, when, pending));
                                      });
                                    });
  });
}

// ---- history -------------------------------------------------------------------------------------------------------

json::value parsed(std::string_view stored) {
  auto value = parse_json(stored);
  return value ? std::move(*value) : json::value(json::string(stored));
}

json::object event_shape(const EventRow& row) {
  json::object shape;
  shape.emplace("seq", row.seq);
  shape.emplace("event_type", row.event_type);
  shape.emplace("agent_id", row.agent_id);
  shape.emplace("bead_id", row.bead_id);
  shape.emplace("payload", parsed(row.payload));
  shape.emplace("created_at", to_text(row.created_at));
  shape.emplace("processed_at", row.processed_at ? json::value(to_text(*row.processed_at)) : json::value(nullptr));
  shape.emplace("fate", row.fate.empty() ? "pending" : row.fate);
  shape.emplace("note", row.note);
  return shape;
}

/// `use` on a worker's thread, if there is such a town: history alone would answer with nothing.
void with_history(const CallPtr& call, std::function<void(std::int64_t last_tick)> use) {
  call->look([call, use = std::move(use)](const Engine::View& view) {
    call->background([use, last = view.last_tick] { use(last); });
  });
}

void list_events(const CallPtr& call) {
  const Arguments& given = call->arguments();
  EventQuery query;
  query.from = given.time("from").value_or(Instant{});
  query.to = given.time("to").value_or(kNever);
  if (query.from > query.to) return call->fail(Error::Code::invalid, "`from` is later than `to`", "exchange them");
  query.type = given.text("type");
  query.bead_id = given.text("bead");
  query.agent_id = given.text("agent");
  query.after_seq = given.integer("after");
  query.limit = static_cast<int>(given.integer("limit", kPageDefault));
  with_history(call, [call, query](std::int64_t) {
    const auto rows = call->services().store.events(call->town(), query);
    if (!rows) return call->fail(rows.error());
    json::array list;
    for (const EventRow& row : *rows) list.push_back(event_shape(row));
    call->succeed(std::move(list));
  });
}

json::object tick_shape(const TickRow& row) {
  json::object shape;
  shape.emplace("tick", row.number);
  shape.emplace("at", to_text(row.at));
  shape.emplace("record", parsed(row.record));
  return shape;
}

/// With the facts that it was given and what became of its effects.
json::object opened_tick(const RecordedTick& tick, const std::vector<StoredEffect>& effects) {
  const JsonWriter writer(Blanks::null);
  json::array facts, carried_out;
  for (const Event& event : tick.events) facts.push_back(writer.write(event));
  for (const StoredEffect& effect : effects)
    carried_out.push_back({{"key", effect.effect.key},
                           {"state", effect_state_text(effect.state)},
                           {"attempts", effect.attempts},
                           {"detail", effect.detail}});
  return {{"tick", tick.record.number},
          {"at", to_text(tick.record.at)},
          {"record", parsed(encode_tick(tick.record))},
          {"facts", std::move(facts)},
          {"effects", std::move(carried_out)}};
}

void list_ticks(const CallPtr& call) {
  with_history(call, [call](std::int64_t last_tick) {
    const Arguments& given = call->arguments();
    TickQuery query;
    query.from = given.time("from").value_or(Instant{});
    query.to = given.time("to").value_or(kNever);
    query.rule = given.text("rule");
    query.bead_id = given.text("bead");
    query.agent_id = given.text("agent");
    query.violations = given.truth("violations");
    query.limit = static_cast<int>(given.integer("limit", kPageDefault));
    query.newest = !given.has("after");
    const bool all = query.rule.empty() && query.bead_id.empty() && query.agent_id.empty() && !query.violations &&
                     !given.has("from") && !given.has("to");
    query.after = given.integer("after", all ? std::max<std::int64_t>(0, last_tick - query.limit) : 0);
    if (query.from > query.to) return call->fail(Error::Code::invalid, "`from` is later than `to`", "exchange them");
    std::vector<std::string_view> known;
    for (const Rule& rule : rules()) known.push_back(rule.id);
    if (!query.rule.empty() && std::find(known.begin(), known.end(), query.rule) == known.end())
      return call->fail(Error::Code::invalid, "there is no rule " + query.rule,
                        "the nearest is " + std::string(nearest(query.rule, known)));
    const auto rows = call->services().store.ticks(call->town(), query);
    if (!rows) return call->fail(rows.error());
    json::array list;
    for (const TickRow& row : *rows) list.push_back(tick_shape(row));
    call->succeed(std::move(list));
  });
}

void get_tick(const CallPtr& call) {
  const std::string text = call->parameter("n");
  const bool digits = !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits)
    return call->fail(Error::Code::invalid, "a tick's number is a whole number", "take one of the list of ticks");
  const std::int64_t number = std::stoll(text);
  with_history(call, [call, number](std::int64_t) {
    Store& store = call->services().store;
    const auto ticks = store.recorded(call->town(), number - 1, 1);
    if (!ticks) return call->fail(ticks.error());
    if (ticks->empty() || ticks->front().record.number != number)
      return call->fail(Error::Code::not_found, "there is no record of tick " + std::to_string(number),
                        "a tick that changed nothing leaves none, and old ones are pruned");
    const auto effects = store.effects(call->town(), ticks->front().record.effects);
    if (!effects) return call->fail(effects.error());
    call->succeed(opened_tick(ticks->front(), *effects));
  });
}

// ---- the live stream and the whole town ----------------------------------------------------------------------------

void stream(const CallPtr& call) {
  const std::string_view last = call->request().header("Last-Event-ID");
  const auto after = stream_place(last);
  if (!last.empty() && !after)
    return call->fail(Error::Code::invalid, "Last-Event-ID is none of this stream's ids", "leave it out to begin now");
  call->look([call, after](const Engine::View&) {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = call->services().live.open(call->town(), after);
    if (!response.stream)
      return call->fail(Error::Code::too_many, "too many streams are open", "close one and try again");
    call->respond(std::move(response));
  });
}

std::vector<Hash128> texts_of(const TownImage& image) {
  std::vector<Hash128> hashes;
  for (const Bead& bead : image.beads) hashes.push_back(bead.body.hash);
  for (const Agent& agent : image.agents) hashes.push_back(agent.checkpoint.hash);
  for (const Mail& mail : image.mail) hashes.push_back(mail.body.hash);
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  std::erase(hashes, Hash128{});
  return hashes;
}

void snapshot(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    auto whole = std::make_shared<Snapshot>();
    whole->image = image_of(view.town);
    whole->now = view.now;
    call->background([call, whole] {
      for (const Hash128& hash : texts_of(whole->image)) {
        auto text = call->services().store.text(call->town(), hash);
        if (!text) return call->fail(text.error());
        if (*text) whole->texts.emplace(hash, std::move(**text));
      }
      Response response;
      response.body = write_snapshot(*whole);
      call->respond(std::move(response));
    });
  });
}

constexpr std::array<NamedHandler, 7> kHandlers{{
    {"explain.why", why},
    {"debug.dry_run", dry_run},
    {"event.list", list_events},
    {"tick.list", list_ticks},
    {"tick.get", get_tick},
    {"town.stream", stream},
    {"town.snapshot", snapshot},
}};

}  // namespace

std::span<const NamedHandler> explain_handlers() { return kHandlers; }

}  // namespace townd
