#include "cli/past_words.hpp"

#include <chrono>

#include "codec/time_text.hpp"

namespace townd::cli {

std::string clock_of(const std::string& iso) {
  using namespace std::chrono;
  if (iso.size() < 19) return iso;
  const auto now_ms = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  const std::string today = to_text(Instant{now_ms}).substr(0, 10);
  const std::string time = iso.substr(11, 8);
  return iso.starts_with(today) ? time : iso.substr(0, 10) + " " + time;
}

std::string history_in_words(const Terminal& terminal, const json::value& row) {
  std::string line = terminal.styled(Style::bold, shown(text_of(row, "event_type")));
  const std::string before = text_of(row, "old_value");
  const std::string after = text_of(row, "new_value");
  if (!before.empty() || !after.empty()) line += "  " + shown(cut(before, 60)) + " → " + shown(cut(after, 120));
  if (const std::string agent = text_of(row, "agent_id"); !agent.empty()) line += "  " + shown(agent);
  if (const std::string rule = text_of(row, "rule"); !rule.empty())
    line += "  " + terminal.styled(Style::dim, shown(rule));
  return line;
}

}  // namespace townd::cli
