#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/compression.hpp"
#include "codec/metadata.hpp"
#include "codec/snapshot.hpp"
#include "core/town.hpp"
#include "filled.hpp"

namespace townd {
namespace {

using testing::HasSubstr;
using testing_tools::Filler;

/// `rest` is put beside format and town.
expected<Snapshot> read(const std::string& rest) {
  return read_snapshot(R"({"format":"town-snapshot/1","town":{"now":"2026-07-01T12:00:00.000Z"})" + rest + "}");
}

std::string error_of(const std::string& rest) {
  const auto snapshot = read(rest);
  return snapshot ? "" : snapshot.error().what;
}

/// A town in which every member of every row has a value.
Snapshot full_snapshot() {
  Filler filler;
  Snapshot snapshot;
  TownImage& image = snapshot.image;
  image.town = filler.filled<TownRow>();
  image.rigs = {filler.filled<Rig>()};
  image.agents = {filler.filled<Agent>()};
  image.runs = {filler.filled<Run>()};
  image.nudges = {filler.filled<Nudge>()};
  image.mail = {filler.filled<Mail>()};
  image.dependencies = {filler.filled<Dependency>()};
  Bead request = filler.filled<Bead>(), convoy = filler.filled<Bead>(), issue = filler.filled<Bead>();
  request.type = BeadType::merge_request;
  convoy.type = BeadType::convoy;
  issue.type = BeadType::issue;
  for (Bead* bead : {&request, &convoy, &issue}) bead->detail.reset();
  issue.detail = std::make_shared<const BeadDetail>(filler.filled<Rework>());
  Review review = filler.filled<Review>();
  review.bead_id = request.bead_id;
  Convoy satellite = filler.filled<Convoy>();
  satellite.bead_id = convoy.bead_id;
  image.beads = {request, convoy, issue};
  image.reviews = {review};
  image.convoys = {satellite};
  DeferredEvent deferred = filler.filled<DeferredEvent>();
  image.deferred = {deferred};
  snapshot.now = Instant{1'782'907'200'000};
  snapshot.events = {Event{9'000, Instant{5}, filler.filled<events::BeadCreated>()}};
  snapshot.texts[TextRef::of("the body").hash] = "the body";
  image.beads[0].body = TextRef::of("the body");
  std::sort(image.beads.begin(), image.beads.end(), [](const Bead& a, const Bead& b) { return a.bead_id < b.bead_id; });
  return snapshot;
}

TEST(Snapshot, ComesBackWithEveryMemberAndTheSameDigest) {
  const Snapshot before = full_snapshot();
  const std::string text = write_snapshot(before);
  const auto after = read_snapshot(text);
  ASSERT_TRUE(after) << after.error().what << "\n" << text;
  EXPECT_EQ(write_snapshot(*after), text);
  EXPECT_EQ(town_of(after->image).recount(), town_of(before.image).recount());
  EXPECT_EQ(after->texts, before.texts);
  EXPECT_EQ(after->events.size(), 1u);
  ASSERT_EQ(after->image.deferred.size(), 1u);
  EXPECT_EQ(after->image.deferred[0].retry_at, before.image.deferred[0].retry_at);
}

TEST(Snapshot, IsReadPackedToo) {
  const std::string text = write_snapshot(full_snapshot());
  const auto packed = read_snapshot(compress(text));
  ASSERT_TRUE(packed);
  EXPECT_EQ(write_snapshot(*packed), text);
}

TEST(Snapshot, IsCanonical) {
  const auto one = read(R"(,"beads":[{"title":"x","bead_id":"b10"},{"bead_id":"b9"}])");
  const auto other = read(R"(,"beads":[{"bead_id":"b9"},{"bead_id":"b10","title":"x"}])");
  ASSERT_TRUE(one && other);
  EXPECT_EQ(write_snapshot(*one), write_snapshot(*other));
  const std::string text = write_snapshot(*one);
  EXPECT_LT(text.find("\"b9\""), text.find("\"b10\""));
  EXPECT_LT(text.find("\"agents\":"), text.find("\"beads\":"));
}

TEST(Snapshot, AnAbsentKeyHasTheScenariosDefault) {
  const auto snapshot = read(R"(,"beads":[{"bead_id":"b1"},{"bead_id":"m1","type":"merge_request"}],
                               "agents":[{"agent_id":"a1"}],"events":[{"event_type":"drain_started"}])");
  ASSERT_TRUE(snapshot) << snapshot.error().what;
  const Bead& bead = snapshot->image.beads.at(0);
  EXPECT_EQ(bead.rig_id.text, "rig-1");
  EXPECT_EQ(to_text(bead.created_at), "2026-07-01T11:00:00.000Z");
  EXPECT_EQ(to_text(bead.updated_at), "2026-07-01T11:59:50.000Z");
  EXPECT_EQ(bead.status_since, bead.updated_at);
  EXPECT_EQ(bead.ready_since, bead.created_at);
  EXPECT_EQ(to_text(*snapshot->image.agents.at(0).last_activity_at), "2026-07-01T11:59:55.000Z");
  EXPECT_EQ(snapshot->image.rigs.at(0).rig_id.text, "rig-1");
  EXPECT_EQ(snapshot->image.reviews.at(0).branch, "x");
  EXPECT_EQ(to_text(snapshot->events.at(0).created_at), "2026-07-01T11:59:59.000Z");
  EXPECT_EQ(snapshot->image.town.node.slots, 16);
}

TEST(Snapshot, ANullStaysNullWhereTheDefaultIsNot) {
  const auto snapshot = read(R"(,"agents":[{"agent_id":"a1","last_activity_at":null,"rig_id":null}])");
  ASSERT_TRUE(snapshot);
  EXPECT_FALSE(snapshot->image.agents.at(0).last_activity_at);
  EXPECT_TRUE(snapshot->image.agents.at(0).rig_id.empty());
}

TEST(Snapshot, AClosedRequestWithoutAResultIsMergedOnTheFilesWord) {
  const auto snapshot = read(R"(,"beads":[{"bead_id":"m1","type":"merge_request","status":"closed"},
                                          {"bead_id":"m2","type":"merge_request","status":"failed"}])");
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->image.reviews.at(0).result, ReviewResult::merged);
  EXPECT_EQ(snapshot->image.reviews.at(0).evidence, "loaded");
  EXPECT_EQ(snapshot->image.reviews.at(1).result, ReviewResult::failed);
}

TEST(Snapshot, NewIdsBeginAfterThoseThatAreThere) {
  const auto snapshot = read_snapshot(R"({"format":"town-snapshot/1","town":{"now":"2026-07-01T12:00:00.000Z",
      "prefix":"gt"},"beads":[{"bead_id":"gt-41"},{"bead_id":"other-99"},{"bead_id":"gt-x"}]})");
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->image.town.next_id, 42);
}

