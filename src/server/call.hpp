#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/engine.hpp"
#include "server/answer.hpp"
#include "server/arguments.hpp"
#include "server/router.hpp"
#include "server/services.hpp"
#include "server/shapes.hpp"
#include "server/tokens.hpp"

namespace townd {

/// One request on its way through a handler. Handlers begin on a worker's thread and may block there; what runs in
/// `look` and `submit` runs on the engine's thread and may not, hence `background`. The call answers once; what a
/// handler throws is answered as a fault of townd.
class Call : public std::enable_shared_from_this<Call> {
 public:
  static constexpr std::size_t kDirectBody = 16 * 1024;

  Call(Services& services, std::shared_ptr<const Request> request, Route route, Caller caller, Answer answer);

  [[nodiscard]] const Operation& operation() const { return *route_.operation; }
  /// It is over so soon that a worker's thread would cost more than it does.
  [[nodiscard]] bool direct() const { return operation().direct && request_->body.size() <= kDirectBody; }
  [[nodiscard]] const Request& request() const { return *request_; }
  [[nodiscard]] const Caller& caller() const { return caller_; }
  [[nodiscard]] Services& services() const { return services_; }
  [[nodiscard]] const Arguments& arguments() const { return arguments_; }
  void set_arguments(Arguments arguments) { arguments_ = std::move(arguments); }
  void set_caller(Caller caller) { caller_ = std::move(caller); }

  [[nodiscard]] TownId town() const { return TownId(parameter("town")); }
  [[nodiscard]] BeadId bead() const { return BeadId(parameter("bead")); }
  [[nodiscard]] std::string parameter(std::string_view name) const { return route_.parameter(name); }
  /// The rig that the path names, by id or name, or the caller's own when it is an agent; empty text: any.
  [[nodiscard]] std::string rig() const;
  /// For the history: what the request says, else the token's owner.
  [[nodiscard]] std::string actor(std::string_view field = "actor") const;
  /// The run in whose name an agent's word is said.
  [[nodiscard]] RunId run() const;

  void succeed(json::value data);
  /// With the texts that `data` still lacks, read on a worker's thread.
  void succeed(json::value data, LateTexts texts);
  void fail(const Error& error);
  void fail(Error::Code code, std::string what, std::string hint = {});
  void respond(Response response);

  /// With the town as committed; answers 404 when there is no such town.
  void look(std::function<void(const Engine::View&)> seen) { look_at(town(), std::move(seen)); }
  void look_at(const TownId& town, std::function<void(const Engine::View&)> seen);
  /// Hands a fact in and goes on when it is durable; answers when it is refused.
  void submit(EventBody body, std::function<void(const Receipt&)> then);
  /// The same in one go for a fact that is made of the town's state: looking first would cost a commit's time.
  void submit(Engine::MakeFact fact, std::function<void(const Receipt&)> then);
  void background(std::function<void()> job);

  /// Runs `step`, answering 500 for what it throws.
  template <class Step>
  void guarded(Step&& step) noexcept {
    try {
      step();
    } catch (const std::exception& problem) {
      fault(problem.what());
    }
  }

 private:
  void fault(std::string_view what) noexcept;
  Engine::Answered answered(std::function<void(const Receipt&)> then);

  Services& services_;
  std::shared_ptr<const Request> request_;
  Route route_;
  Caller caller_;
  Answer answer_;
  Arguments arguments_;
};

using CallPtr = std::shared_ptr<Call>;
using Handler = void (*)(const CallPtr&);

}  // namespace townd
