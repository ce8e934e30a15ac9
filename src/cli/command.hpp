#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/expected.hpp"

/// What a command of `town` is: its words, what it takes and what it does. arguments.cpp builds the parser from these.
namespace townd::cli {

/// What `town` exits with (docs/commands.md).
enum Exit : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kRefused = 4,
  kUnreachable = 5,
};

Exit exit_of(Error::Code code);

/// What was given on the command line, by the parameter's name as declared (`TITLE`, `--body`).
class Values {
 public:
  void put(std::string_view name, std::vector<std::string> given);
  [[nodiscard]] bool has(std::string_view name) const;
  /// The last value given, or `otherwise`.
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise = {}) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;
  [[nodiscard]] std::optional<long long> number(std::string_view name) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
};

struct Param {
  enum class Kind { flag, text, number, list };
  std::string name;  ///< `--body`, `-f,--follow`, or in capitals for a word without a dash
  Kind kind = Kind::text;
  std::string help;
  bool required = false;
};

Param flag(std::string name, std::string help);
Param option(std::string name, std::string help);
Param number(std::string name, std::string help);
Param options(std::string name, std::string help);  ///< may be given several times
Param word(std::string name, std::string help);     ///< required word
Param maybe(std::string name, std::string help);    ///< word that may be left out
Param words(std::string name, std::string help);    ///< one or more words

/// The name under which it is read back: `--follow` of `-f,--follow`, everything else's only one.
std::string key_of(const Param& param);
/// A word without a dash.
bool positional(const Param& param);

class Session;

struct Command {
  std::string path;     ///< `convoy new`
  std::string group;    ///< heading in `town --help`
  std::string summary;  ///< one line with the plain word beside the town's word
  std::string example;
  std::vector<Param> params;
  /// An Error is printed with what to do about it; a value is the exit code.
  std::function<expected<int>(Session&, const Values&)> run;
};

}  // namespace townd::cli
