#include "cli/own_work.hpp"

#include "cli/process.hpp"

namespace townd::cli {

namespace {

/// What git says, without the line end; empty when it fails.
std::string git_says(std::vector<std::string> words) {
  words.insert(words.begin(), "git");
  const auto finished = run_program({words, {}, {{"LC_ALL", "C"}, {"GIT_OPTIONAL_LOCKS", "0"}}, {}});
  if (!finished || !finished->ok()) return {};
  std::string out = finished->out;
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace

expected<OwnWork> own_work() {
  OwnWork work;
  work.commit = git_says({"rev-parse", "--verify", "-q", "HEAD^{commit}"});
  if (work.commit.empty()) return work;
  work.branch = git_says({"symbolic-ref", "-q", "--short", "HEAD"});
  work.uncommitted = git_says({"status", "--porcelain", "--untracked-files=no"});
  return work;
}

std::string pretty(const json::value& value, int depth) {
  const std::string inner(static_cast<std::size_t>(depth + 1) * 2, ' ');
  const std::string outer(static_cast<std::size_t>(depth) * 2, ' ');
  std::string text;
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    for (const auto& [key, member] : *object)
      text +=
          (text.empty() ? "{\n" : ",\n") + inner + json::serialize(json::value(key)) + ": " + pretty(member, depth + 1);
    return text + "\n" + outer + "}";
  }
  if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    for (const json::value& element : *array)
      text += (text.empty() ? "[\n" : ",\n") + inner + pretty(element, depth + 1);
    return text + "\n" + outer + "]";
  }
  return json::serialize(value);
}

}  // namespace townd::cli
