#include <gtest/gtest.h>

#include "core/merge_queue.hpp"
#include "server/doctor/town_checks.hpp"

/// What the doctor says of one town, and when it must be silent.
namespace townd::doctor {
namespace {

constexpr Instant kNow{1'800'000'000'000};

class DoctorTowns : public testing::Test {
 protected:
  DoctorTowns() {
    TownRow row;
    row.town_id = TownId("t");
    row.prefix = "t";
    row.next_id = 1'000;
    row.node.slots = 4;
    row.node.presets = {{"claude", true, "", {}}, {"refine", true, "", {}}};
    town = Town(std::move(row));
    Rig rig;
    rig.rig_id = RigId("t-1");
    rig.name = "rig";
    town.put(std::move(rig));
  }

  void put_bead(const std::string& id, BeadType type, BeadStatus status, Duration ago) {
    Bead bead;
    bead.bead_id = BeadId(id);
    bead.type = type;
    bead.status = status;
    bead.title = id;
    bead.rig_id = RigId("t-1");
    bead.created_at = bead.updated_at = bead.status_since = bead.ready_since = kNow - ago;
    town.put(std::move(bead));
  }
  void put_request(const std::string& id, const std::string& source, BeadStatus status, Duration ago) {
    put_bead(source, BeadType::issue, BeadStatus::in_review, ago);
    put_bead(id, BeadType::merge_request, status, ago);
    Review review;
    review.bead_id = BeadId(id);
    review.source_bead_id = BeadId(source);
    review.branch = "work";
    review.target_branch = "main";
    town.put(std::move(review));
  }
  template <class Edit>
  void edit_town(Edit edit) {
    TownRow row = town.row();
    edit(row);
    town.put(std::move(row));
  }
  template <class Edit>
  void edit_rig(Edit edit) {
    Rig rig = *town.rig(RigId("t-1"));
    edit(rig);
    town.put(std::move(rig));
  }

  [[nodiscard]] Engine::View view() const {
    return {town, kNow, last_tick_at, 1, pending, 0, nullptr, not_run, doubts};
  }
  /// `check subject: what` of each finding.
  template <class Check>
  std::vector<std::string> found(Check check) {
    Report report;
    const Engine::View seen = view();
    check(seen, report);
    std::vector<std::string> lines;
    for (const Finding& finding : report.findings)
      lines.push_back(std::string(finding.check) + " " + finding.subject + ": " + finding.what);
    return lines;
  }
  std::vector<std::string> stuck() { return found(check_stuck_work); }

  Town town;
  std::map<std::string, StoredEffect> doubts;
  int pending = 0;
  Instant last_tick_at = kNow - hours(1);
  std::string not_run;
};

using Lines = std::vector<std::string>;

TEST_F(DoctorTowns, ReadyWorkThatNoTickTakesUpIsStuckAfterFiveMinutes) {
  put_bead("t-2", BeadType::issue, BeadStatus::open, minutes(5));
  EXPECT_EQ(stuck(), Lines{}) << "at the threshold";
  put_bead("t-2", BeadType::issue, BeadStatus::open, minutes(5) + Duration{1});
  EXPECT_EQ(stuck(), Lines{"stuck_work t-2: has been ready for more than 5 minutes and nobody works on it: rule "
                           "beads.assign would act, but no tick comes"});
  last_tick_at = kNow;
  EXPECT_EQ(stuck(), Lines{}) << "a tick has just been, the next one follows";
}

TEST_F(DoctorTowns, ReadyWorkThatABrokenRigKeepsIsToldOnceForAll) {
  for (const char* id : {"t-2", "t-3", "t-4"}) put_bead(id, BeadType::issue, BeadStatus::open, hours(1));
  edit_rig([](Rig& rig) { rig.broken_reason = "it is gone"; });
  const Lines lines = stuck();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("t-2: has been ready for more than 5 minutes and nobody works on it (and 2 others)"),
            std::string::npos)
      << lines[0];
  EXPECT_NE(lines[0].find("it is gone"), std::string::npos) << lines[0];
}

TEST_F(DoctorTowns, WorkThatWaitsForAGoodReasonIsNotStuck) {
  put_bead("t-2", BeadType::issue, BeadStatus::open, hours(1));
  ASSERT_EQ(stuck().size(), 1u);
  const auto silent = [&](const char* why, auto edit, auto undo) {
    edit();
    EXPECT_EQ(stuck(), Lines{}) << why;
    undo();
  };
  silent(
      "paused", [&] { edit_town([](TownRow& row) { row.paused = true; }); },
      [&] { edit_town([](TownRow& row) { row.paused = false; }); });
  silent(
      "draining", [&] { edit_town([](TownRow& row) { row.draining_since = kNow - minutes(6); }); },
      [&] { edit_town([](TownRow& row) { row.draining_since.reset(); }); });
  silent(
      "no slot", [&] { edit_town([](TownRow& row) { row.node.slots = 0; }); },
      [&] { edit_town([](TownRow& row) { row.node.slots = 4; }); });
  silent(
      "its budget is spent", [&] { edit_town([](TownRow& row) { row.config.runs_per_day = 0; }); },
      [&] { edit_town([](TownRow& row) { row.config.runs_per_day = 1000; }); });
  silent(
      "nobody listened", [&] { edit_town([](TownRow& row) { row.observed_since = kNow - minutes(1); }); },
      [&] { edit_town([](TownRow& row) { row.observed_since.reset(); }); });
  const auto label = [&](std::vector<std::string> labels) {
    Bead bead = *town.bead(BeadId("t-2"));
    bead.labels = std::move(labels);
    town.put(std::move(bead));
  };
  silent(
      "held", [&] { label({"gt:held"}); }, [&] { label({}); });
  put_bead("t-3", BeadType::issue, BeadStatus::in_progress, minutes(1));
  town.put(Dependency{BeadId("t-2"), BeadId("t-3"), DependencyKind::blocks});
  EXPECT_EQ(stuck(), Lines{}) << "blocked";
}

TEST_F(DoctorTowns, AReviewIsStuckAfterAQuarterOfAnHourAndSaysWhatHoldsIt) {
  put_request("t-3", "t-2", BeadStatus::open, minutes(15));
  edit_rig([](Rig& rig) { rig.broken_reason = "it is gone"; });
  EXPECT_EQ(stuck(), Lines{});
  put_request("t-3", "t-2", BeadStatus::open, minutes(16));
  const Lines lines = stuck();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("t-2: has been in review for more than 15 minutes: its request t-3"), std::string::npos)
      << lines[0];
  edit_town([](TownRow& row) { row.paused = true; });
  edit_rig([](Rig& rig) { rig.broken_reason.clear(); });
  EXPECT_EQ(stuck(), Lines{}) << "a paused town waits for a person";
}

