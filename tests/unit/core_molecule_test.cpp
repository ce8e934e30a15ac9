#include <gtest/gtest.h>

#include "core/assignment.hpp"
#include "core/explain.hpp"
#include "core/molecule.hpp"
#include "core/tick.hpp"

/// Work in steps, as requests make and change it; how it ends is in tests/scenario/molecules.json.
namespace townd {
namespace {

constexpr Instant kNow{1'800'000'000'000};

class Molecules : public ::testing::Test {
 protected:
  Molecules() {
    TownRow row;
    row.town_id = TownId("t");
    row.prefix = "t";
    row.next_id = 10;
    town_ = Town(std::move(row));
    Rig rig;
    rig.rig_id = RigId("t-1");
    rig.name = "rig";
    town_.put(std::move(rig));
    Bead bead;
    bead.bead_id = kWork;
    bead.title = "the work";
    bead.rig_id = RigId("t-1");
    bead.status = BeadStatus::in_progress;
    bead.priority = Priority::high;
    town_.put(std::move(bead));
    Agent agent;
    agent.agent_id = kAgent;
    agent.rig_id = RigId("t-1");
    agent.status = AgentStatus::working;
    agent.last_activity_at = kNow;
    agent.current_hook_bead_id = kWork;
    town_.put(std::move(agent));
  }

  EventOutcome say(EventBody body) {
    return tick(town_, {kNow, {}, {Event{++seq_, kNow, std::move(body)}}, {}}).events.at(0);
  }
  BeadId divide(std::size_t steps) {
    events::MoleculeCreated made;
    made.bead_id = kWork;
    for (std::size_t i = 0; i < steps; ++i) made.steps.push_back({"step", "how"});
    const EventOutcome outcome = say(std::move(made));
    return outcome.created.empty() ? BeadId{} : BeadId(outcome.created.front());
  }
  /// Why the request is refused; empty when it is not.
  std::string refusal(const EventBody& body) {
    const auto allowed = validate(town_, body, kNow);
    return allowed ? "" : allowed.error().what;
  }

  const BeadId kWork{"t-2"};
  const AgentId kAgent{"t-3"};
  Town town_;
  std::int64_t seq_ = 0;
};

TEST_F(Molecules, HaveABeadForEachStepWhichWaitsForTheOneBefore) {
  const BeadId molecule = divide(3);
  EXPECT_EQ(molecule_of(town_, kWork), molecule);
  const auto steps = steps_of(town_, molecule);
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(current_step(town_, molecule), steps[0]);
  const Bead& last = *town_.bead(steps[2]);
  EXPECT_TRUE(last.rig_id.empty());
  EXPECT_EQ(last.priority, Priority::high);
  EXPECT_EQ(last.labels, (std::vector<std::string>{"gt:molecule-step", "step:2"}));
  EXPECT_EQ(first_blocker(town_, steps[2]), steps[1]);
  const auto step = step_of(town_, kWork);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->number, 1u);
  EXPECT_EQ(step->of, 3u);
}

TEST_F(Molecules, HaveFrom1To50Steps) {
  EXPECT_EQ(divide(0), BeadId{});
  EXPECT_EQ(divide(kMoleculeSteps + 1), BeadId{});
  EXPECT_EQ(steps_of(town_, divide(kMoleculeSteps)).size(), kMoleculeSteps);
}

TEST_F(Molecules, AreOneForABeadAndOnlyOfWork) {
  const BeadId molecule = divide(2);
  const events::MoleculeStep step{"step", ""};
  EXPECT_NE(refusal(events::MoleculeCreated{kWork, {step}, ""}).find("has a molecule: " + molecule.text),
            std::string::npos);
  EXPECT_NE(refusal(events::MoleculeCreated{molecule, {step}, ""}), "");
  EXPECT_NE(refusal(events::MoleculeCreated{current_step(town_, molecule), {step}, ""}), "");
  say(events::BeadCancelled{molecule, "failed", "me"});
  EXPECT_EQ(refusal(events::MoleculeCreated{kWork, {step}, ""}), "");
  EXPECT_NE(refusal(events::MoleculeCreated{kWork, {{"", "no title"}}, ""}).find("step 1"), std::string::npos);
}

TEST_F(Molecules, AreMadeWhole) {
  const BeadId molecule = divide(1);
  events::BeadCreated bead;
  bead.title = "one more";
  bead.parent_bead_id = molecule;
  EXPECT_NE(refusal(bead), "");
  bead.parent_bead_id = {};
  bead.type = BeadType::molecule;
  EXPECT_NE(refusal(bead), "");
}

TEST_F(Molecules, AStepCannotComeAfterWhatItsOwnWorkWaitsFor) {
  const BeadId step = current_step(town_, divide(1));
  const Dependency circle{kWork, step, DependencyKind::blocks};
  EXPECT_NE(refusal(events::DependencyAdded{circle}).find("cycle"), std::string::npos);
}

TEST_F(Molecules, GoWithTheirBead) {
  const BeadId molecule = divide(2);
  const auto steps = steps_of(town_, molecule);
  say(events::AgentUnhooked{kAgent});
  EXPECT_EQ(say(events::BeadDeleted{kWork, "me"}).fate, EventFate::applied);
  EXPECT_FALSE(town_.bead(molecule));
  EXPECT_FALSE(town_.bead(steps[0]));
  EXPECT_EQ(town_.digest(), town_.recount());
}

TEST_F(Molecules, EveryStepSaysWhyItWaits) {
  const BeadId molecule = divide(2);
  const auto steps = steps_of(town_, molecule);
  const auto because = [&](const BeadId& id) { return explain(town_, id.text, kNow).decisions.at(0).because; };
  EXPECT_NE(because(steps[0]).find("0 of 2 steps of t-2 (in_progress) are done"), std::string::npos)
      << because(steps[0]);
  EXPECT_NE(because(steps[1]).find("blocked"), std::string::npos) << because(steps[1]);
  EXPECT_NE(because(molecule).find("steps"), std::string::npos) << because(molecule);
}

TEST_F(Molecules, AStepWhoseLabelSomebodyTookAwayIsStillAStep) {
  const BeadId step = current_step(town_, divide(1));
  events::BeadUpdated edit;
  edit.bead_id = step;
  edit.labels.emplace();
  say(std::move(edit));
  EXPECT_EQ(may_dispatch(town_, *town_.bead(step), kNow).reason, Reason::molecule_step);
  say(events::BeadCancelled{kWork, "closed", "me"});
  tick_until_settled(town_, {kNow, {}, {}, {}});
  EXPECT_EQ(town_.bead(step)->status, BeadStatus::closed);
}

}  // namespace
}  // namespace townd
