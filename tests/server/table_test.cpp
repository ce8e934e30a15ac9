#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "server/answer_schemas.hpp"
#include "server/handlers.hpp"
#include "server/openapi.hpp"
#include "server/operations.hpp"
#include "server/router.hpp"

namespace townd {
namespace {

/// A path of the table with something put in for each parameter.
std::string filled(const std::string& pattern) {
  std::string out;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', at + 1), pattern.size());
    out += pattern[at + 1] == ':' ? "/x" : pattern.substr(at, end - at);
    at = end;
  }
  return out;
}

TEST(Table, HasAHandlerForEachOperation) {
  for (const Operation& operation : operations()) EXPECT_NE(find_handler(operation.name), nullptr) << operation.name;
}

TEST(Table, HasAnOperationForEachHandler) {
  for (const auto page : {node_handlers(), town_handlers(), rig_handlers(), bead_handlers(), convoy_handlers(),
                          agent_handlers(), callback_handlers(), message_handlers(), explain_handlers()})
    for (const NamedHandler& named : page) EXPECT_NE(find_operation(named.operation), nullptr) << named.operation;
}

TEST(Table, NamesEachOperationOnce) {
  std::set<std::string> names;
  for (const Operation& operation : operations()) EXPECT_TRUE(names.insert(operation.name).second) << operation.name;
}

TEST(Table, LeavesNothingOpenButHealthAndWhatIsSigned) {
  for (const Operation& operation : operations())
    EXPECT_EQ(operation.roles == 0, operation.name == "node.health" || operation.name == "hook.receive")
        << operation.name;
}

TEST(Table, LetsViewersRoundOnlyWhatChangesNothing) {
  for (const Operation& operation : operations())
    EXPECT_TRUE((operation.roles & kViewer) == 0 || operation.method == "GET") << operation.name;
}

TEST(Table, BoundsEveryTextListAndNumber) {
  for (const Operation& operation : operations())
    for (const Field& field : operation.fields)
      EXPECT_TRUE(field.limit > 0 || field.kind == Field::Kind::boolean || field.kind == Field::Kind::time ||
                  field.kind == Field::Kind::choice)
          << operation.name << " " << field.name;
}

TEST(Router, FindsEachPathOfTheTableAndItsAliases) {
  for (const Operation& operation : operations())
    for (const std::string& path : operation.paths) {
      const Route route = find_route(operation.method, filled(path));
      ASSERT_NE(route.operation, nullptr) << operation.method << " " << path;
      EXPECT_EQ(route.operation->name, operation.name) << path;
    }
}

TEST(Router, GivesParametersDecoded) {
  const Route route = find_route("GET", "/api/towns/my%20town/beads/tt-1");
  ASSERT_NE(route.operation, nullptr);
  EXPECT_EQ(route.parameter("town"), "my town");
  EXPECT_EQ(route.parameter("bead"), "tt-1");
}

TEST(Router, SaysWhichMethodsAPathTakes) {
  const Route route = find_route("DELETE", "/api/towns");
  EXPECT_EQ(route.operation, nullptr);
  EXPECT_EQ(route.allowed, "GET, POST");
}

TEST(Router, KnowsNothingOfOtherPaths) {
  for (const char* path :
       {"/", "/api", "/api/towns/", "/api/towns//beads", "/api/towns/t/beads/", "/healthz/x", "//healthz"}) {
    const Route route = find_route("GET", path);
    EXPECT_EQ(route.operation, nullptr) << path;
  }
}

/// `/api/towns/{town}` as the table writes it.
std::string as_pattern(std::string path) {
  for (std::size_t open = path.find('{'); open != std::string::npos; open = path.find('{')) {
    path.replace(open, 1, ":");
    path.erase(path.find('}'), 1);
  }
  return path;
}

TEST(OpenApi, HasExactlyThePathsAndMethodsOfTheTable) {
  std::set<std::string> written;
  const json::object document = openapi_document();
  for (const auto& [path, item] : document.at("paths").as_object())
    for (const auto& [method, operation] : item.as_object()) {
      std::string name(method);
      std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
      const Route route = find_route(name, filled(as_pattern(path)));
      ASSERT_NE(route.operation, nullptr) << name << " " << std::string_view(path);
      EXPECT_EQ(route.operation->name, operation.at("x-operation").as_string());
      written.insert(name + " " + as_pattern(path));
    }
  std::set<std::string> known;
  for (const Operation& operation : operations())
    for (const std::string& path : operation.paths) known.insert(operation.method + " " + path);
  EXPECT_EQ(written, known);
}

TEST(OpenApi, DescribesEachFieldWithItsLimitAndEachAnswer) {
  const json::object document = openapi_document();
  const json::object& sling = document.at("paths").at("/api/towns/{town}/rigs/{rig}/sling").at("post").as_object();
  const json::object& schema = sling.at("requestBody").at("content").at("application/json").at("schema").as_object();
  EXPECT_EQ(schema.at("properties").at("title").at("maxLength").as_int64(), 500);
  EXPECT_EQ(schema.at("properties").at("labels").at("maxItems").as_int64(), 50);
  EXPECT_EQ(schema.at("additionalProperties").as_bool(), false);
  for (const Operation& operation : operations()) {
    const json::object answer = answer_schema(operation.answers);
    const json::value* properties = answer.if_contains("properties");
    EXPECT_TRUE(answer.contains("items") || operation.answers == "Stream" || operation.answers == "Metrics" ||
                operation.answers == "Bundle" || (properties && !properties->as_object().empty()))
        << operation.name << " answers " << operation.answers;
  }
}

}  // namespace
}  // namespace townd
