#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace townd {

/// `2026-07-01T12:00:00.000Z`; kNever is `never`.
std::string to_text(Instant t);
/// ISO 8601: a date and a time of day with `T` or a space between, up to nine decimals of a second (cut to
/// milliseconds), and `Z`, an offset such as `+02:00`, or nothing, which is read as UTC. Or `never`.
std::optional<Instant> instant_from_text(std::string_view text);

/// `90s`, `2h30m`, `250ms`: the largest units first, none that is zero; `0s` for nothing.
std::string to_text(Duration d);
/// Numbers with the units `d h m s ms` in that order, each at most once.
std::optional<Duration> duration_from_text(std::string_view text);

}  // namespace townd
