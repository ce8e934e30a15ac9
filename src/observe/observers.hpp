#pragma once

#include <utility>
#include <vector>

#include "ports/observer.hpp"

namespace townd {

/// Several observers as one; each is told in the order given. They outlive it.
class Observers final : public Observer {
 public:
  explicit Observers(std::vector<Observer*> all) : all_(std::move(all)) {}

  void ticked(const Ticked& tick) override {
    for (Observer* one : all_) one->ticked(tick);
  }
  void ticked_quietly(const QuietTick& tick) override {
    for (Observer* one : all_) one->ticked_quietly(tick);
  }
  void effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes, int in_doubt) override {
    for (Observer* one : all_) one->effects_ended(town, outcomes, in_doubt);
  }
  void differs(const TownId& town, const Difference& difference) override {
    for (Observer* one : all_) one->differs(town, difference);
  }
  void alarm(const Alarm& alarm) override {
    for (Observer* one : all_) one->alarm(alarm);
  }
  void in_memory(const Town& town, bool runs) override {
    for (Observer* one : all_) one->in_memory(town, runs);
  }
  void left_memory(const TownId& town) override {
    for (Observer* one : all_) one->left_memory(town);
  }

 private:
  const std::vector<Observer*> all_;
};

}  // namespace townd
