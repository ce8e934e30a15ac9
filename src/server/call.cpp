#include "server/call.hpp"

#include <utility>

#include "engine/engine.hpp"
#include "ports/store.hpp"
#include "server/workers.hpp"

namespace townd {
namespace {

Error fault_of(std::string_view what) {
  return {Error::Code::internal, "townd failed on this request: " + std::string(what),
          "this is a fault of townd; please report it with the log"};
}

}  // namespace

Call::Call(Services& services, std::shared_ptr<const Request> request, Route route, Caller caller, Answer answer)
    : services_(services),
      request_(std::move(request)),
      route_(std::move(route)),
      caller_(std::move(caller)),
      answer_(std::move(answer)) {}

std::string Call::rig() const {
  if (std::string named = parameter("rig"); !named.empty()) return named;
  return caller_.role == kAgent ? caller_.rig.text : std::string{};
}

std::string Call::actor(std::string_view field) const {
  if (caller_.has_run()) return caller_.agent.text;
  return arguments_.text(field, caller_.token_id == "socket" ? "operator" : caller_.token_id);
}

RunId Call::run() const { return caller_.has_run() ? caller_.run : RunId(arguments_.text("run_id")); }

void Call::respond(Response response) {
  response.operation = operation().name;
  if (const Answer answer = std::exchange(answer_, nullptr)) answer(std::move(response));
}

void Call::succeed(json::value data) {
  if (operation().raw) {
    Response response;
    response.body = json::serialize(data);
    respond(std::move(response));
  } else {
    respond(success(std::move(data), operation().status));
  }
}

void Call::succeed(json::value data, LateTexts texts) {
  if (texts.hashes().empty()) return succeed(std::move(data));
  background([self = shared_from_this(), data = std::move(data), texts = std::move(texts)]() mutable {
    TextBook book;
    for (const Hash128& hash : texts.hashes()) {
      auto text = self->services_.store.text(self->town(), hash);
      if (!text) return self->fail(text.error());
      if (*text) book.emplace(hash, std::move(**text));
    }
    LateTexts::fill(data, book);
    self->succeed(std::move(data));
  });
}

void Call::fail(const Error& error) { respond(failure(error)); }

void Call::fail(Error::Code code, std::string what, std::string hint) {
  fail(Error{code, std::move(what), std::move(hint)});
}

void Call::fault(std::string_view what) noexcept {
  try {
    fail(fault_of(what));
  } catch (const std::exception&) {
    // Out of memory even for saying so: the connection gives up on its own.
  }
}

void Call::look_at(const TownId& town, std::function<void(const Engine::View&)> seen) {
  services_.engine.look(
      town,
      [self = shared_from_this(), seen = std::move(seen)](const Engine::View& view) {
        self->guarded([&] { seen(view); });
      },
      [self = shared_from_this(), town] {
        self->guarded([&] {
          self->fail(Error::Code::not_found, "there is no town " + town.text, "look its id up in the list of towns");
        });
      });
}

Engine::Answered Call::answered(std::function<void(const Receipt&)> then) {
  return [self = shared_from_this(), then = std::move(then)](const expected<Receipt>& receipt) {
    self->guarded([&] {
      if (receipt)
        then(*receipt);
      else
        self->fail(receipt.error());
    });
  };
}

void Call::submit(EventBody body, std::function<void(const Receipt&)> then) {
  services_.engine.submit(town(), std::move(body), answered(std::move(then)));
}

void Call::submit(Engine::MakeFact fact, std::function<void(const Receipt&)> then) {
  services_.engine.submit(
      town(),
      [fact = std::move(fact)](const Town& town) -> expected<EventBody> {
        try {
          return fact(town);
        } catch (const std::exception& problem) {
          return tl::unexpected(fault_of(problem.what()));
        }
      },
      answered(std::move(then)));
}

void Call::background(std::function<void()> job) {
  services_.workers.post([self = shared_from_this(), job = std::move(job)] { self->guarded(job); });
}

}  // namespace townd