TEST(Snapshot, WhatIsWrongIsSaidWithItsPlace) {
  EXPECT_EQ(error_of(R"(,"bead":[])"), "at /bead: unknown key; the nearest known one is \"beads\"");
  EXPECT_EQ(error_of(R"(,"beads":[{"bead_id":"b1"},{"bead_id":"b2","status":"opne"}])").substr(0, 36),
            "at /beads/1/status: \"opne\" is none o");
  EXPECT_EQ(error_of(R"(,"beads":[{"title":"x"}])"), "at /beads/0: it has no id");
  EXPECT_EQ(error_of(R"(,"beads":[{"bead_id":"b"},{"bead_id":"b"}])"), "at /beads: \"b\" is there twice");
  EXPECT_EQ(error_of(R"(,"reviews":[{"bead_id":"m"}])"), "at /reviews/0/bead_id: there is no such merge_request");
  EXPECT_EQ(error_of(R"(,"beads":[{"id":"b"}])").substr(0, 30), "at /beads/0/id: unknown key; t");
  EXPECT_EQ(error_of(R"(,"beads":[{"bead_id":"m","type":"merge_request","metadata":{"last_poll_at":"now"}}])"),
            "at /beads/0/metadata/last_poll_at: expected a time such as 2026-07-01T12:00:00.000Z, got \"now\"");
  EXPECT_EQ(error_of(R"(,"events":[{"event_type":"drain_started","who":1}])"),
            "at /events/0/who: unknown key; the nearest known one is \"seq\"");
  EXPECT_THAT(read_snapshot(R"({"format":"town-snapshot/2","town":{}})").error().what, HasSubstr("town-snapshot/1"));
  EXPECT_THAT(read_snapshot(R"({"format":"town-snapshot/1","town":{"nwo":1}})").error().what,
              HasSubstr("at /town/nwo: unknown key; the nearest known one is \"now\""));
  EXPECT_THAT(read_snapshot(R"({"format":"town-snapshot/1","town":{}})").error().what, HasSubstr("at /town/now"));
}

