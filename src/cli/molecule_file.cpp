#include "cli/molecule_file.hpp"

#include "cli/client.hpp"
#include "codec/toml.hpp"

namespace townd::cli {

namespace {

tl::unexpected<Error> wrong(const std::string& path, const std::string& what) {
  return fail(Error::Code::invalid, path + ": " + what, "The form of the file is in: town mol create --help");
}

expected<json::value> parsed(const std::string& path, const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{') return parse_json(text);
  auto document = parse_toml(text, path);
  if (!document) return tl::unexpected(document.error());
  return std::move(document->value);
}

}  // namespace

expected<json::array> read_molecule_file(const std::string& path, const std::string& text) {
  const auto document = parsed(path, text);
  if (!document) return tl::unexpected(document.error());
  const json::object* whole = document->if_object();
  if (whole == nullptr) return wrong(path, "the file is not a molecule");
  for (const auto& [key, value] : *whole)
    if (key != "step" && key != "steps") return wrong(path, "there is an unknown key \"" + std::string(key) + "\"");
  json::array made;
  for (const json::value& step : list_of(*document, whole->contains("step") ? "step" : "steps")) {
    const std::string where = "step " + std::to_string(made.size() + 1);
    if (!step.is_object()) return wrong(path, where + " is not a table");
    for (const auto& [key, value] : step.get_object())
      if (key != "title" && key != "instructions")
        return wrong(path,
                     where + " has an unknown key \"" + std::string(key) + "\"; a step has title and instructions");
    if (text_of(step, "title").empty()) return wrong(path, where + " has no title");
    made.push_back(step);
  }
  if (made.empty()) return wrong(path, "the file has no step");
  return made;
}

}  // namespace townd::cli
