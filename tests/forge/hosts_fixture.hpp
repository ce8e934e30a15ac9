#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "fake_forge.hpp"
#include "forge/hosts.hpp"
#include "sim/fake_clock.hpp"

namespace townd::test {

/// townd's hosts with one in it, and what people do there.
class HostsFixture : public testing::Test {
 protected:
  explicit HostsFixture(HostKind kind)
      : forge_(kind), hosts_({forge_.settings()}, clock_, [this](const TownId&, const events::PrNoticed& noticed) {
          noticed_.push_back(noticed.pr_number);
        }) {}

  PrPlace place(int number) const { return {{forge_.host(), "you/shop"}, number}; }
  Host& host() { return *hosts_.at(forge_.host()); }
  Asked<events::PollAnswer> read(int number) {
    const PrPlace wanted = place(number);
    return host().read({&wanted, 1}).front();
  }
  /// Of which it is known whether it can be merged.
  int known_request(const std::string& branch) {
    forge_.push(branch, branch, "work\n");
    const int number = forge_.open(branch);
    read(number);
    return number;
  }
  void fault(const json::object& what) { forge_.control("faults", what); }
  json::value act(json::object what) {
    what.emplace("repository", "you/shop");
    return forge_.control("act", what);
  }
  /// How it is refused while the forge does this.
  Refusal refused(int number, const json::object& what) {
    fault(what);
    const auto answer = read(number);
    EXPECT_FALSE(answer) << json::serialize(what);
    fault({{"clear", true}});
    return answer ? Refusal{} : answer.error();
  }
  /// For an hour, or for a day where that is wanted.
  void cost_one_request_a_minute(const std::vector<int>& numbers);

  FakeForge forge_;
  sim::FakeClock clock_;
  std::vector<int> noticed_;
  Hosts hosts_;
};

inline void HostsFixture::cost_one_request_a_minute(const std::vector<int>& numbers) {
  const auto poll = [this](int number) { return hosts_.poll(TownId("t"), RigId("r"), place(number), seconds(59)); };
  const int minutes_long = std::getenv("TOWND_WHOLE_DAY") != nullptr ? 24 * 60 : 60;
  for (const int number : numbers) ASSERT_TRUE(poll(number));
  const std::int64_t mark = forge_.requests_since(0).second;
  for (int minute = 0; minute < minutes_long; ++minute)
    for (const int number : numbers) {
      const auto answer = poll(number);
      ASSERT_TRUE(answer) << answer.error().why;
      ASSERT_EQ(answer->status, "open");
      clock_.pass(seconds(2));
    }
  const int asked = forge_.requests_since(mark).first;
  std::cout << asked << " requests in " << minutes_long << " minutes\n";
  EXPECT_LE(asked, minutes_long + 1);
  EXPECT_TRUE(noticed_.empty());
}

}  // namespace townd::test
