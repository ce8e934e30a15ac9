#pragma once

#include <initializer_list>
#include <vector>

#include "ports/observer.hpp"

namespace townd {

/// Several observers as one, told in the order in which they were added. All are added before anything happens, and
/// outlive what happens.
class Observers final : public Observer {
 public:
  Observers() = default;
  Observers(std::initializer_list<Observer*> all) : all_(all) {}
  void add(Observer& one) { all_.push_back(&one); }

  void ticked(const Ticked& tick) override {
    for (Observer* one : all_) one->ticked(tick);
  }
  void ticked_quietly(const QuietTick& tick) override {
    for (Observer* one : all_) one->ticked_quietly(tick);
  }
  void effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes) override {
    for (Observer* one : all_) one->effects_ended(town, outcomes);
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
  void left_memory(const Town& town) override {
    for (Observer* one : all_) one->left_memory(town);
  }

 private:
  std::vector<Observer*> all_;
};

}  // namespace townd
