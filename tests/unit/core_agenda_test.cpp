#include <gtest/gtest.h>
#include <malloc.h>

#include "core/invariant.hpp"
#include "core/resync.hpp"

namespace townd {
namespace {

constexpr Instant kNow{1'800'000'000'000};
const SubjectKey kOne("t-1"), kTwo("t-2"), kTen("t-10");

TEST(AgendaOrder, IsTheOrderOfIdsAndWhatIsBehindTheOneAtHandIsSeen) {
  Agenda agenda;
  agenda.touch(Stage::issues, kTen, Edge::self);
  agenda.touch(Stage::issues, kTwo, Edge::self);
  SubjectKey taken;
  ASSERT_TRUE(agenda.take_next(Stage::issues, nullptr, taken));
  EXPECT_EQ(taken, kTwo);
  agenda.touch(Stage::issues, kOne, Edge::self);  // before the one at hand: the next tick's
  ASSERT_TRUE(agenda.take_next(Stage::issues, &kTwo, taken));
  EXPECT_EQ(taken, kTen);
  EXPECT_FALSE(agenda.take_next(Stage::issues, &kTen, taken));
  EXPECT_TRUE(agenda.anything_touched());
}

TEST(AgendaWaits, WhatNobodyWaitsForAnyMoreTakesNoRoomUntilItsMoment) {
  Agenda agenda;
  agenda.wait(Stage::issues, kOne, kNow + hours(1));
  const auto pass = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const SubjectKey gone("gone-" + std::to_string(i));
      agenda.wait(Stage::gc_beads, gone, kNow + days(14));
      agenda.forget(Stage::gc_beads, gone);
    }
    return mallinfo2().uordblks;
  };
  const std::size_t before = pass();
  EXPECT_LT(pass(), before + 200'000);
  EXPECT_EQ(agenda.next_due(), kNow + hours(1));
}

TEST(AgendaWaits, TheLastWordCountsAndItsTimeTouches) {
  Agenda agenda;
  agenda.wait(Stage::agents, kOne, kNow + seconds(5));
  agenda.wait(Stage::agents, kOne, kNow + seconds(9));
  EXPECT_EQ(agenda.next_due(), kNow + seconds(9));
  agenda.wake(kNow + seconds(8));
  EXPECT_FALSE(agenda.anything_touched());
  EXPECT_FALSE(agenda.expects(Stage::agents, kOne, kNow + seconds(8)));
  EXPECT_TRUE(agenda.expects(Stage::agents, kOne, kNow + seconds(9)));
  agenda.wake(kNow + seconds(9));
  EXPECT_TRUE(agenda.anything_touched());
  EXPECT_EQ(agenda.next_due(), kNever);
}

TEST(AgendaWaits, ForAnythingButATouchLeavesNothing) {
  Agenda agenda;
  agenda.wait(Stage::agents, kOne, kNow);
  agenda.wait(Stage::agents, kOne, kNever);
  EXPECT_EQ(agenda.next_due(), kNever);
}

/// A town with `beads` ready issues and room for one agent, settled.
Town settled_town(int beads) {
  TownRow row;
  row.town_id = TownId("t");
  row.prefix = "t";
  row.next_id = 1'000;
  row.node.slots = 1;
  Town town(std::move(row));
  Rig rig;
  rig.rig_id = RigId("t-1");
  rig.name = "rig";
  town.put(std::move(rig));
  for (int i = 0; i < beads; ++i) {
    Bead bead;
    bead.bead_id = BeadId("t-" + std::to_string(10 + i));
    bead.title = "piece";
    bead.rig_id = RigId("t-1");
    town.put(std::move(bead));
  }
  town.touch_everything();
  tick_until_settled(town, {kNow, {}, {}, {}});
  town.settle();
  return town;
}

Resync::Found a_round(const Town& town, std::size_t rows, int& looks) {
  Resync resync;
  Resync::Found found;
  for (looks = 1; !resync.look(town, kNow, rows, found) && looks < 1'000; ++looks) {
  }
  return found;
}

TEST(ResyncTest, FindsNothingInASettledTown) {
  int looks = 0;
  const Resync::Found found = a_round(settled_town(100), 10, looks);
  EXPECT_TRUE(found.missed.empty());
  EXPECT_TRUE(found.broken.empty());
  EXPECT_GT(looks, 10);
  EXPECT_LT(looks, 15);
}

TEST(ResyncTest, FindsAnInvariantThatDoesNotHoldAndTheTickReportsItAndActsOnNothing) {
  Town town = settled_town(100);
  Agent agent = *town.agent(town.agent_ids().front());
  agent.agent_id = AgentId("another");
  town.put(agent);
  town.settle();
  int looks = 0;
  const Resync::Found found = a_round(town, 10, looks);
  ASSERT_FALSE(found.broken.empty());
  EXPECT_EQ(found.broken[0].invariant, 6);
  EXPECT_EQ(found.broken[0].subject, agent.current_hook_bead_id.text);
  TickInput input{kNow, {}, {}, {}, found.broken};
  EXPECT_EQ(tick(town, input).violations, found.broken);
  EXPECT_FALSE(check_all_rows(town).empty());
}

TEST(ResyncTest, FindsWhatTheAgendaHasForgottenAndTheTickActsOnIt) {
  Town town = settled_town(100);
  const AgentId agent = town.agent_ids().front();
  // The start is over time, and the agenda is made to know nothing of it.
  town.agenda().forget(Stage::agents, SubjectKey(agent.text));
  const Instant later = kNow + minutes(5);
  Resync resync;
  Resync::Found looked;
  while (!resync.look(town, later, 16, looked)) {
  }
  const std::vector<Missed>& missed = looked.missed;
  ASSERT_EQ(missed.size(), 1u);
  EXPECT_EQ(missed[0].stage, Stage::agents);
  EXPECT_EQ(missed[0].subject.text, agent.text);
  EXPECT_TRUE(tick(town, {later, {}, {}, {}}).decisions.empty());
  const TickResult found = tick(town, {later, {}, {}, missed});
  ASSERT_EQ(found.decisions.size(), 1u);
  EXPECT_EQ(found.decisions[0].rule, "agents.never_started");
}

}  // namespace
}  // namespace townd
