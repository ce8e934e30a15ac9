#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "codec/describe_events.hpp"
#include "codec/rows.hpp"
#include "core/encode.hpp"
#include "filled.hpp"

namespace townd {
namespace {

using testing::HasSubstr;
using testing_tools::Filler;
using testing_tools::for_each_kind;

std::string canonical(const AnyRow& row) {
  return std::visit([](const auto& r) { return encode(r); }, row);
}
RowKey::Table table_of(const AnyRow& row) { return static_cast<RowKey::Table>(row.index()); }

TEST(CodecRows, EveryKindOfRowComesBackFromTheStoreUnchanged) {
  int kinds = 0;
  for_each_kind<AnyRow>([&](const AnyRow& row) {
    const std::string text = encode_row(row);
    const auto back = decode_row(table_of(row), text);
    ASSERT_TRUE(back) << text << "\n" << back.error().what;
    EXPECT_EQ(canonical(*back), canonical(row)) << text;
    EXPECT_EQ(encode_row(*back), text);
    ++kinds;
  });
  EXPECT_EQ(kinds, 2 * static_cast<int>(std::variant_size_v<AnyRow>));
}

TEST(CodecRows, EveryKindOfDetailComesBack) {
  const BeadDetail details[] = {Filler().filled<Rework>(), Filler().filled<TriageRequest>(),
                                Filler().filled<Escalation>()};
  for (const BeadDetail& detail : details) {
    Bead bead;
    bead.detail = std::make_shared<const BeadDetail>(detail);
    const auto back = decode_row(RowKey::Table::bead, encode_row(bead));
    ASSERT_TRUE(back);
    EXPECT_EQ(*std::get<Bead>(*back).detail, detail);
  }
}

TEST(CodecRows, MetadataComesBackByteForByteEvenWhenItIsNotCanonical) {
  for (const std::string metadata : {"{}", R"({"a":1,"b":{"c":[]}})", R"({"b":1,"a":2})", R"({ "a" : 1.50 })"}) {
    Bead bead;
    bead.metadata = metadata;
    const auto back = decode_row(RowKey::Table::bead, encode_row(bead));
    ASSERT_TRUE(back) << metadata;
    EXPECT_EQ(std::get<Bead>(*back).metadata, metadata);
  }
}

TEST(CodecRows, AQuarantinedEventStaysQuarantined) {
  DeferredEvent deferred = Filler().filled<DeferredEvent>();
  deferred.retry_at = kNever;
  const auto back = decode_row(RowKey::Table::deferred, encode_row(deferred));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<DeferredEvent>(*back).retry_at, kNever);
}

TEST(CodecRows, AnExplicitNeverOfTheMergeDelayIsNotTheSameAsNotSet) {
  Rig never;
  never.config.has_auto_merge_delay = true;
  EXPECT_THAT(encode_row(never), HasSubstr(R"("auto_merge_delay_minutes":null)"));
  EXPECT_TRUE(std::get<Rig>(*decode_row(RowKey::Table::rig, encode_row(never))).config.has_auto_merge_delay);
  EXPECT_FALSE(std::get<Rig>(*decode_row(RowKey::Table::rig, encode_row(Rig{}))).config.has_auto_merge_delay);
}

TEST(CodecRows, AConfigIsWrittenWholeSoThatNewDefaultsDoNotChangeOldTowns) {
  const std::string text = encode_row(TownRow{});
  EXPECT_THAT(text, HasSubstr(R"("lost_agent":"5m")"));
  EXPECT_THAT(text, HasSubstr(R"("refinery":{"code_review":true,)"));
}

TEST(CodecRows, WordsOfTheWireHaveDashes) {
  Convoy convoy;
  convoy.merge_mode = MergeMode::review_and_merge;
  EXPECT_THAT(encode_row(convoy), HasSubstr(R"("merge_mode":"review-and-merge")"));
  EXPECT_THAT(encode_row(Nudge{}), HasSubstr(R"("mode":"wait-idle")"));
  EXPECT_THAT(encode_row(Dependency{}), HasSubstr(R"("dependency_type":"blocks")"));
}

TEST(CodecRows, ADamagedRowIsAnErrorThatSaysWhere) {
  EXPECT_FALSE(decode_row(RowKey::Table::bead, "{"));
  EXPECT_FALSE(decode_row(RowKey::Table::bead, "[]"));
  const auto row = decode_row(RowKey::Table::bead, R"({"bead_id":"b1","status":"opne"})");
  ASSERT_FALSE(row);
  EXPECT_THAT(row.error().what, HasSubstr("at /status: \"opne\" is none of open, in_progress"));
}

/// 100,000 live beads must be there in under a second; reading their rows is only a part of that.
TEST(CodecRows, AHundredThousandBeadsAreReadInWellUnderASecond) {
  Bead bead;
  bead.bead_id = BeadId("town-123456");
  bead.title = "Make the totals add up in the monthly report";
  bead.body = TextRef::of("body");
  bead.rig_id = RigId("town-1");
  bead.labels = {"backend", "reports"};
  bead.created_at = bead.updated_at = bead.ready_since = bead.status_since = Instant{1'780'000'000'000};
  bead.created_by = "mayor";
  const std::string text = encode_row(bead);
  const std::clock_t start = std::clock();  // of this process alone, however busy the machine is
  constexpr int kBeads = 5'000;
  for (int i = 0; i < kBeads; ++i) ASSERT_TRUE(decode_row(RowKey::Table::bead, text));
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  RecordProperty("ns_each", static_cast<int>(seconds / kBeads * 1e9));
  EXPECT_LT(seconds / kBeads, 60e-6);  // 2 µs optimised, 20 under sanitizers; more is a different algorithm
}

}  // namespace
}  // namespace townd
