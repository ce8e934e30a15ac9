#include <gtest/gtest.h>

#include "core/budget.hpp"
#include "core/tick.hpp"

/// What a breach of a budget asks in the course of time; the words are in tests/scenario/budgets.json.
namespace townd {
namespace {

constexpr Instant kStart{1'800'000'000'000};

class Budgets : public ::testing::Test {
 protected:
  Budgets() {
    TownRow row;
    row.town_id = TownId("t");
    row.prefix = "t";
    row.next_id = 10;
    row.config.runs_per_day = 1;
    town_ = Town(std::move(row));
  }

  void run_at(Instant at, std::int64_t micro_usd = 0) {
    townd::Run run;
    run.run_id = RunId(town_.make_id());
    run.state = RunState::ended;
    run.requested_at = run.ended_at.emplace(at);
    run.cost_micro_usd = micro_usd;
    town_.put(std::move(run));
  }
  void pass(Instant now) { tick_until_settled(town_, {now, {}, {}, {}}); }
  void say(EventBody body, Instant now) {
    tick_until_settled(town_, {now, {}, {Event{++seq_, now, std::move(body)}}, {}});
  }
  std::vector<BeadId> asked() const {
    std::vector<BeadId> escalations;
    for (const BeadId& id : town_.bead_ids())
      if (town_.bead(id)->type == BeadType::escalation) escalations.push_back(id);
    return escalations;
  }

  Town town_;
  std::int64_t seq_ = 0;
};

TEST_F(Budgets, ABreachIsAskedAboutOnceThoughItWasAcknowledged) {
  run_at(kStart);
  pass(kStart);
  ASSERT_EQ(asked().size(), 1u);
  say(events::EscalationAcknowledged{asked()[0], "me"}, kStart + hours(1));
  pass(kStart + hours(2));
  EXPECT_EQ(asked().size(), 1u);
}

TEST_F(Budgets, TheNextBreachIsAskedAboutWhenTheLastWasAcknowledgedAndOver) {
  run_at(kStart);
  pass(kStart);
  say(events::EscalationAcknowledged{asked()[0], "me"}, kStart + hours(1));
  const Instant free = runs_budget(town_, kStart).free_at;
  EXPECT_EQ(free, kStart + days(1));
  EXPECT_LE(town_.agenda().next_due(), free);
  pass(free);
  EXPECT_TRUE(town_.row().runs_escalation.empty());
  run_at(free);
  pass(free);
  EXPECT_EQ(asked().size(), 2u);
}

TEST_F(Budgets, NotAgainWhileTheQuestionAboutTheLastBreachIsOpen) {
  run_at(kStart);
  pass(kStart);
  pass(kStart + days(1));
  run_at(kStart + days(1));
  pass(kStart + days(1));
  EXPECT_EQ(asked().size(), 1u);
}

TEST_F(Budgets, ABudgetThatWasRaisedIsFree) {
  run_at(kStart);
  pass(kStart);
  TownConfig config = town_.config();
  config.runs_per_day = 2;
  say(events::ConfigChanged{config}, kStart);
  EXPECT_TRUE(spent_budgets(town_, kStart).empty());
  say(events::EscalationAcknowledged{asked()[0], "me"}, kStart);
  EXPECT_TRUE(town_.row().runs_escalation.empty());
}

TEST_F(Budgets, MoneyIsFreeWhenEnoughOfItIsADayOld) {
  TownConfig config = town_.config();
  config.runs_per_day = 100;
  config.micro_usd_per_day = 100;
  say(events::ConfigChanged{config}, kStart);
  run_at(kStart, 30);
  run_at(kStart + hours(1), 60);
  EXPECT_FALSE(usd_budget(town_, kStart + hours(2))->spent());
  run_at(kStart + hours(2), 50);
  const auto usd = usd_budget(town_, kStart + hours(2));
  EXPECT_EQ(usd->used, 140);
  EXPECT_EQ(usd->free_at, kStart + hours(1) + days(1)) << "30 less is not enough";
  pass(kStart + hours(2));
  EXPECT_EQ(asked().size(), 1u);
  EXPECT_EQ(town_.row().usd_escalation, asked()[0]);
}

TEST_F(Budgets, MoneyOfNothingIsSpentForEver) {
  TownConfig config = town_.config();
  config.micro_usd_per_day = 0;
  say(events::ConfigChanged{config}, kStart);
  EXPECT_EQ(usd_budget(town_, kStart)->free_at, kNever);
  EXPECT_EQ(asked().size(), 1u);
}

}  // namespace
}  // namespace townd