TEST_F(DoctorTowns, AReviewThatSomebodyIsAtIsNotStuckHoweverLongItTakes) {
  put_request("t-3", "t-2", BeadStatus::in_progress, hours(1));
  townd::Run run;
  run.run_id = RunId("t-9");
  run.agent_id = AgentId("t-8");
  run.bead_id = BeadId("t-3");
  run.rig_id = RigId("t-1");
  run.kind = RunKind::review;
  run.state = RunState::running;
  run.requested_at = kNow - hours(1);
  Agent agent;
  agent.agent_id = AgentId("t-8");
  agent.role = AgentRole::refinery;
  agent.rig_id = RigId("t-1");
  agent.status = AgentStatus::working;
  agent.current_hook_bead_id = BeadId("t-3");
  agent.run_id = run.run_id;
  agent.last_activity_at = kNow - seconds(10);
  town.put(run);
  town.put(agent);
  EXPECT_EQ(stuck(), Lines{});
  run.state = RunState::ended;
  run.outcome = Outcome::crashed;
  run.ended_at = kNow - minutes(30);
  agent.status = AgentStatus::idle;
  agent.last_activity_at = kNow - minutes(30);
  town.put(run);
  town.put(agent);
  const Lines lines = stuck();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[1].find("t-3: is being tried, and its refinery has been idle"), std::string::npos) << lines[1];
}

TEST_F(DoctorTowns, APausedQueueADrainThatStaysAndEventsThatPileUpAreTold) {
  edit_rig([](Rig& rig) { pause(rig.queue, kNow - minutes(1), "the gate fails on main"); });
  edit_town([](TownRow& row) { row.draining_since = kNow - minutes(7); });
  pending = 50;
  Lines lines = stuck();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "stuck_work t-1: the merge queue of rig rig is paused: the gate fails on main");
  EXPECT_EQ(lines[1], "stuck_work t: it has been draining for longer than a drain takes");
  edit_rig([](Rig& rig) { resume(rig.queue, kNow); });
  edit_town([](TownRow& row) { row.draining_since = kNow - minutes(7) + Duration{1}; });
  pending = 51;
  lines = stuck();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "stuck_work t: 51 events wait to be applied");
}

TEST_F(DoctorTowns, AQuarantinedEventIsToldAndCanBeTriedAgainAndADeferredOneIsNot) {
  const auto event = std::make_shared<const Event>(Event{7, kNow, events::TownPaused{}});
  town.put(DeferredEvent{event, 1, "not yet", kNow + minutes(1)});
  std::int64_t retried = 0;
  const auto check = [&](const Engine::View& seen, Report& report) {
    check_quarantine(
        seen,
        [&](const TownId&, std::int64_t seq) -> expected<void> {
          retried = seq;
          return fail(Error::Code::conflict, "once more not");
        },
        report);
  };
  EXPECT_EQ(found(check), Lines{});
  town.put(DeferredEvent{event, 3, "it could not be", kNever});
  EXPECT_EQ(found(check), Lines{"quarantined_event 7: the event town_paused could not be applied: it could not be"});
  Report report;
  check(view(), report);
  report.repair();
  EXPECT_EQ(retried, 7);
  EXPECT_FALSE(report.findings[0].fixed);
  EXPECT_NE(report.findings[0].what.find("it could not be repaired: once more not"), std::string::npos);
}

