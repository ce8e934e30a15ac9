#include "server/openapi.hpp"

#include <set>
#include <string>

#include "server/answer_schemas.hpp"
#include "server/operations.hpp"
#include "server/version.hpp"

namespace townd {
namespace {

using Kind = Field::Kind;

json::object schema_of(const Field& field);

json::object object_schema(const std::vector<Field>& fields, bool extra) {
  json::object properties;
  json::array required;
  for (const Field& field : fields) {
    properties.emplace(field.name, schema_of(field));
    if (field.required) required.emplace_back(field.name);
  }
  json::object schema;
  schema.emplace("type", "object");
  schema.emplace("properties", std::move(properties));
  if (!required.empty()) schema.emplace("required", std::move(required));
  if (!extra) schema.emplace("additionalProperties", false);
  return schema;
}

json::object list_schema(json::object items, std::int64_t limit) {
  json::object schema;
  schema.emplace("type", "array");
  schema.emplace("items", std::move(items));
  schema.emplace("maxItems", limit);
  return schema;
}

json::object plain_schema(const Field& field) {
  switch (field.kind) {
    case Kind::text:
    case Kind::line:
    case Kind::name:
    case Kind::branch: return {{"type", "string"}, {"maxLength", field.limit}};
    case Kind::integer: return {{"type", "integer"}, {"minimum", 0}, {"maximum", field.limit}};
    case Kind::boolean: return {{"type", "boolean"}};
    case Kind::time: return {{"type", "string"}, {"format", "date-time"}};
    case Kind::choice: {
      json::array choices;
      for (const std::string& one : field.choices) choices.emplace_back(one);
      return {{"type", "string"}, {"enum", std::move(choices)}};
    }
    case Kind::texts: return list_schema({{"type", "string"}}, field.limit);
    case Kind::integers: return list_schema({{"type", "integer"}, {"minimum", 0}}, field.limit);
    case Kind::object:
      return field.items.empty() ? json::object{{"type", "object"}} : object_schema(field.items, false);
    case Kind::objects: return list_schema(object_schema(field.items, false), field.limit);
    case Kind::anything: return {};
  }
  return {};
}

json::object schema_of(const Field& field) {
  json::object schema = plain_schema(field);
  schema.emplace("description", field.about);
  return schema;
}

/// `/api/towns/:town` as OpenAPI writes it, and the names of its parameters.
std::string template_of(std::string_view path, std::vector<std::string>& names) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = path.find('/', 1);
    const std::string_view part = path.substr(0, end);
    if (part.starts_with("/:")) {
      names.emplace_back(part.substr(2));
      out += "/{" + names.back() + "}";
    } else {
      out += part;
    }
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
  }
  return out;
}

json::array parameters_of(const Operation& operation, const std::vector<std::string>& names) {
  json::array parameters;
  for (const std::string& name : names)
    parameters.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  if (operation.query()) {
    for (const Field& field : operation.fields)
      parameters.push_back(
          {{"name", field.name}, {"in", "query"}, {"required", field.required}, {"schema", schema_of(field)}});
  }
  if (operation.method == "POST")
    parameters.push_back({{"name", "Idempotency-Key"},
                          {"in", "header"},
                          {"required", false},
                          {"schema", {{"type", "string"}, {"maxLength", 200}}},
                          {"description", "a repetition with the same key gets the same answer and does nothing"}});
  return parameters;
}

json::object answer_of(const Operation& operation) {
  json::object reference;
  reference.emplace("$ref", "#/components/schemas/" + operation.answers);
  json::object schema;
  if (operation.raw) {
    schema = std::move(reference);
  } else {
    json::object properties;
    properties.emplace("success", json::object{{"const", true}});
    properties.emplace("data", std::move(reference));
    schema.emplace("type", "object");
    schema.emplace("properties", std::move(properties));
    schema.emplace("required", json::array{"success", "data"});
  }
  json::object content;
  const std::string_view type = operation.answers == "Stream"    ? "text/event-stream"
                                : operation.answers == "Bundle"  ? "application/zstd"
                                : operation.answers == "Metrics" ? "text/plain"
                                                                 : "application/json";
  content.emplace(type, json::object{{"schema", std::move(schema)}});
  return {{"description", operation.about}, {"content", std::move(content)}};
}

json::object describe_operation(const Operation& operation, const std::vector<std::string>& names, bool alias) {
  json::object described;
  if (!alias) described.emplace("operationId", operation.name);
  described.emplace("summary", operation.about);
  json::array roles;
  for (const Role role : {kAdmin, kOperator, kViewer, kMayor, kAgent})
    if ((operation.roles & role) != 0) roles.emplace_back(to_string(role));
  described.emplace("x-operation", operation.name);
  described.emplace("x-roles", std::move(roles));
  if (operation.roles == 0) described.emplace("security", json::array{});
  described.emplace("parameters", parameters_of(operation, names));
  if (!operation.query()) {
    json::object schema = object_schema(operation.fields, operation.extra_fields);
    described.emplace("requestBody",
                      json::object{{"content", {{"application/json", {{"schema", std::move(schema)}}}}}});
  }
  json::object responses;
  responses.emplace(std::to_string(operation.status), answer_of(operation));
  responses.emplace("default", json::object{{"$ref", "#/components/responses/Failure"}});
  described.emplace("responses", std::move(responses));
  return described;
}

json::object failure_response() {
  json::object issue{{"type", "object"},
                     {"properties", {{"path", {{"type", "string"}}}, {"message", {{"type", "string"}}}}}};
  json::object properties;
  properties.emplace("success", json::object{{"const", false}});
  properties.emplace("error", json::object{{"type", "string"}});
  properties.emplace("hint", json::object{{"type", "string"}});
  properties.emplace("issues", json::object{{"type", "array"}, {"items", std::move(issue)}});
  json::object schema{{"type", "object"}, {"required", {"success", "error"}}};
  schema.emplace("properties", std::move(properties));
  return {{"description", "what was wrong and what to do about it"},
          {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
}

}  // namespace

json::object openapi_document() {
  json::object paths;
  std::set<std::string> answers;
  for (const Operation& operation : operations()) {
    answers.insert(operation.answers);
    for (std::size_t i = 0; i < operation.paths.size(); ++i) {
      std::vector<std::string> names;
      const std::string path = template_of(operation.paths[i], names);
      std::string method = operation.method;
      for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
      json::value& item = paths[path];
      if (!item.is_object()) item.emplace_object();
      item.get_object().emplace(method, describe_operation(operation, names, i > 0));
    }
  }
  json::object schemas;
  for (const std::string& answer : answers) schemas.emplace(answer, answer_schema(answer));
  json::object components;
  components.emplace("schemas", std::move(schemas));
  components.emplace("responses", json::object{{"Failure", failure_response()}});
  components.emplace("securitySchemes", json::object{{"token", {{"type", "http"}, {"scheme", "bearer"}}}});

  json::object document;
  document.emplace("openapi", "3.1.0");
  document.emplace("info", json::object{{"title", "townd"}, {"version", kVersion}});
  document.emplace("security", json::array{json::object{{"token", json::array{}}}});
  document.emplace("paths", std::move(paths));
  document.emplace("components", std::move(components));
  return document;
}

}  // namespace townd
