#pragma once

#include <boost/json/value.hpp>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "core/expected.hpp"

namespace townd::cli {

/// Text from outside, safe to print: control and bidi characters and broken UTF-8 are shown escaped (`\x1b`, `\u202e`).
/// Line ends are kept only where `lines` says so.
enum class Keep { nothing, lines };
std::string shown(std::string_view text, Keep keep = Keep::nothing);

/// At most `width` characters, the last one `…` when something was cut.
std::string cut(std::string_view text, std::size_t width);

enum class Style { plain, bold, dim, good, bad, warn };

/// Where `town` prints: answers on standard output, progress and errors on standard error; colour only on a terminal.
class Terminal {
 public:
  /// `member` names the only part of the answer that is wanted, such as `bead.title`; it means JSON without the quotes.
  Terminal(std::FILE* out, std::FILE* err, bool json, std::string member = {});

  [[nodiscard]] bool json() const { return json_; }
  [[nodiscard]] bool interactive() const { return err_is_terminal_; }
  /// A line of the answer. Whatever comes from outside must have gone through `shown`.
  void line(std::string_view text = {});
  void text(std::string_view text);  ///< the same without a line end
  /// The answer as JSON. False when the wanted member is not in it, which is said.
  bool value(const boost::json::value& value);
  [[nodiscard]] std::string styled(Style style, std::string_view text) const;

  /// What is going on, for people: rewritten in place on a terminal, else one line each. Nothing with --json.
  void progress(std::string_view text);
  void progress_done();
  void error(const Error& error);
  bool flush();  ///< false when what was printed could not be written
  /// Whether the answer is read by a person at a terminal that can be drawn on.
  [[nodiscard]] bool full_screen() const;

 private:
  std::FILE* out_;
  std::FILE* err_;
  bool json_;
  std::string member_;
  bool colour_;
  bool err_is_terminal_;
  bool progress_shown_ = false;
};

struct Cell {
  std::string text;  ///< escaped when printed
  Style style = Style::plain;
};

/// Columns as wide as their widest cell; the last one is not padded.
class Table {
 public:
  explicit Table(std::vector<std::string> heads);
  void row(std::vector<Cell> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::vector<std::string> lines(const Terminal& terminal) const;
  void print(Terminal& terminal) const;
  /// A sentence instead when there is no row.
  void print_or(Terminal& terminal, std::string_view nothing) const;

 private:
  std::vector<std::string> heads_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace townd::cli
