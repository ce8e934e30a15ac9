#include "codec/time_text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>

namespace townd {
namespace {

namespace chrono = std::chrono;

constexpr std::string_view kNeverText = "never";

/// Exactly `digits` decimal digits at the front of `text`, taken off it; -1 when they are not there.
int take_digits(std::string_view& text, int digits) {
  if (text.size() < static_cast<std::size_t>(digits)) return -1;
  int value = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(static_cast<std::size_t>(digits));
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_milliseconds(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int64_t ms = 0;
  int digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9' && digits < 9) {
    if (digits < 3) ms = ms * 10 + (text.front() - '0');
    text.remove_prefix(1);
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 3; ++digits) ms *= 10;
  return ms;
}

/// Minutes that the rest of `text` is ahead of UTC.
std::optional<int> offset_minutes(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const int sign = text.front() == '-' ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const int hours = take_digits(text, 2);
  take(text, ':');
  const int minutes = take_digits(text, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

/// By hand: rows hold many times, and snprintf took a quarter of writing one.
void put_digits(std::string& out, unsigned value, int least) {
  std::array<char, 10> digits{};
  int count = 0;
  while (value > 0 || count < least) {
    digits[static_cast<std::size_t>(count++)] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  while (count > 0) out += digits[static_cast<std::size_t>(--count)];
}

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array<Unit, 5> kUnits{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

}  // namespace

std::string to_text(Instant t) {
  if (t == kNever) return std::string(kNeverText);
  const chrono::sys_time<chrono::milliseconds> moment{chrono::milliseconds{t.ms}};
  const auto day = chrono::floor<chrono::days>(moment);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{moment - day};
  std::string text;
  text.reserve(24);
  if (date.year() < chrono::year{0}) text += '-';
  put_digits(text, static_cast<unsigned>(std::abs(static_cast<int>(date.year()))), 4);
  text += '-';
  put_digits(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  put_digits(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  put_digits(text, static_cast<unsigned>(clock.hours().count()), 2);
  text += ':';
  put_digits(text, static_cast<unsigned>(clock.minutes().count()), 2);
  text += ':';
  put_digits(text, static_cast<unsigned>(clock.seconds().count()), 2);
  text += '.';
  put_digits(text, static_cast<unsigned>(clock.subseconds().count()), 3);
  text += 'Z';
  return text;
}

std::optional<Instant> instant_from_text(std::string_view text) {
  if (text == kNeverText) return kNever;
  const int year = take_digits(text, 4);
  if (year < 0 || !take(text, '-')) return std::nullopt;
  const int month = take_digits(text, 2);
  if (month < 0 || !take(text, '-')) return std::nullopt;
  const int day = take_digits(text, 2);
  if (day < 0 || (!take(text, 'T') && !take(text, ' '))) return std::nullopt;
  const int hour = take_digits(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return std::nullopt;
  const int minute = take_digits(text, 2);
  if (minute < 0 || minute > 59 || !take(text, ':')) return std::nullopt;
  const int second = take_digits(text, 2);
  if (second < 0 || second > 59) return std::nullopt;
  const auto ms = take_milliseconds(text);
  const auto ahead = offset_minutes(text);
  if (!ms || !ahead) return std::nullopt;

  const chrono::year_month_day date{chrono::year{year}, chrono::month{static_cast<unsigned>(month)},
                                    chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days_since_epoch = chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t minutes_since_epoch = (days_since_epoch * 24 + hour) * 60 + minute - *ahead;
  return Instant{(minutes_since_epoch * 60 + second) * 1000 + *ms};
}

std::string to_text(Duration d) {
  if (d.ms == 0) return "0s";
  std::string text;
  std::int64_t rest = d.ms;
  if (rest < 0) {
    text = "-";
    rest = -rest;
  }
  for (const Unit& unit : kUnits) {
    if (rest < unit.ms) continue;
    text += std::to_string(rest / unit.ms);
    text += unit.name;
    rest %= unit.ms;
  }
  return text;
}

std::optional<Duration> duration_from_text(std::string_view text) {
  const bool negative = take(text, '-');
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  auto next_unit = kUnits.begin();
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || text.front() == '-') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::string_view name = text.substr(0, std::min(text.find_first_of("0123456789"), text.size()));
    while (next_unit != kUnits.end() && next_unit->name != name) ++next_unit;
    if (next_unit == kUnits.end()) return std::nullopt;
    constexpr std::int64_t kLongest = 36'500ll * 86'400'000;  // a century: more is a typing error
    if (number > kLongest / next_unit->ms) return std::nullopt;
    total += number * next_unit->ms;
    text.remove_prefix(name.size());
    ++next_unit;
  }
  return Duration{negative ? -total : total};
}

}  // namespace townd
