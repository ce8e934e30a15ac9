#pragma once

#include <memory>

#include "server/call.hpp"
#include "server/guard.hpp"
#include "server/kept_answers.hpp"
#include "server/rates.hpp"

namespace townd {

inline constexpr int kAgentRequestsPerSecond = 20;

/// A request's way from the transport to its handler: door, caller, operation, fields, and for a run's token the run.
class Api {
 public:
  Api(Services& services, Doorman doorman);

  /// Called on the transport's thread; does not block.
  void handle(std::shared_ptr<const Request> request, Answer answer);

 private:
  void with_caller(const std::shared_ptr<const Request>& request, Caller caller, Answer answer);
  void carry_out(const std::shared_ptr<const Request>& request, Route route, Caller caller, Answer answer);

  Services& services_;
  Doorman doorman_;
  KeptAnswers kept_;
  Rates agent_rates_{kAgentRequestsPerSecond};
  /// Asking the store who has an unknown token costs a read: at most this often.
  Rates unknown_tokens_{20};
};

}  // namespace townd
