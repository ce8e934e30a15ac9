#include "engine/past.hpp"

#include <array>

#include "codec/bundle.hpp"
#include "codec/describe_rows.hpp"
#include "codec/fields.hpp"
#include "codec/replays.hpp"
#include "codec/snapshot.hpp"
#include "codec/ticks.hpp"
#include "codec/time_text.hpp"
#include "core/explain.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"
#include "server/shapes.hpp"
#include "server/version.hpp"

namespace townd {
namespace {

/// A stretch of the past, or why it is none.
expected<Window> in_the_past(const Window& window, Instant now) {
  if (window.from > window.to) return fail(Error::Code::invalid, "`from` is later than `to`", "exchange them");
  if (window.to > now)
    return fail(Error::Code::invalid, to_text(window.to) + " has not come yet; it is " + to_text(now),
                "the past can be run again; what will happen shows: town plan --at");
  return window;
}

expected<Window> window_of(const Arguments& given, Instant now) {
  return in_the_past({given.time("from").value_or(now), given.time("to").value_or(now)}, now);
}

/// Runs a stretch of the past again on a worker's thread.
void with_past(const CallPtr& call, const expected<Window>& window, Variation variation,
               std::function<void(PastRun&, const Window&)> use) {
  if (!window) return call->fail(window.error());
  call->background([call, window = *window, variation = std::move(variation), use = std::move(use)] {
    auto past = run_past(call->services().store, call->town(), window, variation);
    if (!past) return call->fail(past.error());
    use(*past, window);
  });
}

// ---- replay --------------------------------------------------------------------------------------------------------

WhatIf what_if_of(const Arguments& given) {
  WhatIf what_if;
  what_if.dropped = given.integers("drop");
  what_if.without_rules = given.texts("without_rules");
  if (const json::object* set = given.value("set").if_object()) what_if.set = *set;
  return what_if;
}

void replay(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    auto variation = variation_of(what_if_of(call->arguments()), view.town.config());
    if (!variation) return call->fail(variation.error());
    with_past(call, window_of(call->arguments(), view.now), std::move(*variation),
              [call](PastRun& past, const Window& window) {
                auto pending = call->services().store.pending(call->town());
                if (!pending) return call->fail(pending.error());
                std::erase_if(*pending, [&](const Event& event) { return event.created_at > window.to; });
                json::object shape = rerun_json(past.rerun, window, *pending);
                shape["snapshot_at"] = to_text(past.snapshot_at);
                json::array unusable;
                for (const std::string& why : past.unusable) unusable.emplace_back(why);
                shape["unusable_snapshots"] = std::move(unusable);
                call->succeed(std::move(shape));
              });
  });
}

// ---- time travel ---------------------------------------------------------------------------------------------------

/// `use` with the town as it was at the moment that the request names.
void with_moment(const CallPtr& call, std::function<void(const Town&, Instant)> use) {
  call->look([call, use = std::move(use)](const Engine::View& view) {
    const Instant at = call->arguments().time("at").value_or(view.now);
    with_past(call, in_the_past({at, at}, view.now), {},
              [use](PastRun& past, const Window& window) { use(past.rerun.town, window.to); });
  });
}

/// The id of what is called so: an agent and a rig have names too.
std::string id_of(const Town& town, const std::string& name) {
  if (town.bead(BeadId(name))) return name;
  if (const Agent* agent = find_agent(town, name)) return agent->agent_id.text;
  if (const Rig* rig = find_rig(town, name)) return rig->rig_id.text;
  return name;
}

void fail_unknown(const CallPtr& call, const std::string& id, Instant at) {
  call->fail(Error::Code::not_found, "nothing was called " + id + " at " + to_text(at),
             "it was made later, or had left the town: town log " + id);
}

void state_at(const CallPtr& call) {
  with_moment(call, [call](const Town& town, Instant at) {
    Snapshot snapshot;
    snapshot.image = image_of(town);
    snapshot.now = at;
    Response response;
    response.body = write_snapshot(snapshot);
    call->respond(std::move(response));
  });
}

void show_at(const CallPtr& call) {
  with_moment(call, [call](const Town& town, Instant at) {
    const std::string id = call->parameter("id");
    if (const Bead* bead = town.bead(BeadId(id))) {
      LateTexts texts;
      json::object shape = bead_detail(town, *bead, texts);
      return call->succeed(std::move(shape), std::move(texts));
    }
    const JsonWriter writer(Blanks::null);
    if (const Agent* agent = find_agent(town, id)) return call->succeed(writer.write(*agent));
    if (const Rig* rig = find_rig(town, id)) return call->succeed(writer.write(*rig));
    fail_unknown(call, id, at);
  });
}

