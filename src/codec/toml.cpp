#include "codec/toml.hpp"

#include <toml++/toml.h>

#include <sstream>

namespace townd {
namespace {

class Converter {
 public:
  explicit Converter(TomlDocument& out) : out_(out) {}

  json::value convert(const toml::node& node, const std::string& pointer) {
    out_.lines.emplace(pointer, static_cast<int>(node.source().begin.line));
    if (const toml::table* table = node.as_table()) {
      json::object object;
      for (const auto& [key, value] : *table)
        object.emplace(key.str(), convert(value, pointer + "/" + std::string(key.str())));
      return object;
    }
    if (const toml::array* array = node.as_array()) {
      json::array list;
      for (const toml::node& element : *array)
        list.push_back(convert(element, pointer + "/" + std::to_string(list.size())));
      return list;
    }
    if (const auto* text = node.as_string()) return json::value(text->get());
    if (const auto* number = node.as_integer()) return json::value(number->get());
    if (const auto* number = node.as_floating_point()) return json::value(number->get());
    if (const auto* flag = node.as_boolean()) return json::value(flag->get());
    std::ostringstream moment;  // dates and times of day: as their text
    node.visit([&](const auto& value) {
      if constexpr (toml::is_chronological<decltype(value)>) moment << value.get();
    });
    return json::value(moment.str());
  }

 private:
  TomlDocument& out_;
};

}  // namespace

int TomlDocument::line(std::string_view pointer) const {
  const auto found = lines.find(pointer);
  return found == lines.end() ? 0 : found->second;
}

Error TomlDocument::error(const JsonIssue& issue) const {
  std::string place = file;
  std::string_view pointer = issue.path;
  for (;;) {  // what is missing has no line; then that of what it is missing in
    const auto line = lines.find(pointer);
    if (line != lines.end()) {
      if (line->second > 0) place += ":" + std::to_string(line->second);
      break;
    }
    const std::size_t slash = pointer.rfind('/');
    if (slash == std::string_view::npos) break;
    pointer = pointer.substr(0, slash);
  }
  std::string key = issue.path.empty() ? std::string() : issue.path.substr(1);
  for (char& c : key)
    if (c == '/') c = '.';
  const std::string what = key.empty() ? issue.message : key + ": " + issue.message;
  return Error{Error::Code::invalid, place + ": " + what, "correct the file; `town config` lists every key"};
}

expected<TomlDocument> parse_toml(std::string_view text, std::string file) {
  TomlDocument document;
  document.file = std::move(file);
  try {
    const toml::table table = toml::parse(text);
    document.value = Converter(document).convert(table, "");
  } catch (const toml::parse_error& error) {
    return fail(Error::Code::invalid,
                document.file + ":" + std::to_string(error.source().begin.line) +
                    ": not TOML: " + std::string(error.description()),
                "correct the file there");
  }
  return document;
}

}  // namespace townd
