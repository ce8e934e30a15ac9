#include "server/live_hub.hpp"

#include <charconv>

#include "codec/json.hpp"

namespace townd {
namespace {

std::string text(const StreamPlace& place) { return std::to_string(place.tick) + "." + std::to_string(place.item); }

std::string frame_of(const StreamPlace& place, const StreamItem& item) {
  json::object data;
  data.emplace("kind", item.kind);
  data.emplace("id", item.id);
  data.emplace("tick", item.tick);
  data.emplace("data", item.data);
  return "id: " + text(place) + "\nevent: " + item.kind + "\ndata: " + json::serialize(data) + "\n\n";
}

std::string gap_frame(const StreamPlace& after) {
  return "event: gap\ndata: {\"kind\":\"gap\",\"after\":\"" + text(after) + "\"}\n\n";
}

}  // namespace

std::optional<StreamPlace> stream_place(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto whole = [](std::string_view digits, std::int64_t& out) {
    const auto [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return problem == std::errc{} && stop == digits.data() + digits.size() && out >= 0;
  };
  StreamPlace place;
  if (!whole(text.substr(0, dot), place.tick) || !whole(text.substr(dot + 1), place.item)) return std::nullopt;
  return place;
}

void LiveHub::listen(Engine& engine) {
  engine.on_stream([this](const TownId& town, const StreamItem& item) { add(town, item); });
}

void LiveHub::add(const TownId& town, const StreamItem& item) {
  const std::lock_guard lock(mutex_);
  Channel& channel = channels_[town];
  // An item of an older tick that is told late stands behind what is newer: places only grow.
  const bool same = item.tick <= channel.newest.tick;
  channel.newest = same ? StreamPlace{channel.newest.tick, channel.newest.item + 1} : StreamPlace{item.tick, 1};
  if (!channel.readers.empty()) {
    const std::string frame = frame_of(channel.newest, item);
    std::erase_if(channel.readers, [&](const std::shared_ptr<LiveStream>& reader) { return !reader->push(frame); });
  }
  channel.last.push_back({channel.newest, item});
  if (channel.last.size() > kRemembered) channel.last.pop_front();
}

std::shared_ptr<LiveStream> LiveHub::open(const TownId& town, std::optional<StreamPlace> after) {
  auto stream = seats_.take(": still here\n\n");
  if (!stream) return nullptr;
  const std::lock_guard lock(mutex_);
  Channel& channel = channels_[town];
  stream->push(": open\n\n");
  if (after) {
    const bool complete = !channel.last.empty() && channel.last.front().place <= *after && *after <= channel.newest;
    if (!complete) stream->push(gap_frame(*after));
    for (const Remembered& remembered : channel.last)
      if (!complete || remembered.place > *after) stream->push(frame_of(remembered.place, remembered.item));
  }
  channel.readers.push_back(stream);
  return stream;
}

void LiveHub::finish() {
  const std::lock_guard lock(mutex_);
  for (auto& [town, channel] : channels_) {
    for (const auto& reader : channel.readers) reader->finish();
    channel.readers.clear();
  }
}

}  // namespace townd
