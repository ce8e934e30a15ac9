#include "cli/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "cli/command.hpp"

namespace townd::cli {

namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  ///< 0: not UTF-8
};

CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (length == 0 || lead >= 0xF5 || text.size() < length) return {};
  std::uint32_t value = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    value = value << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length};
}

/// Characters that move the cursor, change how a terminal behaves, or make text read in another order than it is.
bool dangerous(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F || c == 0x2028 ||
         c == 0x2029 || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

std::string hexadecimal(std::uint32_t value, int digits) {
  std::string text(static_cast<std::size_t>(digits), '0');
  for (auto place = text.rbegin(); place != text.rend(); ++place, value >>= 4) *place = "0123456789abcdef"[value & 15U];
  return text;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0U) != 0x80U; }));
}

std::string_view code_of(Style style) {
  switch (style) {
    case Style::plain: return "";
    case Style::bold: return "\033[1m";
    case Style::dim: return "\033[2m";
    case Style::good: return "\033[32m";
    case Style::bad: return "\033[31m";
    case Style::warn: return "\033[33m";
  }
  return "";
}

/// A member of an object by name, an element of an array by number.
const boost::json::value* member(const boost::json::value& of, std::string_view name) {
  if (const auto* object = of.if_object()) return object->if_contains(name);
  const auto* array = of.if_array();
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (array == nullptr || error != std::errc{} || end != name.data() + name.size()) return nullptr;
  return index < array->size() ? &(*array)[index] : nullptr;
}

void put(std::FILE* file, std::string_view text) {
  if (!text.empty()) std::fwrite(text.data(), 1, text.size(), file);  // the place of an empty one may be null
}

}  // namespace

std::string shown(std::string_view text, Keep keep) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = decode(text);
    if (c.length == 0) {
      safe += "\\x" + hexadecimal(static_cast<std::uint8_t>(text[0]), 2);
      text.remove_prefix(1);
      continue;
    }
    if (!dangerous(c.value) || (keep == Keep::lines && (c.value == '\n' || c.value == '\t'))) {
      safe.append(text.substr(0, c.length));
    } else if (c.value == '\n') {
      safe += "\\n";
    } else if (c.value == '\t') {
      safe += "\\t";
    } else {
      safe += c.value < 0x100 ? "\\x" + hexadecimal(c.value, 2) : "\\u" + hexadecimal(c.value, 4);
    }
    text.remove_prefix(c.length);
  }
  return safe;
}

std::string cut(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  std::size_t characters = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool starts = (static_cast<std::uint8_t>(text[end]) & 0xC0U) != 0x80U;
    if (starts && ++characters == width) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

Terminal::Terminal(std::FILE* out, std::FILE* err, bool json, std::string member)
    : out_(out),
      err_(err),
      json_(json || !member.empty()),
      member_(std::move(member)),
      colour_(isatty(fileno(out)) == 1 && std::getenv("NO_COLOR") == nullptr),
      err_is_terminal_(isatty(fileno(err)) == 1) {}

void Terminal::text(std::string_view text) {
  if (json_) return;
  progress_done();
  put(out_, text);
}

void Terminal::line(std::string_view line) {
  text(line);
  text("\n");
}

bool Terminal::value(const boost::json::value& value) {
  const boost::json::value* wanted = &value;
  for (std::string_view path = member_; !path.empty() && wanted != nullptr;) {
    const auto dot = std::min(path.find('.'), path.size());
    wanted = member(*wanted, path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  if (wanted == nullptr || (!member_.empty() && wanted->is_null())) {
    error({Error::Code::not_found,
           wanted == nullptr ? "the answer has no \"" + member_ + "\"" : "\"" + member_ + "\" is not set",
           "See all of the answer with --json instead of --get."});
    return false;
  }
  const bool bare = !member_.empty() && wanted->is_string();
  put(out_, bare ? std::string(wanted->get_string()) : boost::json::serialize(*wanted));
  put(out_, "\n");
  return true;
}

std::string Terminal::styled(Style style, std::string_view text) const {
  if (!colour_ || style == Style::plain) return std::string(text);
  return std::string(code_of(style)) + std::string(text) + "\033[0m";
}

void Terminal::progress(std::string_view text) {
  if (json_) return;
  if (err_is_terminal_) put(err_, "\r\033[K");
  put(err_, text);
  if (!err_is_terminal_) put(err_, "\n");
  progress_shown_ = err_is_terminal_;
  std::fflush(err_);
}

void Terminal::progress_done() {
  if (!progress_shown_) return;
  put(err_, "\r\033[K");
  std::fflush(err_);
  progress_shown_ = false;
}

void Terminal::error(const Error& error) {
  progress_done();
  std::fflush(out_);
  if (json_) {
    boost::json::object told{{"error", error.what}, {"exit", static_cast<int>(exit_of(error.code))}};
    if (!error.hint.empty()) told["hint"] = error.hint;
    put(err_, boost::json::serialize(told) + "\n");
    return;
  }
  put(err_, "town: " + shown(error.what, Keep::lines) + "\n");
  if (!error.hint.empty()) put(err_, "  " + shown(error.hint, Keep::lines) + "\n");
}

bool Terminal::full_screen() const {
  const char* kind = std::getenv("TERM");
  return !json_ && isatty(fileno(out_)) == 1 && isatty(STDIN_FILENO) == 1 && kind != nullptr &&
         std::string_view(kind) != "dumb";
}

bool Terminal::flush() { return std::fflush(out_) == 0 && std::ferror(out_) == 0; }

Table::Table(std::vector<std::string> heads) : heads_(std::move(heads)) {}

void Table::row(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = shown(cell.text);
  rows_.push_back(std::move(cells));
}

void Table::print_or(Terminal& terminal, std::string_view nothing) const {
  if (empty())
    terminal.line(nothing);
  else
    print(terminal);
}

void Table::print(Terminal& terminal) const {
  for (const std::string& line : lines(terminal)) terminal.line(line);
}

std::vector<std::string> Table::lines(const Terminal& terminal) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    std::size_t widest = width_of(heads_[i]);
    for (const auto& row : rows_)
      if (i < row.size()) widest = std::max(widest, width_of(row[i].text));
    widths.push_back(widest);
  }
  std::vector<std::string> all;
  const auto add_row = [&](const std::vector<Cell>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      line += terminal.styled(cells[i].style, cells[i].text);
      if (i + 1 < cells.size()) line.append(widths[i] - width_of(cells[i].text) + 2, ' ');
    }
    all.push_back(std::move(line));
  };
  std::vector<Cell> heads;
  for (const std::string& head : heads_) heads.push_back({head, Style::dim});
  add_row(heads);
  for (const auto& row : rows_) add_row(row);
  return all;
}

}  // namespace townd::cli
