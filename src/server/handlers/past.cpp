#include "engine/past.hpp"

#include <array>

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

/// What the request wants to be different; `config` is the town's now, by which the settings are judged.
expected<Variation> variation_of(const Arguments& given, const TownConfig& config) {
  Variation variation;
  for (const std::int64_t seq : given.integers("drop")) variation.dropped.insert(seq);
  for (const std::string& id : given.texts("without_rules")) {
    std::vector<std::string_view> known;
    for (const Rule& rule : rules()) known.push_back(rule.id);
    if (std::find(known.begin(), known.end(), id) == known.end())
      return fail(Error::Code::invalid, "there is no rule " + id, "the nearest is " + std::string(nearest(id, known)));
    variation.without_rules.push_back(id);
  }
  const json::value set = given.value("set");
  if (!set.is_object() || set.get_object().empty()) return variation;
  TownConfig tried = config;
  JsonReader reader;
  if (!reader.read(set, tried))
    return fail(Error::Code::invalid, "set" + reader.issue.path + ": " + reader.issue.message,
                "town config list shows every key");
  variation.change = [set](Town& town) {
    TownRow row = town.row();
    JsonReader again;
    again.read(set, row.config);
    town.put(std::move(row));
  };
  return variation;
}

void replay(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    auto variation = variation_of(call->arguments(), view.town.config());
    if (!variation) return call->fail(variation.error());
    with_past(call, window_of(call->arguments(), view.now), std::move(*variation),
              [call](PastRun& past, const Window& window) {
                json::object shape = rerun_json(past.rerun, window);
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
    const std::string id = call->parameter("id");
    const Explanation explanation = explain(town, id, at);
    if (explanation.status.empty() && explanation.decisions.empty()) return fail_unknown(call, id, at);
    call->succeed(explanation_json(explanation));
  });
}

void changes(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    with_past(call, window_of(call->arguments(), view.now), {},
              [call](PastRun& past, const Window& window) { call->succeed(changes_json(past.rerun, window)); });
  });
}

constexpr std::array<NamedHandler, 5> kHandlers{{
    {"debug.replay", replay},
    {"past.state", state_at},
    {"past.show", show_at},
    {"past.why", why_at},
    {"past.changes", changes},
}};

}  // namespace

std::span<const NamedHandler> past_handlers() { return kHandlers; }

}  // namespace townd
