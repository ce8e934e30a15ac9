#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "codec/actions.hpp"
#include "codec/events.hpp"
#include "codec/ticks.hpp"
#include "filled.hpp"

namespace townd {
namespace {

using testing::HasSubstr;
using testing_tools::Filler;
using testing_tools::for_each_kind;

TEST(CodecEvents, EveryKindComesBackFromItsColumnsUnchanged) {
  std::set<std::string> types;
  for_each_kind<EventBody>([&](const EventBody& body) {
    const EventText text = encode_event(body);
    const auto back = decode_event(text);
    ASSERT_TRUE(back) << text.event_type << " " << text.payload << "\n" << back.error().what;
    EXPECT_EQ(back->index(), body.index());
    const EventText again = encode_event(*back);
    EXPECT_EQ(again.payload, text.payload) << text.event_type;
    EXPECT_EQ(again.agent_id, text.agent_id);
    EXPECT_EQ(again.bead_id, text.bead_id);
    types.insert(text.event_type);
  });
  EXPECT_EQ(types.size(), std::variant_size_v<EventBody>);
}

TEST(CodecEvents, EveryKindComesBackFromTheWireUnchanged) {
  for_each_kind<EventBody>([&](const EventBody& body) {
    const Event event{7, Instant{1'780'000'000'123}, body};
    const json::value wire = to_json(event);
    const auto back = from_json<Event>(wire);
    ASSERT_TRUE(back) << json::serialize(wire) << "\n" << back.error().what;
    EXPECT_EQ(to_json(*back), wire);
  });
}

TEST(CodecEvents, WhomItIsAboutStandsBesideThePayload) {
  const json::value done = to_json(Event{1, Instant{}, events::AgentDone{AgentId("a1"), {}, "gt/x", "", "ok", ""}});
  EXPECT_EQ(json::serialize(done), R"({"seq":1,"event_type":"agent_done","agent_id":"a1","bead_id":null,)"
                                   R"("payload":{"branch":"gt/x","summary":"ok"},)"
                                   R"("created_at":"1970-01-01T00:00:00.000Z"})");
  const EventText feedback = encode_event(events::PrAutoMerge{BeadId("m1"), "https://x"});
  EXPECT_EQ(feedback.bead_id, "m1");
  EXPECT_EQ(feedback.payload, R"({"mr_bead_id":"m1","pr_url":"https://x"})");
}

TEST(CodecEvents, ThePayloadKeysOfTheReferenceAreRead) {
  const auto cancelled = from_json<Event>(
      json::parse(R"({"event_type":"bead_cancelled","bead_id":"b1","payload":{"cancel_status":"closed"}})"));
  ASSERT_TRUE(cancelled) << cancelled.error().what;
  EXPECT_EQ(std::get<events::BeadCancelled>(cancelled->body).bead_id.text, "b1");
  EXPECT_EQ(std::get<events::BeadCancelled>(cancelled->body).cancel_status, "closed");
  const auto merge = from_json<Event>(json::parse(R"({"event_type":"pr_auto_merge","bead_id":"m1","payload":{}})"));
  ASSERT_TRUE(merge);
  EXPECT_EQ(std::get<events::PrAutoMerge>(merge->body).mr_bead_id.text, "m1");
}

TEST(CodecEvents, ANewerFormatIsRefused) {
  EventText text = encode_event(events::DrainStarted{});
  text.format = kEventFormat + 1;
  EXPECT_FALSE(decode_event(text));
}

TEST(CodecEvents, AnUnknownKindOrKeyNamesTheNearest) {
  const auto kind = from_json<Event>(json::parse(R"({"event_type":"agent_dome"})"));
  ASSERT_FALSE(kind);
  EXPECT_THAT(kind.error().what, HasSubstr("the nearest known one is \"agent_done\""));
  const auto key = from_json<Event>(json::parse(R"({"event_type":"agent_done","payload":{"brnch":"x"}})"));
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().what, "at /payload/brnch: unknown key; the nearest known one is \"branch\"");
}

TEST(CodecActions, EveryKindComesBackInATickRecordUnchanged) {
  std::set<std::string> types;
  for_each_kind<ActionBody>([&](const ActionBody& body) {
    TickRecord record;
    Decided decided;
    decided.rule = rules().front().id;
    decided.actions.push_back(body);
    record.decisions.push_back(decided);
    const auto back = decode_tick(encode_tick(record));
    ASSERT_TRUE(back) << encode_tick(record) << "\n" << back.error().what;
    EXPECT_EQ(action_json(back->decisions.at(0).actions.at(0)), action_json(body));
    EXPECT_EQ(back->decisions.at(0).rule.data(), rules().front().id.data());
    types.insert(std::string(action_type(body)));
  });
  EXPECT_EQ(types.size(), std::variant_size_v<ActionBody>);
}

TEST(CodecActions, AnEmittedEventHasTheReferencesData) {
  const actions::EmitEvent event{"reconciler.respawn_suppressed", BeadId("c1"), RigId("r1"), 2};
  EXPECT_EQ(json::serialize(action_json(event)),
            R"({"type":"emit_event","event_name":"reconciler.respawn_suppressed","rig_id":"r1",)"
            R"("data":{"convoyId":"c1","suppressedAttempt":2}})");
}

TEST(CodecActions, AnAgentThatIsChosenLaterIsWrittenAsEmptyText) {
  const json::object action = action_json(actions::DispatchAgent{{}, BeadId("b1"), RigId("r1"), RunKind::work, false});
  EXPECT_EQ(action.at("agent_id").as_string(), "");
}

TEST(CodecTicks, ARecordComesBackUnchanged) {
  const TickRecord record = Filler().filled<TickRecord>();
  const std::string text = encode_tick(record);
  const auto back = decode_tick(text);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(encode_tick(*back), text);
  EXPECT_EQ(back->digest, record.digest);
}

TEST(CodecTicks, ARuleThatIsNoMoreKeepsItsNameInHistory) {
  TickRecord record;
  record.decisions.emplace_back();
  record.decisions.back().rule = "beads.of_long_ago";
  const auto back = decode_tick(encode_tick(record));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->decisions.at(0).rule, "beads.of_long_ago");
}

TEST(CodecTicks, ARecordWithoutAKnownFormatIsRefused) {
  EXPECT_FALSE(decode_tick("{}"));
  EXPECT_FALSE(decode_tick(R"({"format":2})"));
}

TEST(CodecTicks, APlanSeparatesWhatIsDoneFromWhatIsSkipped) {
  TimedTick timed;
  TickResult& tick = timed.result;
  tick.decisions.resize(2);
  tick.decisions[0].rule = "beads.assign";
  tick.decisions[0].actions = {actions::ClearBeadAssignee{BeadId("b1")}};
  tick.decisions[0].chosen = AgentId("a1");
  tick.decisions[1].rule = "beads.moot";
  tick.decisions[1].actions = {actions::CloseConvoy{BeadId("c1")}};
  tick.decisions[1].fate = ActionFate::stale;
  tick.decisions[1].why = "c1 is closed";
  const json::object plan = plan_json({&timed, 1}, Instant{0});
  EXPECT_EQ(
      json::serialize(plan.at("actions")),
      R"([{"type":"clear_bead_assignee","bead_id":"b1","rule":"beads.assign","chosen":"a1","at":"1970-01-01T00:00:00.000Z"}])");
  EXPECT_EQ(
      json::serialize(plan.at("skipped")),
      R"([{"type":"close_convoy","convoy_id":"c1","rule":"beads.moot","at":"1970-01-01T00:00:00.000Z","why":"c1 is closed"}])");
  EXPECT_TRUE(plan.at("next_due_at").is_null());
  EXPECT_TRUE(plan.at("complete").get_bool());
  tick.next_due = Instant{5};
  EXPECT_FALSE(plan_json({&timed, 1}, Instant{5}).at("complete").get_bool());
}

TEST(CodecEffects, EveryKindComesBackUnchanged) {
  std::set<std::string> kinds;
  for_each_kind<EffectBody>([&](const EffectBody& effect) {
    const EffectText text = encode_effect(effect);
    const auto back = decode_effect(text);
    ASSERT_TRUE(back) << text.kind << text.body;
    EXPECT_EQ(back->index(), effect.index());
    EXPECT_EQ(encode_effect(*back).body, text.body);
    kinds.insert(text.kind);
  });
  EXPECT_EQ(kinds.size(), std::variant_size_v<EffectBody>);
  EXPECT_FALSE(decode_effect({"start_agnet", "{}"}));
}

}  // namespace
}  // namespace townd
