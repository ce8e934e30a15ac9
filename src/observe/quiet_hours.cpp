#include "observe/quiet_hours.hpp"

#include <ctime>
#include <optional>
#include <string>

namespace townd {
namespace {

constexpr int kDay = 24 * 60;

int two_digits(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return digit(text[0]) && digit(text[1]) ? (text[0] - '0') * 10 + (text[1] - '0') : 99;
}

/// `07:30`.
std::optional<int> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const int hour = two_digits(text.substr(0, 2)), minute = two_digits(text.substr(3, 2));
  if (hour > 23 || minute > 59) return std::nullopt;
  return hour * 60 + minute;
}

}  // namespace

expected<QuietHours> read_quiet_hours(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto from = time_of_day(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? std::nullopt : time_of_day(text.substr(dash + 1));
  if (!from || !to || *from == *to)
    return fail(Error::Code::invalid,
                "expected two different times of day such as 22:00-07:00, got \"" + std::string(text) + "\"");
  return QuietHours{*from, *to};
}

int minute_of_day(Instant now) {
  const std::time_t seconds = now.ms / 1000;
  std::tm here{};
  ::localtime_r(&seconds, &here);
  return here.tm_hour * 60 + here.tm_min;
}

Duration quiet_for(const QuietHours& quiet, Instant now) {
  const int minute = minute_of_day(now);
  const auto past = [](int later, int earlier) { return (later - earlier + kDay) % kDay; };
  if (past(minute, quiet.from) >= past(quiet.to, quiet.from)) return {};
  // To the full minute, which is that of a clock on the wall in every zone of today.
  return minutes(past(quiet.to, minute)) + Duration{-(now.ms % 60'000)};
}

}  // namespace townd
