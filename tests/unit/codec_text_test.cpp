#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/compression.hpp"
#include "codec/describe_rows.hpp"
#include "codec/json.hpp"
#include "codec/time_text.hpp"

namespace townd {
namespace {

using testing::HasSubstr;

TEST(CodecTime, AnInstantIsIso8601WithMillisecondsAndZ) {
  EXPECT_EQ(to_text(Instant{0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_text(Instant{1'782'907'200'007}), "2026-07-01T12:00:00.007Z");
  EXPECT_EQ(to_text(Instant{-1}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_text(kNever), "never");
}

TEST(CodecTime, EveryWayToWriteAnInstantIsRead) {
  const Instant noon{1'782'907'200'000};
  EXPECT_EQ(instant_from_text("2026-07-01T12:00:00.000Z"), noon);
  EXPECT_EQ(instant_from_text("2026-07-01T12:00:00Z"), noon);
  EXPECT_EQ(instant_from_text("2026-07-01T14:00:00+02:00"), noon);
  EXPECT_EQ(instant_from_text("2026-07-01T06:30:00-0530"), noon);
  EXPECT_EQ(instant_from_text("2026-07-01 12:00:00"), noon);  // SQLite's datetime('now')
  EXPECT_EQ(instant_from_text("2026-07-01T12:00:00.1239Z"), noon + Duration{123});
  EXPECT_EQ(instant_from_text("2024-02-29T00:00:00Z"), Instant{1'709'164'800'000});
  EXPECT_EQ(instant_from_text("never"), kNever);
}

TEST(CodecTime, WhatIsNoInstantIsRefused) {
  for (const char* text :
       {"", "2026-07-01", "2026-7-01T12:00:00Z", "2026-02-29T12:00:00Z", "2026-07-01T24:00:00Z", "2026-07-01T12:60:00Z",
        "2026-07-01T12:00:00.Z", "2026-07-01T12:00:00ZZ", "2026-07-01T12:00:00+2", "2026-07-01T12:00:00 Z", "noon"})
    EXPECT_FALSE(instant_from_text(text)) << text;
}

TEST(CodecTime, ADurationIsWrittenWithTheLargestUnitsFirst) {
  EXPECT_EQ(to_text(seconds(90)), "1m30s");
  EXPECT_EQ(to_text(minutes(150)), "2h30m");
  EXPECT_EQ(to_text(days(14)), "14d");
  EXPECT_EQ(to_text(Duration{1}), "1ms");
  EXPECT_EQ(to_text(Duration{0}), "0s");
  EXPECT_EQ(to_text(Duration{-61'001}), "-1m1s1ms");
}

TEST(CodecTime, EveryWayToWriteADurationIsRead) {
  EXPECT_EQ(duration_from_text("90s"), seconds(90));
  EXPECT_EQ(duration_from_text("2h30m"), minutes(150));
  EXPECT_EQ(duration_from_text("1d12h"), hours(36));
  EXPECT_EQ(duration_from_text("250ms"), Duration{250});
  EXPECT_EQ(duration_from_text("1m5ms"), Duration{60'005});
  EXPECT_EQ(duration_from_text("-1m1s1ms"), Duration{-61'001});
  EXPECT_EQ(duration_from_text("0s"), Duration{0});
}

TEST(CodecTime, WhatIsNoDurationIsRefused) {
  for (const char* text :
       {"", "90", "s", "5 m", "5m2h", "5m5m", "1.5h", "1w", "--5s", "5-s", "9223372036854775807s", "40000d"})
    EXPECT_FALSE(duration_from_text(text)) << text;
}

TEST(CodecJson, CanonicalTextHasSortedKeysAndNoSpaces) {
  EXPECT_EQ(canonical_text(json::parse(R"({"b": [1, {"z": 1, "a": null}], "a": "\u00e4\n"})")),
            "{\"a\":\"ä\\n\",\"b\":[1,{\"a\":null,\"z\":1}]}");
}

TEST(CodecJson, ASyntaxErrorNamesLineAndColumn) {
  const auto value = parse_json("{\n  \"a\": 1,\n  b\n}");
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().what, HasSubstr("line 3, column 3"));
  EXPECT_FALSE(parse_json("{} {}"));
  EXPECT_FALSE(parse_json(""));
}

TEST(CodecJson, NestingIsBounded) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(kJsonDepth)));
  EXPECT_FALSE(parse_json(nested(kJsonDepth + 1)));
}

TEST(CodecJson, TheNearestNameIsFewestLettersAway) {
  const std::string_view known[] = {"status", "title", "labels"};
  EXPECT_EQ(nearest("stauts", known), "status");
  EXPECT_EQ(nearest("lable", known), "labels");
  EXPECT_EQ(nearest("x", {}), "");
}

template <class T>
std::string error_of(const char* text) {
  const auto value = from_json<T>(json::parse(text));
  return value ? "" : value.error().what;
}

TEST(CodecJson, AnErrorSaysWhereAndWhatWasExpected) {
  EXPECT_EQ(error_of<Bead>(R"({"stauts":"open"})"), "at /stauts: unknown key; the nearest known one is \"status\"");
  EXPECT_EQ(error_of<Bead>(R"({"labels":["a",1]})"), "at /labels/1: expected a text, got the number 1");
  EXPECT_EQ(error_of<Bead>(R"({"dispatch_attempts":"3"})"),
            "at /dispatch_attempts: expected a whole number, got a text");
  EXPECT_EQ(error_of<Bead>(R"({"dispatch_attempts":3000000000})"),
            "at /dispatch_attempts: the number 3000000000 is out of range");
  EXPECT_EQ(error_of<Bead>(R"({"created_at":null})"),
            "at /created_at: expected a time such as 2026-07-01T12:00:00.000Z, got null");
  EXPECT_EQ(error_of<Bead>("[]"), "expected an object, got a list");
  EXPECT_EQ(error_of<TownConfig>(R"({"refinery":{"code_reviw":true}})"),
            "at /refinery/code_reviw: unknown key; the nearest known one is \"code_review\"");
  EXPECT_EQ(error_of<TownConfig>(R"({"reconciler":{"lost_agent":"5 minutes"}})"),
            "at /reconciler/lost_agent: expected a length of time such as 90s, 5m or 2h30m, or milliseconds, got "
            "\"5 minutes\"");
  EXPECT_EQ(error_of<TownConfig>(R"({"code_review":true})"), "at /code_review: it belongs under \"refinery\"");
}

TEST(CodecJson, AMissingKeyLeavesWhatIsThere) {
  TownConfig base;
  base.max_polecats = 9;
  const auto config = from_json<TownConfig>(json::parse(R"({"reconciler":{"lost_agent":1500}})"), base);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->max_polecats, 9);
  EXPECT_EQ(config->constants.lost_agent, Duration{1500});
}

TEST(CodecJson, InAnswersANameThatIsNotSetIsNull) {
  const json::value bead = to_json(Bead{});
  EXPECT_TRUE(bead.at("assignee_agent_bead_id").is_null());
  EXPECT_TRUE(bead.at("closed_at").is_null());
  EXPECT_TRUE(bead.at("body").is_null());
  EXPECT_TRUE(bead.at("labels").as_array().empty());
  EXPECT_TRUE(bead.at("metadata").as_object().empty());
}

TEST(Compression, WhatWasPackedUnpacks) {
  const std::string text(300'000, 'x');
  const std::string packed = compress(text);
  EXPECT_TRUE(is_compressed(packed));
  EXPECT_LT(packed.size(), 1000u);
  EXPECT_EQ(*decompress(packed), text);
  EXPECT_EQ(*decompress(compress("")), "");
}

TEST(Compression, ABombATruncatedAndAForeignFileAreRefused) {
  const std::string packed = compress(std::string(300'000, 'x'));
  EXPECT_TRUE(decompress(packed, 300'000));
  EXPECT_EQ(decompress(packed, 299'999).error().code, Error::Code::too_large);
  EXPECT_FALSE(decompress(packed.substr(0, packed.size() - 4)));
  EXPECT_FALSE(decompress("not zstd at all"));
}

}  // namespace
}  // namespace townd
