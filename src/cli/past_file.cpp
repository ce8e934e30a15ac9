#include "cli/past_file.hpp"

#include <algorithm>

#include "cli/input.hpp"
#include "codec/bundle.hpp"
#include "codec/time_text.hpp"

namespace townd::cli {
namespace {

constexpr std::size_t kFileLimit = std::size_t{4} << 30;

}  // namespace

expected<PastFile> PastFile::open(const std::string& path) {
  const auto bytes = file_contents(path, kFileLimit);
  if (!bytes) return tl::unexpected(bytes.error());
  auto bundle = read_bundle(*bytes);
  if (!bundle) return fail(bundle.error().code, path + ": " + bundle.error().what, bundle.error().hint);
  return PastFile(std::move(*bundle));
}

expected<Instant> PastFile::moment(const std::optional<std::string>& text) const {
  if (!text) return bundle_.until;
  const auto at = instant_from_text(*text);
  if (!at || *at == kNever)
    return fail(Error::Code::invalid, "\"" + *text + "\" is no time", "write it as 2026-07-01T12:00:00Z");
  if (*at < bundle_.start_at)
    return fail(Error::Code::not_found, "the file begins later, at " + to_text(bundle_.start_at), "take a later time");
  return *at;
}

expected<Instant> PastFile::past_moment(const std::optional<std::string>& text) const {
  auto at = moment(text);
  if (at && *at > bundle_.until)
    return fail(Error::Code::invalid, "the file ends before, at " + to_text(bundle_.until),
                "what would have followed shows: town plan --snapshot FILE --at");
  return at;
}

expected<Rerun> PastFile::run_again(const Window& window, Variation variation) const {
  const auto source = [this](std::int64_t after) -> expected<std::vector<RecordedTick>> {
    const auto next =
        std::upper_bound(bundle_.ticks.begin(), bundle_.ticks.end(), after,
                         [](std::int64_t number, const RecordedTick& tick) { return number < tick.record.number; });
    return std::vector<RecordedTick>(next, bundle_.ticks.end());
  };
  return townd::run_again({bundle_.start_tick, bundle_.start_at, town_of(bundle_.start)}, source, window,
                          std::move(variation));
}

std::vector<Event> PastFile::pending_at(Instant at) const {
  std::vector<Event> pending = bundle_.pending;
  std::erase_if(pending, [&](const Event& event) { return event.created_at > at; });
  return pending;
}

}  // namespace townd::cli
