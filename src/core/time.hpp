#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>

namespace townd {

/// A span of time in milliseconds.
struct Duration {
  std::int64_t ms = 0;
  friend auto operator<=>(const Duration&, const Duration&) = default;
  friend constexpr Duration operator*(Duration d, std::int64_t n) { return {d.ms * n}; }
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.ms + b.ms}; }
};

constexpr Duration seconds(std::int64_t n) { return {n * 1000}; }
constexpr Duration minutes(std::int64_t n) { return {n * 60'000}; }
constexpr Duration hours(std::int64_t n) { return {n * 3'600'000}; }
constexpr Duration days(std::int64_t n) { return {n * 86'400'000}; }

/// A moment: integer milliseconds since 1970-01-01T00:00:00Z.
struct Instant {
  std::int64_t ms = 0;
  friend auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant t, Duration d) { return {t.ms + d.ms}; }
  friend constexpr Instant operator-(Instant t, Duration d) { return {t.ms - d.ms}; }
  friend constexpr Duration operator-(Instant a, Instant b) { return {a.ms - b.ms}; }
};

using MaybeInstant = std::optional<Instant>;

inline constexpr Instant kNever{std::numeric_limits<std::int64_t>::max()};

/// domain.md §1: t is null, or now − t > d, strictly.
constexpr bool stale(MaybeInstant t, Duration d, Instant now) { return !t || now - *t > d; }

/// The first instant at which `stale(t, d)` holds.
constexpr Instant stale_at(Instant t, Duration d) { return t + d + Duration{1}; }

}  // namespace townd
