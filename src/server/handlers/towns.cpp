#include <algorithm>
#include <array>

#include "core/assignment.hpp"
#include "server/handlers.hpp"
#include "server/upgrade.hpp"

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
  row.config = call->services().node.town;
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
  call->look([call](const Engine::View& view) {
    call->succeed(status_shape(view, call->services().upgrade.of(call->town())));
  });
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

constexpr std::array<NamedHandler, 7> kHandlers{{
    {"town.create", create_town},
    {"town.list", list_towns},
    {"town.get", get_town},
    {"town.status", get_status},
    {"town.pause", pause_town},
    {"town.resume", resume_town},
    {"town.drain", drain_town},
}};

}  // namespace

std::span<const NamedHandler> town_handlers() { return kHandlers; }

}  // namespace townd