void why_at(const CallPtr& call) {
  with_moment(call, [call](const Town& town, Instant at) {
    const std::string id = id_of(town, call->parameter("id"));
    const Explanation explanation = explain(town, id, at);
    if (explanation.status.empty() && explanation.decisions.empty()) return fail_unknown(call, id, at);
    call->succeed(explanation_json(explanation));
  });
}

// ---- bundles -------------------------------------------------------------------------------------------------------

/// Of a bead's life at most this last part is put into a bundle.
constexpr Duration kBundleReach = hours(24);

/// The moment of the tick that is asked for; `number`: it must be this one.
expected<Window> window_of_tick(const CallPtr& call, const TickQuery& query, const std::string& none,
                                std::optional<std::int64_t> number = {}) {
  const auto rows = call->services().store.ticks(call->town(), query);
  if (!rows) return tl::unexpected(rows.error());
  if (rows->empty() || (number && rows->back().number != *number))
    return fail(Error::Code::not_found, none, "see them with: town ticks");
  return Window{rows->back().at, rows->back().at};
}

/// What the bundle is to be about, for whoever reads it, and the stretch that shows it.
struct BundleWanted {
  std::string about;
  expected<Window> window;
};

BundleWanted bundle_about_tick(const CallPtr& call) {
  TickQuery query;
  query.newest = true;
  query.limit = 1;
  const Arguments& given = call->arguments();
  if (given.truth("last_violation")) {
    query.violations = true;
    return {"the last violation",
            window_of_tick(call, query, "no tick of this town that is still remembered broke a rule")};
  }
  const std::int64_t number = given.integer("tick");
  query.after = number - 1;
  query.newest = false;
  const std::string name = "tick " + std::to_string(number);
  return {name, window_of_tick(call, query, "there is no record of " + name, number)};
}

/// The last part of the life of whatever has this id.
expected<Window> window_about(const Town& town, const std::string& id, Instant now) {
  Window window{now - kBundleReach, now};
  if (const Bead* bead = town.bead(BeadId(id))) {
    if (bead->closed_at) window.to = *bead->closed_at;
    window.from = std::max(bead->created_at, window.to - kBundleReach);
  } else if (explain(town, id, now).status.empty()) {
    return fail(Error::Code::not_found, "nothing in this town is called " + id,
                "give the id of a bead, an agent or a rig");
  }
  return window;
}

void send_bundle(const CallPtr& call, const BundleWanted& wanted) {
  if (!wanted.window) return call->fail(wanted.window.error());
  const auto window = remembered(call->services().store, call->town(), *wanted.window);
  if (!window) return call->fail(window.error());
  auto bundle = bundle_of(call->services().store, call->town(), *window);
  if (!bundle) return call->fail(bundle.error());
  bundle->about = wanted.about;
  bundle->build = kVersion;
  Response response;
  response.content_type = "application/zstd";
  response.body = write_bundle(*bundle);
  call->respond(std::move(response));
}

void bundle(const CallPtr& call) {
  const Arguments& given = call->arguments();
  if (!given.text("about").empty() + given.has("tick") + given.truth("last_violation") != 1)
    return call->fail(Error::Code::invalid, "a bundle is about one thing",
                      "name a bead with `about`, a tick with `tick`, or say `last_violation`");
  call->look([call](const Engine::View& view) {
    const std::string id = id_of(view.town, call->arguments().text("about"));
    if (id.empty()) return call->background([call] { send_bundle(call, bundle_about_tick(call)); });
    call->background(
        [call, wanted = BundleWanted{id, window_about(view.town, id, view.now)}] { send_bundle(call, wanted); });
  });
}

// ---- between two moments -------------------------------------------------------------------------------------------

void changes(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    with_past(call, window_of(call->arguments(), view.now), {},
              [call](PastRun& past, const Window& window) { call->succeed(changes_json(past.rerun, window)); });
  });
}

constexpr std::array<NamedHandler, 6> kHandlers{{
    {"debug.replay", replay},
    {"past.state", state_at},
    {"past.show", show_at},
    {"past.why", why_at},
    {"past.changes", changes},
    {"past.bundle", bundle},
}};

}  // namespace

std::span<const NamedHandler> past_handlers() { return kHandlers; }

}  // namespace townd