TEST(Metadata, TheReferencesKeysAreFieldsInsideAndShownOutside) {
  const auto snapshot = read(R"(,"beads":[
      {"bead_id":"b1","status":"in_review","metadata":{"convoy_id":"c1","mine":7}},
      {"bead_id":"c1","type":"convoy","rig_id":null,"metadata":{"ready_to_land":1,"landing_mr_attempts":2,
        "last_landing_mr_attempt_at":"2026-07-01T11:00:00.000Z","note":"keep"}},
      {"bead_id":"m1","type":"merge_request","status":"in_progress","metadata":{"source_bead_id":"b1",
        "pr_url":"https://github.com/a/b/pull/1","auto_merge_pending":1,"awaiting_approval":0,
        "poll_transient_count":0,"poll_non_transient_count":2,"review_decision":"APPROVED","extra":true}},
      {"bead_id":"w1","labels":["gt:pr-feedback"],"metadata":{"pr_feedback_for":"m1","branch":"x","has_conflicts":1}}],
      "convoys":[{"bead_id":"c1","feature_branch":"convoy/x"}],
      "dependencies":[{"bead_id":"b1","depends_on_bead_id":"c1","dependency_type":"tracks"}])");
  ASSERT_TRUE(snapshot) << snapshot.error().what;
  const Town town = town_of(snapshot->image);

  const Review& review = *town.review(BeadId("m1"));
  EXPECT_EQ(review.source_bead_id.text, "b1");
  EXPECT_TRUE(review.auto_merge_pending);
  EXPECT_EQ(review.poll_non_transient_count, 2);
  EXPECT_EQ(town.bead(BeadId("m1"))->metadata, R"({"extra":true})");
  const Convoy& convoy = *town.convoy(BeadId("c1"));
  EXPECT_TRUE(convoy.ready_to_land);
  ASSERT_EQ(convoy.landings.size(), 1u);
  EXPECT_EQ(convoy.landings[0].rig_id.text, "rig-1");
  EXPECT_EQ(convoy.landings[0].attempts, 2);
  EXPECT_EQ(std::get<Rework>(*town.bead(BeadId("w1"))->detail).request.text, "m1");

  const auto shown = [&](const char* id) { return canonical_text(shown_metadata(town, *town.bead(BeadId(id)))); };
  EXPECT_EQ(shown("b1"), R"({"convoy_id":"c1","feature_branch":"convoy/x","mine":7})");
  EXPECT_EQ(shown("c1"), R"({"feature_branch":"convoy/x","landing_mr_attempts":2,)"
                         R"("last_landing_mr_attempt_at":"2026-07-01T11:00:00.000Z","note":"keep","ready_to_land":1})");
  EXPECT_EQ(shown("m1"), R"({"auto_merge_pending":1,"convoy_feature_branch":"convoy/x","convoy_id":"c1","extra":true,)"
                         R"("poll_non_transient_count":2,"poll_transient_count":0,)"
                         R"("pr_url":"https://github.com/a/b/pull/1","review_decision":"APPROVED",)"
                         R"("source_bead_id":"b1"})");
  EXPECT_EQ(shown("w1"), R"({"branch":"x","has_conflicts":1,"pr_feedback_for":"m1"})");
}

TEST(Metadata, OfTriageAndEscalationsIsShownAsTheReferenceDoes) {
  const auto snapshot = read(R"(,"beads":[
      {"bead_id":"t1","labels":["gt:triage-request"],"metadata":{"triage_type":"stuck_agent","agent_bead_id":"a1",
        "context":{"reason":"silent"},"options":["RESTART"]}},
      {"bead_id":"e1","type":"escalation","metadata":{"conflict":true,"source_bead_id":"b1","kind":"k"}}])");
  ASSERT_TRUE(snapshot) << snapshot.error().what;
  const Town town = town_of(snapshot->image);
  const auto& request = std::get<TriageRequest>(*town.bead(BeadId("t1"))->detail);
  EXPECT_EQ(request.reason, "silent");
  EXPECT_EQ(request.agent.text, "a1");
  EXPECT_EQ(canonical_text(shown_metadata(town, *town.bead(BeadId("t1")))),
            R"({"agent_bead_id":"a1","context":{"reason":"silent"},"options":["RESTART"],)"
            R"("triage_type":"stuck_agent"})");
  EXPECT_EQ(canonical_text(shown_metadata(town, *town.bead(BeadId("e1")))),
            R"({"conflict":true,"kind":"k","source_bead_id":"b1"})");
}

TEST(Metadata, ASystemKeyIsKnownForTheKindOfBeadThatHasIt) {
  Bead bead;
  EXPECT_TRUE(is_system_key(bead, "convoy_id"));
  EXPECT_FALSE(is_system_key(bead, "pr_url"));
  bead.labels = {"gt:rework"};
  EXPECT_TRUE(is_system_key(bead, "rework_for"));
  bead.type = BeadType::merge_request;
  EXPECT_TRUE(is_system_key(bead, "pr_url"));
  EXPECT_FALSE(is_system_key(bead, "mine"));
  bead.type = BeadType::convoy;
  EXPECT_TRUE(is_system_key(bead, "landing_mr_attempts"));
}

}  // namespace
}  // namespace townd
