#include <array>

#include "codec/time_text.hpp"
#include "engine/token.hpp"
#include "ports/clock.hpp"
#include "server/handlers.hpp"
#include "server/openapi.hpp"
#include "server/version.hpp"

namespace townd {
namespace {

void health(const CallPtr& call) {
  json::object shape;
  shape.emplace("status", "ok");
  shape.emplace("version", kVersion);
  call->succeed(std::move(shape));
}

/// Ready: the store answers, and so does the engine, for one of its towns.
void ready(const CallPtr& call) {
  if (const auto towns = call->services().store.towns(); !towns) return call->fail(towns.error());
  const std::vector<TownId> towns = call->services().engine.towns();
  if (towns.empty()) return health(call);
  call->look_at(towns.front(), [call](const Engine::View&) { health(call); });
}

void openapi(const CallPtr& call) { call->succeed(openapi_document()); }

void metrics(const CallPtr& call) {
  call->services().metrics([call](std::string text) {
    Response response;
    response.body = std::move(text);
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    call->respond(std::move(response));
  });
}

json::object token_shape(const TokenRow& row) {
  json::object shape;
  shape.emplace("id", row.id);
  shape.emplace("role", row.role);
  shape.emplace("created_at", to_text(row.created_at));
  return shape;
}

void list_tokens(const CallPtr& call) {
  json::array list;
  for (const TokenRow& row : call->services().tokens.of_people()) list.push_back(token_shape(row));
  call->succeed(std::move(list));
}

void create_token(const CallPtr& call) {
  const std::string role_name = call->arguments().text("role");
  const auto role = role_from(role_name);
  if (!role) return call->fail(Error::Code::invalid, "there is no role " + role_name);
  std::string id = call->arguments().text("id");
  if (id.empty()) id = role_name + "-" + make_token().substr(0, 8);
  const auto token = call->services().tokens.make(id, *role, call->services().clock.now());
  if (!token) return call->fail(token.error());
  json::object shape;
  shape.emplace("id", id);
  shape.emplace("role", role_name);
  shape.emplace("token", *token);
  call->succeed(std::move(shape));
}

void revoke_token(const CallPtr& call) {
  if (const auto revoked = call->services().tokens.revoke(call->parameter("token")); !revoked)
    return call->fail(revoked.error());
  call->succeed(json::object{{"revoked", true}});
}

constexpr std::array<NamedHandler, 7> kHandlers{{
    {"node.health", health},
    {"node.ready", ready},
    {"node.openapi", openapi},
    {"node.metrics", metrics},
    {"token.list", list_tokens},
    {"token.create", create_token},
    {"token.revoke", revoke_token},
}};

}  // namespace

std::span<const NamedHandler> node_handlers() { return kHandlers; }

}  // namespace townd
