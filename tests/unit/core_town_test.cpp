#include <gtest/gtest.h>

#include "core/tick.hpp"

/// Rows that only damaged or foreign data has; the town must stand them.
namespace townd {
namespace {

constexpr Instant kNow{1'800'000'000'000};

Bead bead_of(const std::string& id, BeadType type) {
  Bead bead;
  bead.bead_id = BeadId(id);
  bead.type = type;
  bead.title = id;
  bead.rig_id = RigId("t-1");
  return bead;
}

Town empty_town() {
  TownRow row;
  row.town_id = TownId("t");
  row.prefix = "t";
  row.next_id = 1'000;
  Town town(std::move(row));
  Rig rig;
  rig.rig_id = RigId("t-1");
  rig.name = "rig";
  town.put(std::move(rig));
  return town;
}

EventOutcome outcome_of(Town& town, EventBody body) {
  return tick(town, {kNow, {}, {Event{1, kNow, std::move(body)}}, {}}).events.at(0);
}

TEST(OddRows, ConvoysThatTrackOneAnotherAreCancelledOnce) {
  Town town = empty_town();
  for (const char* id : {"t-2", "t-3"}) {
    Convoy convoy;
    convoy.bead_id = BeadId(id);
    town.put(std::move(convoy));
    town.put(bead_of(id, BeadType::convoy));
  }
  town.put(Dependency{BeadId("t-2"), BeadId("t-3"), DependencyKind::tracks});
  town.put(Dependency{BeadId("t-3"), BeadId("t-2"), DependencyKind::tracks});
  EXPECT_EQ(outcome_of(town, events::ConvoyClosed{BeadId("t-2"), "me"}).fate, EventFate::applied);
  EXPECT_TRUE(terminal(town.bead(BeadId("t-2"))->status));
  EXPECT_TRUE(terminal(town.bead(BeadId("t-3"))->status));
  EXPECT_EQ(town.digest(), town.recount());
}

TEST(OddRows, ARequestMayWaitForItsOwnSource) {
  Town town = empty_town();
  town.put(bead_of("t-2", BeadType::issue));
  Review review;
  review.bead_id = BeadId("t-3");
  review.source_bead_id = BeadId("t-2");
  town.put(Dependency{BeadId("t-3"), BeadId("t-2"), DependencyKind::blocks});
  town.put(bead_of("t-3", BeadType::merge_request));
  town.put(std::move(review));
  EXPECT_EQ(town.links(BeadId("t-2")).live_requests, 1);
  EXPECT_EQ(outcome_of(town, events::BeadCancelled{BeadId("t-3"), "failed", "me"}).fate, EventFate::applied);
  EXPECT_EQ(town.links(BeadId("t-2")).live_requests, 0);
}

TEST(Quarantine, AnEventThatAPersonHasTriedAgainIsAppliedInTheSameTick) {
  Town town = empty_town();
  const auto event = std::make_shared<const Event>(Event{7, kNow, events::TownPaused{"for lunch"}});
  town.put(DeferredEvent{event, 3, "it could not be", kNever});
  const TickResult result = tick(town, {kNow, {}, {Event{8, kNow, events::EventRetried{7, "me"}}}, {}});
  ASSERT_EQ(result.events.size(), 2u);
  EXPECT_EQ(result.events[1].seq, 7);
  EXPECT_EQ(result.events[1].fate, EventFate::applied);
  EXPECT_TRUE(town.row().paused);
  EXPECT_TRUE(town.deferred().empty());
  const auto again = validate(town, events::EventRetried{7, "me"}, kNow);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Error::Code::not_found);
}

TEST(Requests, AConvoyTracksIssuesOnly) {
  Town town = empty_town();
  Convoy convoy;
  convoy.bead_id = BeadId("t-2");
  town.put(std::move(convoy));
  town.put(bead_of("t-2", BeadType::convoy));
  const auto refused = validate(town, events::ConvoyBeadAdded{BeadId("t-2"), BeadId("t-2"), {}}, kNow);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("issues only"), std::string::npos) << refused.error().what;
  const Dependency itself{BeadId("t-2"), BeadId("t-2"), DependencyKind::tracks};
  EXPECT_FALSE(validate(town, events::DependencyAdded{itself}, kNow));
}

TEST(SetUp, ARigWhoseSetupFailedIsUnusableUntilItIsChanged) {
  Town town = empty_town();
  town.put(bead_of("t-2", BeadType::issue));
  town.touch_everything();
  const TickResult started = tick(town, {kNow, {}, {}, {}});
  ASSERT_EQ(started.decisions.size(), 1u);
  const RunId run = town.agent(started.decisions[0].chosen)->run_id;
  outcome_of(town, events::DispatchRefused{run, Outcome::refused, "setup ended with exit code 1", {}, true});
  EXPECT_EQ(town.rig(RigId("t-1"))->broken_reason, "setup ended with exit code 1");
  outcome_of(town, events::RigChecked{RigId("t-1"), "", "main"});
  EXPECT_NE(town.rig(RigId("t-1"))->broken_reason, "");
  outcome_of(town, events::RigChanged{RigId("t-1"), "", "", "", {}});
  outcome_of(town, events::RigChecked{RigId("t-1"), "", "main"});
  EXPECT_EQ(town.rig(RigId("t-1"))->broken_reason, "");
}

}  // namespace
}  // namespace townd
