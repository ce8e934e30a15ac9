#include "server/router.hpp"

#include <map>
#include <memory>

#include "server/message.hpp"
#include "server/operations.hpp"

namespace townd {
namespace {

/// One part of all paths that begin the same.
struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> words;
  std::unique_ptr<Node> any;  ///< a parameter
  std::map<std::string, std::pair<const Operation*, std::vector<std::string>>, std::less<>> methods;
};

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = path.find('/');
    parts.push_back(path.substr(0, end));
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
  }
  return parts;
}

std::unique_ptr<Node> make_tree() {
  auto root = std::make_unique<Node>();
  for (const Operation& operation : operations()) {
    for (const std::string& path : operation.paths) {
      Node* node = root.get();
      std::vector<std::string> names;
      for (const std::string_view part : parts_of(path)) {
        const bool parameter = part.starts_with(':');
        if (parameter) names.emplace_back(part.substr(1));
        std::unique_ptr<Node>& next = parameter ? node->any : node->words[std::string(part)];
        if (!next) next = std::make_unique<Node>();
        node = next.get();
      }
      node->methods.emplace(operation.method, std::pair{&operation, std::move(names)});
    }
  }
  return root;
}

const Node* descend(const Node& node, const std::vector<std::string_view>& parts, std::size_t at,
                    std::vector<std::string>& values) {
  if (at == parts.size()) return node.methods.empty() ? nullptr : &node;
  if (const auto word = node.words.find(parts[at]); word != node.words.end())
    if (const Node* found = descend(*word->second, parts, at + 1, values)) return found;
  if (!node.any || parts[at].empty()) return nullptr;
  std::string value;
  if (!percent_decode(parts[at], false, value)) return nullptr;
  values.push_back(std::move(value));
  if (const Node* found = descend(*node.any, parts, at + 1, values)) return found;
  values.pop_back();
  return nullptr;
}

}  // namespace

std::string Route::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return {};
}

Route find_route(std::string_view method, std::string_view path) {
  static const std::unique_ptr<Node> tree = make_tree();
  Route route;
  std::vector<std::string> values;
  const Node* node = descend(*tree, parts_of(path), 0, values);
  if (!node) return route;
  for (const auto& [known, target] : node->methods) route.allowed += (route.allowed.empty() ? "" : ", ") + known;
  const auto target = node->methods.find(method);
  if (target == node->methods.end()) return route;
  route.operation = target->second.first;
  for (std::size_t i = 0; i < values.size(); ++i)
    route.parameters.emplace_back(target->second.second[i], std::move(values[i]));
  return route;
}

}  // namespace townd