TEST_F(DoctorTowns, AnEffectIsInDoubtWhenNothingHasSettledItForTenMinutes) {
  townd::Run run;
  run.run_id = RunId("t-9");
  run.requested_at = kNow - minutes(10);
  town.put(run);
  doubts["start_agent:t-9:1"] =
      StoredEffect{{"start_agent:t-9:1", effects::StartAgent{run.run_id}}, EffectState::unknown, 1, "cut"};
  EXPECT_EQ(found(check_doubts), Lines{});
  run.requested_at = kNow - minutes(11);
  town.put(run);
  EXPECT_EQ(found(check_doubts), Lines{"effect_in_doubt start_agent:t-9:1: it is not known what became of it: cut"});
}

TEST_F(DoctorTowns, OnlyPresetsThatSomebodyUsesAreLookedAt) {
  edit_town([](TownRow& row) { row.node.presets.push_back({"codex", false, "codex is not installed", {}}); });
  EXPECT_EQ(found(check_presets), Lines{});
  edit_rig([](Rig& rig) { rig.config.polecat_preset = "codex"; });
  EXPECT_EQ(found(check_presets),
            Lines{"unusable_preset codex: the agent program cannot be used: codex is not installed"});
  edit_rig([](Rig& rig) { rig.config.polecat_preset = "mine"; });
  const Lines lines = found(check_presets);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].find("missing_preset mine"), 0u) << lines[0];
  edit_town([](TownRow& row) { row.node.presets.clear(); });
  EXPECT_EQ(found(check_presets), Lines{}) << "nobody has looked at the machine yet";
}

TEST_F(DoctorTowns, ATownThatIsNotRunAndRowsThatContradictOneAnotherAreTold) {
  EXPECT_EQ(found(check_stopped), Lines{});
  EXPECT_EQ(found(check_invariants), Lines{});
  not_run = "its tick failed";
  EXPECT_EQ(found(check_stopped), Lines{"stopped_town t: the town is not run: its tick failed"});
  for (const char* id : {"t-4", "t-5"}) {
    Agent agent;
    agent.agent_id = AgentId(id);
    agent.rig_id = RigId("t-1");
    agent.current_hook_bead_id = BeadId("t-2");
    town.put(std::move(agent));
  }
  put_bead("t-2", BeadType::issue, BeadStatus::in_progress, minutes(1));
  ASSERT_FALSE(found(check_invariants).empty());
}

TEST_F(DoctorTowns, ATokenIsUselessOnceItsRunIsOverOrItsTownIsNotThere) {
  townd::Run run;
  run.run_id = RunId("t-9");
  run.rig_id = RigId("t-1");
  run.state = RunState::running;
  town.put(run);
  const auto token = [](const std::string& id, const std::string& role, const std::string& of,
                        const std::string& run_id) {
    TokenRow row;
    row.id = id;
    row.role = role;
    row.town_id = of;
    row.run_id = run_id;
    return row;
  };
  const std::vector<TokenRow> tokens = {token("me", "viewer", "", ""), token("run", "agent", "t", "t-9"),
                                        token("gone", "agent", "elsewhere", "x-9"), token("odd", "emperor", "", ""),
                                        token("unseen", "agent", "hidden", "h-1")};
  std::vector<TokenRow> kept;
  const auto useless = [&] {
    Known known;
    known.add(town);
    known.unseen.insert(TownId("hidden"));
    Report report;
    check_tokens(
        tokens, known, kNow,
        [&](const TokenRow& row) -> expected<void> { return kept.push_back(row), expected<void>{}; }, report);
    report.repair();
    std::string ids;
    for (const Finding& finding : report.findings) ids += finding.subject + " ";
    return ids;
  };
  EXPECT_EQ(useless(), "gone odd ");
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].ended_at, kNow);
  EXPECT_FALSE(kept[0].revoked);
  EXPECT_TRUE(kept[1].revoked);
  run.state = RunState::ended;
  run.ended_at = kNow - minutes(2);
  town.put(run);
  EXPECT_EQ(useless(), "gone odd ") << "it is about to be ended";
  run.ended_at = kNow - minutes(3);
  town.put(run);
  EXPECT_EQ(useless(), "run gone odd ");
}

}  // namespace
}  // namespace townd::doctor
