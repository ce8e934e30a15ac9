#include "runtime/preset.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "core/text.hpp"

namespace townd {
namespace {

constexpr std::array<std::string_view, 17> kKeys{
    "command", "install",         "run",   "resume", "check",  "message", "input",     "stream", "env", "set",
    "config",  "config_variable", "exits", "errors", "inside", "outside", "set_inside"};
constexpr std::array<std::string_view, 5> kOutcomes{"task_failed", "crashed", "not_logged_in", "rate_limited",
                                                    "timed_out"};

/// Collects what one file says; the first thing wrong in it is kept.
class Reader {
 public:
  explicit Reader(const toml::table& table) : table_(table) {}

  std::string text(std::string_view key) {
    if (const auto* node = table_.get(key)) {
      if (const auto value = node->value<std::string>()) return *value;
      wrong(key, "is not a text");
    }
    return {};
  }
  std::vector<std::string> words(std::string_view key) {
    const auto* node = table_.get(key);
    if (node == nullptr) return {};
    if (!node->is_array()) {
      wrong(key, "is not a list of texts");
      return {};
    }
    std::vector<std::string> out;
    for (const auto& item : *node->as_array()) {
      if (const auto value = item.value<std::string>())
        out.push_back(*value);
      else
        wrong(key, "is not a list of texts");
    }
    return out;
  }
  /// One of a closed set; the first is what an absent key means.
  template <class Value>
  Value choice(std::string_view key, std::initializer_list<std::pair<std::string_view, Value>> choices) {
    const auto word = text(key);
    if (word.empty()) return choices.begin()->second;
    for (const auto& [name, value] : choices)
      if (name == word) return value;
    wrong(key, "cannot be \"" + word + "\"");
    return choices.begin()->second;
  }
  std::string outcome(const std::string& word) {
    if (std::find(kOutcomes.begin(), kOutcomes.end(), word) == kOutcomes.end())
      wrong("outcome", "\"" + word + "\" is none of task_failed, crashed, not_logged_in, rate_limited, timed_out");
    return word;
  }
  void wrong(std::string_view key, const std::string& why) {
    if (!problem_) problem_ = std::string{key} + " " + why;
  }
  [[nodiscard]] const std::optional<std::string>& problem() const { return problem_; }

 private:
  const toml::table& table_;
  std::optional<std::string> problem_;
};

void read_maps(const toml::table& table, Reader& reader, Preset& preset) {
  for (auto [name, into] : {std::pair{"set", &preset.set}, std::pair{"set_inside", &preset.set_inside}}) {
    const auto* set = table[name].as_table();
    if (set == nullptr) continue;
    for (const auto& [key, value] : *set) {
      if (const auto word = value.value<std::string>())
        into->emplace(key.str(), *word);
      else
        reader.wrong(name, "has a value that is not a text");
    }
  }
  if (const auto* exits = table["exits"].as_table()) {
    for (const auto& [key, value] : *exits) {
      int code = -1;
      const auto name = key.str();
      const auto parsed = std::from_chars(name.data(), name.data() + name.size(), code);
      if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size())
        reader.wrong("exits", "has a key that is no exit code");
      preset.exits.emplace(code, reader.outcome(value.value_or(std::string{})));
    }
  }
  if (const auto* errors = table["errors"].as_array()) {
    for (const auto& item : *errors) {
      const auto* rule = item.as_table();
      if (rule == nullptr) {
        reader.wrong("errors", "is not a list of tables");
        continue;
      }
      Reader inner{*rule};
      Preset::ErrorRule found{inner.words("contains"), reader.outcome(inner.text("outcome"))};
      for (auto& word : found.contains) word = lower(word);
      if (inner.problem()) reader.wrong("errors", *inner.problem());
      preset.errors.push_back(std::move(found));
    }
  }
}

expected<Preset> read_preset(const std::filesystem::path& file) {
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    return fail(Error::Code::invalid, "preset " + file.string() + ", line " +
                                          std::to_string(error.source().begin.line) + ": " +
                                          std::string{error.description()});
  }
  Reader reader{table};
  for (const auto& [key, value] : table)
    if (std::find(kKeys.begin(), kKeys.end(), key.str()) == kKeys.end())
      reader.wrong(key.str(), "is not a key of a preset");
  Preset preset;
  preset.name = file.stem().string();
  preset.command = reader.text("command");
  preset.install = reader.text("install");
  preset.run = reader.words("run");
  preset.resume = reader.words("resume");
  preset.check = reader.words("check");
  preset.message = reader.choice<std::string>("message", {{"", ""}, {"inbox", "inbox"}});
  preset.input = reader.choice<Preset::Input>(
      "input", {{"prompt", Preset::Input::prompt}, {"script", Preset::Input::script}, {"none", Preset::Input::none}});
  preset.stream = reader.choice<Preset::Stream>("stream", {{"plain", Preset::Stream::plain},
                                                           {"claude", Preset::Stream::claude},
                                                           {"codex", Preset::Stream::codex},
                                                           {"gemini", Preset::Stream::gemini},
                                                           {"opencode", Preset::Stream::opencode}});
  preset.inside = reader.words("inside");
  preset.outside = reader.words("outside");
  preset.env = reader.words("env");
  preset.config = reader.words("config");
  preset.config_variable = reader.text("config_variable");
  read_maps(table, reader, preset);
  if (preset.command.empty()) reader.wrong("command", "is missing");
  if (reader.problem())
    return fail(Error::Code::invalid, "preset " + file.string() + ": " + *reader.problem(),
                "share/presets/README.md names the keys");
  return preset;
}

}  // namespace

expected<Presets> load_presets(const std::vector<std::string>& folders) {
  Presets presets;
  for (const auto& folder : folders) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (entry.path().extension() != ".toml") continue;
      auto preset = read_preset(entry.path());
      if (!preset) return tl::unexpected(preset.error());
      presets.insert_or_assign(preset->name, std::move(*preset));
    }
  }
  return presets;
}

}  // namespace townd
