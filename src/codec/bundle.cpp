#include "codec/bundle.hpp"

#include <optional>
#include <utility>

#include "codec/compression.hpp"
#include "codec/describe_events.hpp"
#include "codec/snapshot.hpp"
#include "codec/ticks.hpp"
#include "codec/time_text.hpp"

namespace townd {
namespace {

constexpr std::string_view kFamily = "town-bundle/";
constexpr std::string_view kFormat = "town-bundle/1";

std::string events_text(const std::vector<Event>& events) {
  const JsonWriter writer(Blanks::omit);
  std::string text = "[";
  for (const Event& event : events) {
    if (text.size() > 1) text += ',';
    text += json::serialize(writer.write(event));
  }
  return text + "]";
}

/// Reads the members of a bundle one after the other; the first that is wrong ends it.
class BundleReader {
 public:
  explicit BundleReader(const json::object& document) : document_(document) {}

  expected<Bundle> read() {
    Bundle bundle;
    bundle.about = text("about");
    bundle.build = text("build");
    if (!read_start(bundle) || !read_ticks(bundle)) return tl::unexpected(*problem_);
    if (!read_events(member(document_, "pending"), "pending", bundle.pending)) return tl::unexpected(*problem_);
    return bundle;
  }

 private:
  static const json::value& member(const json::object& object, std::string_view name) {
    static const json::value nothing;
    const json::value* found = object.if_contains(name);
    return found ? *found : nothing;
  }

  [[nodiscard]] std::string text(std::string_view name) const {
    const json::value& found = member(document_, name);
    return found.is_string() ? std::string(found.get_string()) : std::string{};
  }

  bool wrong(const std::string& place, const std::string& why) {
    problem_ = Error{Error::Code::invalid, "the bundle's " + place + ": " + why, "make it again with town bundle"};
    return false;
  }

  bool read_start(Bundle& bundle) {
    const json::value& tick = member(document_, "after_tick");
    if (!tick.is_int64()) return wrong("after_tick", "is no number");
    auto snapshot = snapshot_from_json(member(document_, "snapshot"));
    if (!snapshot) return wrong("snapshot", snapshot.error().what);
    const auto until = instant_from_text(text("until"));
    if (!until) return wrong("until", "is no time");
    bundle.until = *until;
    bundle.start_tick = tick.get_int64();
    bundle.start_at = snapshot->now;
    bundle.start = std::move(snapshot->image);
    return true;
  }

  bool read_ticks(Bundle& bundle) {
    const json::array* ticks = member(document_, "ticks").if_array();
    if (!ticks) return wrong("ticks", "are no list");
    for (const json::value& entry : *ticks) {
      const std::string place = "ticks/" + std::to_string(bundle.ticks.size());
      const json::object* object = entry.if_object();
      if (!object) return wrong(place, "is no object");
      auto record = decode_tick(json::serialize(member(*object, "record")));
      if (!record) return wrong(place, record.error().what);
      RecordedTick tick{std::move(*record), {}};
      if (!read_events(member(*object, "facts"), place + "/facts", tick.events)) return false;
      bundle.ticks.push_back(std::move(tick));
    }
    return true;
  }

  bool read_events(const json::value& value, const std::string& place, std::vector<Event>& out) {
    const json::array* list = value.if_array();
    if (!list) return wrong(place, "are no list");
    for (const json::value& entry : *list) {
      JsonReader reader;
      Event event;
      if (!reader.read(entry, event))
        return wrong(place + "/" + std::to_string(out.size()) + reader.issue.path, reader.issue.message);
      out.push_back(std::move(event));
    }
    return true;
  }

  const json::object& document_;
  std::optional<Error> problem_;
};

}  // namespace

std::string write_bundle(const Bundle& bundle) {
  Snapshot start;
  start.image = bundle.start;
  start.now = bundle.start_at;
  std::string text = R"({"format":")" + std::string(kFormat) + R"(","about":)" +
                     json::serialize(json::string(bundle.about)) + R"(,"build":)" +
                     json::serialize(json::string(bundle.build)) + R"(,"until":")" + to_text(bundle.until) +
                     R"(","after_tick":)" + std::to_string(bundle.start_tick) +
                     ",\n\"snapshot\":" + write_snapshot(start) + ",\"ticks\":[";
  for (const RecordedTick& tick : bundle.ticks)
    text += (&tick == &bundle.ticks.front() ? "\n" : ",\n") + (R"({"record":)" + encode_tick(tick.record)) +
            R"(,"facts":)" + events_text(tick.events) + "}";
  text += "],\n\"pending\":" + events_text(bundle.pending) + "}\n";
  return compress(text);
}

expected<Bundle> read_bundle(std::string_view bytes) {
  std::string unpacked;
  if (is_compressed(bytes)) {
    auto text = decompress(bytes);
    if (!text) return tl::unexpected(text.error());
    unpacked = std::move(*text);
    bytes = unpacked;
  }
  const auto document = parse_json(bytes);
  if (!document) return tl::unexpected(document.error());
  const json::object* object = document->if_object();
  const json::value* format = object ? object->if_contains("format") : nullptr;
  const bool named = format && format->is_string();
  if (named && format->get_string() == kFormat) return BundleReader(*object).read();
  if (named && format->get_string().starts_with(kFamily))
    return fail(Error::Code::invalid, "it is a " + std::string(format->get_string()) + ", which a newer townd wrote",
                "read it with that townd, or a newer one");
  auto snapshot = snapshot_from_json(*document);
  if (!snapshot) return tl::unexpected(snapshot.error());
  Bundle bundle;
  bundle.start_at = bundle.until = snapshot->now;
  bundle.start = std::move(snapshot->image);
  bundle.pending = std::move(snapshot->events);
  return bundle;
}

}  // namespace townd
