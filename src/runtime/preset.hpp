#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/expected.hpp"

namespace townd {

/// How to run one agent program; share/presets/README.md names the keys.
struct Preset {
  enum class Input { prompt, script, none };
  enum class Stream { plain, claude, codex, gemini, opencode };
  struct ErrorRule {
    std::vector<std::string> contains;  ///< lower case
    std::string outcome;
  };

  std::string name;
  std::string command;
  std::string install;
  std::vector<std::string> run;
  std::vector<std::string> resume;  ///< empty: cannot go on with a conversation
  std::vector<std::string> check;
  std::string message;  ///< `inbox` or empty
  Input input = Input::prompt;
  Stream stream = Stream::plain;
  std::vector<std::string> inside;   ///< further arguments inside our sandbox
  std::vector<std::string> outside;  ///< and where a rig has none; `{clone}` stands for the clone's path
  std::vector<std::string> env;
  std::map<std::string, std::string> set;
  std::map<std::string, std::string> set_inside;  ///< only inside our sandbox
  std::vector<std::string> config;                ///< below the home folder
  std::string config_variable;                    ///< names a folder that stands for those
  std::map<int, std::string> exits;
  std::vector<ErrorRule> errors;
};

using Presets = std::map<std::string, Preset>;

/// Reads every `*.toml` of the folders; of two with one name the later folder's counts. A folder that does not exist
/// has none. An unknown key, outcome or word is an error that names the file.
expected<Presets> load_presets(const std::vector<std::string>& folders);

}  // namespace townd
