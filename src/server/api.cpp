#include "server/api.hpp"

#include <utility>

#include "engine/token.hpp"
#include "server/handlers.hpp"
#include "server/run_access.hpp"
#include "server/workers.hpp"

namespace townd {
namespace {

constexpr std::size_t kKeyLimit = 200;

Response who_are_you(std::string_view what) {
  return failure(401, what,
                 "send Authorization: Bearer TOKEN; the admin's token is in admin.token in the data folder, and "
                 "townd.sock needs none");
}

}  // namespace

Api::Api(Services& services, Doorman doorman) : services_(services), doorman_(std::move(doorman)) {}

void Api::handle(std::shared_ptr<const Request> request, Answer answer) {
  if (auto refused = refuse_at_the_door(doorman_, *request)) return answer(std::move(*refused));
  if (Route route = find_route(request->method, request->path); route.operation && route.operation->roles == 0)
    return carry_out(request, std::move(route), Caller{}, std::move(answer));

  const std::string_view authorization = request->header("Authorization");
  if (authorization.empty()) {
    if (request->channel != Channel::town_socket) return answer(who_are_you("this needs a token"));
    Caller owner;
    owner.role = kAdmin;
    owner.token_id = "socket";
    return with_caller(request, std::move(owner), std::move(answer));
  }
  constexpr std::string_view scheme = "Bearer ";
  if (!authorization.starts_with(scheme)) return answer(who_are_you("only Bearer tokens are understood"));
  const std::string token(authorization.substr(scheme.size()));
  if (auto caller = services_.tokens.known(token)) return with_caller(request, std::move(*caller), std::move(answer));
  if (!unknown_tokens_.take("", services_.clock.now()))
    return answer(failure(429, "too many unknown tokens at the moment", "try again in a second"));
  services_.workers.post([this, request, token, answer = std::move(answer)]() mutable {
    if (const auto read = services_.tokens.reload(); !read) return answer(failure(read.error()));
    if (auto caller = services_.tokens.known(token)) return with_caller(request, std::move(*caller), std::move(answer));
    answer(who_are_you("this token is not known, or has been revoked"));
  });
}

void Api::with_caller(const std::shared_ptr<const Request>& request, Caller caller, Answer answer) {
  if (request->channel == Channel::agent_socket && !caller.has_run())
    return answer(failure(403, "this socket takes run tokens only", "use townd.sock"));
  if (caller.has_run()) {
    if (!agent_rates_.take(caller.run.text, services_.clock.now()))
      return answer(failure(429, "more than 20 requests in a second", "wait a second"));
    const std::string_view named = request->header("X-Gastown-Agent-Id");
    if (!named.empty() && named != caller.agent.text)
      return answer(failure(403, "X-Gastown-Agent-Id names another agent than the token", "leave the header out"));
  }
  Route route = find_route(request->method, request->path);
  if (!route.operation && route.allowed.empty())
    return answer(failure(404, "there is nothing at " + request->path, "GET /openapi.json lists what there is"));
  if (!route.operation) {
    Response response = failure(405, request->path + " does not take " + request->method, "it takes " + route.allowed);
    response.headers.emplace_back("Allow", route.allowed);
    return answer(std::move(response));
  }
  if (!caller.has_run() && (route.operation->roles & caller.role) == 0)
    return answer(failure(403,
                          std::string("a token of the role ") + std::string(to_string(caller.role)) +
                              " is not enough for " + route.operation->name,
                          "ask whoever runs this daemon"));

  const std::string key(request->header("Idempotency-Key"));
  if (key.size() > kKeyLimit)
    return answer(failure(400, "the Idempotency-Key is longer than 200 characters", "a UUID will do"));
  if (request->method == "POST" && !key.empty()) {
    const std::string who = caller.has_run() ? caller.run.text : caller.token_id;
    const std::string what = hash_token(request->path + "\n" + request->body);
    const auto begun = kept_.begin(who, key, what, answer);
    if (begun == KeptAnswers::Begin::different)
      return answer(failure(409, "this Idempotency-Key was used for another request", "choose a new key"));
    if (begun == KeptAnswers::Begin::joined) return;
    answer = [this, who, key, answer = std::move(answer)](Response response) {
      kept_.finish(who, key, response);
      answer(std::move(response));
    };
  }
  carry_out(request, std::move(route), std::move(caller), std::move(answer));
}

void Api::carry_out(const std::shared_ptr<const Request>& request, Route route, Caller caller, Answer answer) {
  const auto call = std::make_shared<Call>(services_, request, std::move(route), std::move(caller), std::move(answer));
  const auto begin = [call] {
    const auto decoded = std::make_shared<Decoded>(decode(call->operation(), call->request()));
    const auto proceed = [call, decoded] {
      if (decoded->status != 0)
        return call->respond(failure(decoded->status, decoded->error, decoded->hint, decoded->issues));
      call->set_arguments(std::move(decoded->arguments));
      find_handler(call->operation().name)(call);
    };
    if (call->caller().has_run())
      check_run(call, proceed);
    else
      proceed();
  };
  if (call->direct())
    call->guarded(begin);
  else
    call->background(begin);
}

}  // namespace townd
