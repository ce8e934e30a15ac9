#include "server/kept_answers.hpp"

#include <algorithm>
#include <utility>

namespace townd {

KeptAnswers::Begin KeptAnswers::begin(const std::string& caller, const std::string& key, const std::string& what,
                                      Answer answer) {
  Response response;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, fresh] = callers_.try_emplace(caller);
    if (fresh) {
      order_.push_back(caller);
      if (order_.size() > kCallers) {
        callers_.erase(order_.front());
        order_.pop_front();
      }
    }
    Caller& mine = place->second;
    const auto found = mine.kept.find(key);
    if (found == mine.kept.end()) {
      if (mine.order.size() >= kPerCaller) forget_oldest(mine);
      mine.kept.emplace(key, Kept{what, false, {}, {}});
      mine.order.push_back(key);
      return Begin::first;
    }
    if (found->second.what != what) return Begin::different;
    if (!found->second.done) {
      found->second.waiting.push_back(std::move(answer));
      return Begin::joined;
    }
    response = found->second.response;
  }
  answer(std::move(response));
  return Begin::joined;
}

void KeptAnswers::finish(const std::string& caller, const std::string& key, const Response& response) {
  std::vector<Answer> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto mine = callers_.find(caller);
    if (mine == callers_.end()) return;
    const auto found = mine->second.kept.find(key);
    if (found == mine->second.kept.end()) return;
    waiting = std::exchange(found->second.waiting, {});
    if (response.status >= 500) {
      mine->second.kept.erase(found);
      std::erase(mine->second.order, key);
    } else {
      found->second.done = true;
      found->second.response = response;
    }
  }
  for (const Answer& answer : waiting) answer(response);
}

/// The oldest that is done; one that is under way has somebody waiting for it.
void KeptAnswers::forget_oldest(Caller& caller) {
  const auto oldest = std::find_if(caller.order.begin(), caller.order.end(),
                                   [&](const std::string& key) { return caller.kept.at(key).done; });
  if (oldest == caller.order.end()) return;
  caller.kept.erase(*oldest);
  caller.order.erase(oldest);
}

}  // namespace townd
