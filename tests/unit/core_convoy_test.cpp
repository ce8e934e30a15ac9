#include <gtest/gtest.h>

#include "core/assignment.hpp"
#include "core/tick.hpp"

/// What of a convoy can still be changed when (docs/events.md, `convoy_updated`).
namespace townd {
namespace {

constexpr Instant kNow{1'800'000'000'000};

class ConvoyEdits : public ::testing::Test {
 protected:
  ConvoyEdits() {
    TownRow row;
    row.town_id = TownId("t");
    row.prefix = "t";
    row.next_id = 10;
    town_ = Town(std::move(row));
    Rig rig;
    rig.rig_id = RigId("t-1");
    rig.name = "shop";
    town_.put(std::move(rig));
    events::ConvoyCreated made;
    made.title = "plan";
    made.staged = true;
    for (int i = 0; i < 2; ++i) made.beads.push_back({"piece", "", RigId("t-1"), Priority::medium, {}, {}, "{}"});
    const EventOutcome outcome = say(std::move(made));
    convoy_ = BeadId(outcome.created.at(0));
    piece_ = BeadId(outcome.created.at(1));
  }

  EventOutcome say(EventBody body) {
    last_ = tick(town_, {kNow, {}, {Event{++seq_, kNow, std::move(body)}}, {}});
    return last_.events.at(0);
  }
  /// Why the change is refused; empty when it is not.
  std::string refusal(std::optional<MergeMode> mode, std::optional<std::string> branch) {
    const auto allowed = validate(town_, events::ConvoyUpdated{convoy_, mode, std::move(branch), "me"}, kNow);
    return allowed ? "" : allowed.error().what;
  }
  void put_request(BeadStatus status, ReviewResult result) {
    Bead bead;
    bead.bead_id = BeadId("t-90");
    bead.type = BeadType::merge_request;
    bead.rig_id = RigId("t-1");
    bead.status = status;
    if (terminal(status)) bead.closed_at = kNow;
    Review review;
    review.bead_id = bead.bead_id;
    review.source_bead_id = piece_;
    review.result = result;
    town_.put(std::move(bead));
    town_.put(std::move(review));
  }

  Town town_;
  BeadId convoy_, piece_;
  TickResult last_;
  std::int64_t seq_ = 0;
  static constexpr auto kOneByOne = MergeMode::review_and_merge;
};

TEST_F(ConvoyEdits, ChangeModeAndBranchWhileNothingIsHandedIn) {
  say(events::ConvoyUpdated{convoy_, kOneByOne, {}, "me"});
  EXPECT_EQ(target_branch_of(town_, *town_.bead(piece_)), "main");
  EXPECT_TRUE(last_.outbox.effects.empty()) << "a branch that nobody lands on is not prepared";
  say(events::ConvoyUpdated{convoy_, MergeMode::review_then_land, "plan/b", "me"});
  EXPECT_EQ(target_branch_of(town_, *town_.bead(piece_)), "plan/b");
  ASSERT_EQ(last_.outbox.effects.size(), 1u);
  EXPECT_EQ(effect_kind(last_.outbox.effects[0].body), "prepare_convoy");
}

TEST_F(ConvoyEdits, AreRefusedWithTheStateAndTheReason) {
  put_request(BeadStatus::open, ReviewResult::none);
  EXPECT_EQ(refusal(kOneByOne, {}),
            "convoy " + convoy_.text + " is staged, and " + piece_.text + " is in review (t-90)");
  EXPECT_EQ(refusal(MergeMode::review_then_land, {}), "") << "nothing would change";
  put_request(BeadStatus::closed, ReviewResult::merged);
  EXPECT_NE(refusal(kOneByOne, {}).find("the work of " + piece_.text + " is merged"), std::string::npos);
  put_request(BeadStatus::failed, ReviewResult::failed);
  EXPECT_EQ(refusal(kOneByOne, {}), "") << "what failed is nowhere";
}

TEST_F(ConvoyEdits, AreRefusedWhileAnAgentIsAtWorkAndAfterTheEnd) {
  say(events::ConvoyStarted{convoy_});
  tick_until_settled(town_, {kNow, {}, {}, {}});
  EXPECT_NE(refusal({}, "plan/b").find("is running, and an agent is at work on " + piece_.text), std::string::npos);
  say(events::ConvoyClosed{convoy_, "me"});
  EXPECT_NE(refusal({}, "plan/b").find("is closed"), std::string::npos);
}

TEST_F(ConvoyEdits, DoNotTakeABranchThatSomebodyElseLandsOn) {
  EXPECT_NE(refusal({}, "main").find("shop"), std::string::npos);
  Convoy other;
  other.bead_id = BeadId("t-91");
  other.feature_branch = "plan/b";
  Bead bead;
  bead.bead_id = other.bead_id;
  bead.type = BeadType::convoy;
  town_.put(std::move(other));
  town_.put(std::move(bead));
  EXPECT_NE(refusal({}, "plan/b").find("t-91"), std::string::npos);
  EXPECT_NE(refusal({}, ""), "");
}

}  // namespace
}  // namespace townd
