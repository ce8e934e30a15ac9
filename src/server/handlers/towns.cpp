#include <algorithm>
#include <array>
#include <cmath>

#include "codec/describe_rows.hpp"
#include "codec/fields.hpp"
#include "core/assignment.hpp"
#include "core/budget.hpp"
#include "server/handlers.hpp"

namespace townd {
namespace {

/// Answers with the town as it is now.
void answer_town(const CallPtr& call, const TownId& id) {
  call->look_at(id, [call](const Engine::View& view) { call->succeed(town_shape(view)); });
}

// ---- a new town ----------------------------------------------------------------------------------------------------

std::string free_id(std::string_view name, const std::vector<TownId>& towns) {
  const std::string stem = slug(name);
  std::string id = stem;
  for (int n = 2; std::find(towns.begin(), towns.end(), TownId(id)) != towns.end(); ++n)
    id = stem + "-" + std::to_string(n);
  return id;
}

void create_town(const CallPtr& call) {
  TownRow row;
  row.name = call->arguments().text("name");
  row.town_id = TownId(free_id(row.name, call->services().engine.towns()));
  row.prefix = call->arguments().text("prefix");  // empty: the engine makes one that nobody has
  row.config = call->services().new_town;
  const TownId id = row.town_id;
  call->services().engine.create_town(std::move(row), [call, id](const expected<Receipt>& receipt) {
    call->guarded([&] {
      if (!receipt) return call->fail(receipt.error());
      answer_town(call, id);
    });
  });
}

// ---- looking -------------------------------------------------------------------------------------------------------

void gather_shapes(const CallPtr& call, std::vector<TownId> towns, json::array shapes) {
  if (towns.empty()) return call->succeed(std::move(shapes));
  const TownId next = towns.front();
  towns.erase(towns.begin());
  call->look_at(next, [call, towns = std::move(towns), shapes = std::move(shapes)](const Engine::View& view) mutable {
    shapes.push_back(town_shape(view));
    gather_shapes(call, std::move(towns), std::move(shapes));
  });
}

void list_towns(const CallPtr& call) {
  std::vector<TownId> towns = call->services().engine.towns();
  if (call->caller().has_run()) towns = {call->caller().town};
  const TownId after(call->arguments().text("after"));
  std::sort(towns.begin(), towns.end());
  std::erase_if(towns, [&](const TownId& id) { return id <= after; });
  const auto limit = static_cast<std::size_t>(call->arguments().integer("limit", 100));
  if (towns.size() > limit) towns.resize(limit);
  gather_shapes(call, std::move(towns), {});
}

void get_town(const CallPtr& call) { answer_town(call, call->town()); }

void get_status(const CallPtr& call) {
  call->look([call](const Engine::View& view) { call->succeed(status_shape(view)); });
}

// ---- operating -----------------------------------------------------------------------------------------------------

void submit_and_show(const CallPtr& call, EventBody body) {
  call->submit(std::move(body), [call](const Receipt&) { answer_town(call, call->town()); });
}

void pause_town(const CallPtr& call) { submit_and_show(call, events::TownPaused{call->arguments().text("reason")}); }
void resume_town(const CallPtr& call) { submit_and_show(call, events::TownResumed{}); }
void drain_town(const CallPtr& call) {
  if (call->arguments().truth("end"))
    submit_and_show(call, events::DrainEnded{});
  else
    submit_and_show(call, events::DrainStarted{});
}

/// People count in dollars, the town in micro-dollars.
void get_config(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const TownConfig& config = view.town.config();
    json::value shape = to_json(config);
    json::value& usd = shape.get_object()[kUsdPerDay];
    if (config.micro_usd_per_day) usd = static_cast<double>(*config.micro_usd_per_day) / kMicroUsd;
    call->succeed(std::move(shape));
  });
}

/// Takes the dollars out of what was given; false when they are none.
bool take_dollars(json::object& given, TownConfig& config) {
  const json::value* dollars = given.if_contains(kUsdPerDay);
  if (!dollars) return true;
  json::error_code error;
  const double usd = dollars->to_number<double>(error);
  if (error || !(usd >= 0 && usd <= kMostUsd)) return false;
  config.micro_usd_per_day = std::llround(usd * kMicroUsd);
  given.erase(kUsdPerDay);
  return true;
}

void patch_config(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    TownConfig config = view.town.config();
    const int version = config.version;
    json::object given = call->arguments().all();
    if (!take_dollars(given, config))
      return call->fail(Error::Code::invalid, "usd_per_day is an amount in dollars, from 0 to 1000000000");
    JsonReader reader;
    if (!reader.read(json::value(std::move(given)), config))
      return call->respond(failure(400, "the settings are not right: " + reader.issue.message,
                                   "GET the config to see every key", {reader.issue}));
    if (config.max_polecats < 1)
      return call->fail(Error::Code::invalid, "max_polecats is at least 1", "town pause starts nothing new");
    if (config.runs_per_day < 1)
      return call->fail(Error::Code::invalid, "runs_per_day is at least 1", "town pause starts nothing new");
    if (config.polecat_preset.empty() || config.refinery_preset.empty() || config.mayor_preset.empty())
      return call->fail(Error::Code::invalid, "a preset needs a name", "town agent check lists those that are known");
    config.version = version + 1;
    call->submit(events::ConfigChanged{std::move(config)}, [call](const Receipt&) { get_config(call); });
  });
}

constexpr std::array<NamedHandler, 9> kHandlers{{
    {"town.create", create_town},
    {"town.list", list_towns},
    {"town.get", get_town},
    {"town.status", get_status},
    {"town.pause", pause_town},
    {"town.resume", resume_town},
    {"town.drain", drain_town},
    {"config.get", get_config},
    {"config.patch", patch_config},
}};

}  // namespace

std::span<const NamedHandler> town_handlers() { return kHandlers; }

}  // namespace townd
