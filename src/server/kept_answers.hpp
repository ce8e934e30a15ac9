#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "server/message.hpp"

namespace townd {

/// Answers to POSTs by their Idempotency-Key, so that a repetition gets the same answer and does nothing. Bounded for
/// each caller; kept in memory, because a caller repeats within seconds.
class KeptAnswers {
 public:
  static constexpr std::size_t kPerCaller = 256;
  static constexpr std::size_t kCallers = 1024;

  enum class Begin {
    first,     ///< carry it out, then call `finish`
    joined,    ///< the same request is under way or done: `answer` gets its answer
    different  ///< the key stands for another request
  };
  /// `what` is the request in full: a key stands for one request only.
  Begin begin(const std::string& caller, const std::string& key, const std::string& what, Answer answer);
  /// Keeps the answer and gives it to everybody who waits; an answer of 500 or more is not kept.
  void finish(const std::string& caller, const std::string& key, const Response& response);

 private:
  struct Kept {
    std::string what;
    bool done = false;
    Response response;
    std::vector<Answer> waiting;
  };
  struct Caller {
    std::map<std::string, Kept> kept;
    std::deque<std::string> order;
  };
  void forget_oldest(Caller& caller);

  std::mutex mutex_;
  std::map<std::string, Caller> callers_;
  std::deque<std::string> order_;
};

}  // namespace townd
