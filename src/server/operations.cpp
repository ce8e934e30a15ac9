#include "server/operations.hpp"

#include <algorithm>

#include "server/operation_parts.hpp"

namespace townd {
namespace {

std::vector<Operation> make_table() {
  using namespace operation_parts;
  std::vector<Operation> all;
  add_node(all);
  add_towns(all);
  add_rigs(all);
  add_queue(all);
  add_beads(all);
  add_convoys(all);
  add_agents(all);
  add_reports(all);
  add_callbacks(all);
  add_messages(all);
  add_mayor(all);
  add_explain(all);
  return all;
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case kAdmin: return "admin";
    case kOperator: return "operator";
    case kViewer: return "viewer";
    case kMayor: return "mayor";
    case kAgent: return "agent";
  }
  return "nobody";
}

const std::vector<Operation>& operations() {
  static const std::vector<Operation> table = make_table();
  return table;
}

const Operation* find_operation(std::string_view wanted) {
  const auto& all = operations();
  const auto found = std::find_if(all.begin(), all.end(), [wanted](const Operation& o) { return o.name == wanted; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace townd
