#include <algorithm>

#include "codec/describe_events.hpp"
#include "codec/snapshot.hpp"

namespace townd {
namespace {

class SnapshotWriter {
 public:
  explicit SnapshotWriter(const Snapshot& snapshot) : snapshot_(snapshot), writer_(Blanks::null, &snapshot.texts) {}

  std::string text() && {
    const TownImage& image = snapshot_.image;
    out_ = "{";
    rows("agents", image.agents);
    rows("beads", image.beads);
    rows("convoys", image.convoys);
    rows("dependencies", image.dependencies);
    events();
    member("format", "\"town-snapshot/1\"");
    rows("mail", image.mail);
    rows("nudges", image.nudges);
    rows("reviews", image.reviews);
    rows("rigs", image.rigs);
    rows("runs", image.runs);
    member("town", canonical_text(town()));
    out_ += "}\n";
    return std::move(out_);
  }

 private:
  void member(std::string_view key, std::string_view text) {
    if (out_.size() > 1) out_ += ",\n";
    out_ += '"';
    out_ += key;
    out_ += "\":";
    out_ += text;
  }
  template <class Row>
  void rows(std::string_view key, const std::vector<Row>& rows) {
    list(key, rows, [this](const Row& row) { return writer_.write(row); });
  }
  template <class Row, class Write>
  void list(std::string_view key, const std::vector<Row>& rows, Write write) {
    std::string text = "[";
    for (const Row& row : rows) {
      text += &row == &rows.front() ? "\n" : ",\n";
      text += canonical_text(write(row));
    }
    text += ']';
    member(key, text);
  }

  void events() {
    std::vector<json::value> all;
    for (const Event& event : snapshot_.events) all.push_back(writer_.write(event));
    for (const DeferredEvent& deferred : snapshot_.image.deferred) {
      if (!deferred.event) continue;
      json::object event = writer_.write(*deferred.event).get_object();
      event.emplace("attempts", deferred.attempts);
      event.emplace("reason", deferred.reason);
      event.emplace("retry_at", to_text(deferred.retry_at));
      all.push_back(std::move(event));
    }
    std::stable_sort(all.begin(), all.end(), [](const json::value& a, const json::value& b) {
      return a.at("seq").as_int64() < b.at("seq").as_int64();
    });
    list("events", all, [](const json::value& event) { return event; });
  }

  json::value town() const {
    const TownRow& row = snapshot_.image.town;
    json::object town = writer_.write_members(row, {"town_id"});
    town.emplace("id", row.town_id.text);
    town.emplace("now", to_text(snapshot_.now));
    town.emplace("draining", row.draining_since.has_value());
    return town;
  }

  const Snapshot& snapshot_;
  JsonWriter writer_;
  std::string out_;
};

}  // namespace

std::string write_snapshot(const Snapshot& snapshot) { return SnapshotWriter(snapshot).text(); }

}  // namespace townd
