#include <gtest/gtest.h>

#include <boost/mp11.hpp>
#include <variant>

#include "codec/describe_events.hpp"
#include "codec/describe_ticks.hpp"
#include "core/image.hpp"

// A member that the descriptions lack would be lost on the way through the store.

namespace townd {
namespace {

struct Anything {
  template <class T>
  operator T() const;  // NOLINT: converts to whatever a member is
};

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything{})...}; };
}
/// How many members an aggregate has: the most values that it can be made from.
template <class T, std::size_t N = 0>
constexpr std::size_t member_count() {
  if constexpr (takes<T>(std::make_index_sequence<N + 1>{}))
    return member_count<T, N + 1>();
  else
    return N;
}

template <class T>
constexpr std::size_t described_count() {
  return boost::mp11::mp_size<boost::describe::describe_members<T, boost::describe::mod_public>>::value;
}

template <class... T>
void expect_all_described(std::variant<T...>*) {
  const auto expect = []<class One>(One*) {
    EXPECT_EQ(described_count<One>(), member_count<One>()) << typeid(One).name();
  };
  (expect(static_cast<T*>(nullptr)), ...);
}

TEST(CodecMembers, EveryMemberOfEveryRowIsDescribed) {
  expect_all_described(static_cast<AnyRow*>(nullptr));
  expect_all_described(static_cast<std::variant<Rework, TriageRequest, Escalation, LandingAttempts, Breaker, RigConfig,
                                                Constants, TownConfig, PresetState, NodeFacts>*>(nullptr));
}

TEST(CodecMembers, EveryMemberOfEveryEventIsDescribed) {
  expect_all_described(static_cast<EventBody*>(nullptr));
  expect_all_described(static_cast<std::variant<events::PollAnswer, events::ConvoyBead, SignOfLife>*>(nullptr));
}

TEST(CodecMembers, EveryMemberOfWhatATickLeavesIsDescribed) {
  expect_all_described(static_cast<ActionBody*>(nullptr));
  expect_all_described(static_cast<EffectBody*>(nullptr));
  expect_all_described(static_cast<std::variant<EventOutcome, Decided, Violation, TickRecord>*>(nullptr));
}

}  // namespace
}  // namespace townd
