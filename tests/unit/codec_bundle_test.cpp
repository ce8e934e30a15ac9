#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/bundle.hpp"
#include "codec/compression.hpp"
#include "codec/snapshot.hpp"
#include "codec/ticks.hpp"
#include "filled.hpp"

namespace townd {
namespace {

using testing::HasSubstr;
using testing_tools::Filler;

Bundle small_bundle() {
  Filler filler;
  Bundle bundle;
  bundle.about = "acme-1 \"quoted\"";
  bundle.build = "0.1";
  bundle.start_tick = 7;
  bundle.start_at = Instant{1'782'907'200'000};
  bundle.start.town = filler.filled<TownRow>();
  bundle.start.rigs = {filler.filled<Rig>()};
  for (std::int64_t n = 8; n <= 9; ++n) {
    RecordedTick tick;
    tick.record.number = n;
    tick.record.at = bundle.start_at + seconds(n);
    tick.record.trigger = "event";
    tick.record.events = {{n, EventFate::applied, "", {}}};
    tick.events = {Event{n, tick.record.at, filler.filled<events::BeadCreated>()}};
    bundle.ticks.push_back(std::move(tick));
  }
  bundle.until = bundle.start_at + minutes(1);
  bundle.pending = {Event{10, bundle.start_at + seconds(10), events::TownPaused{"later"}}};
  return bundle;
}

TEST(CodecBundle, ComesBackAsItWas) {
  const Bundle bundle = small_bundle();
  const std::string packed = write_bundle(bundle);
  EXPECT_TRUE(is_compressed(packed));
  const auto back = read_bundle(packed);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->about, bundle.about);
  EXPECT_EQ(back->build, "0.1");
  EXPECT_EQ(back->start_tick, 7);
  EXPECT_EQ(back->until, bundle.until);
  EXPECT_EQ(write_snapshot({back->start, back->start_at, {}, {}}),
            write_snapshot({bundle.start, bundle.start_at, {}, {}}));
  ASSERT_EQ(back->ticks.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(encode_tick(back->ticks[i].record), encode_tick(bundle.ticks[i].record));
    EXPECT_EQ(back->ticks[i].events.at(0).seq, bundle.ticks[i].events.at(0).seq);
  }
  EXPECT_EQ(write_bundle(*back), packed);
}

TEST(CodecBundle, ASnapshotIsABundleInWhichNothingHasHappened) {
  const auto read = read_bundle(
      R"({"format":"town-snapshot/1","town":{"now":"2026-07-01T12:00:00.000Z"},"events":[{"seq":3,"event_type":"town_paused",)"
      R"("agent_id":"","bead_id":"","payload":{},"created_at":"2026-07-01T12:00:00.000Z"}]})");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(read->ticks.empty());
  EXPECT_EQ(read->pending.size(), 1u);
  EXPECT_EQ(read->until, Instant{1'782'907'200'000});
}

TEST(CodecBundle, WhatIsNoneIsRefusedWithItsPlace) {
  const auto error_of = [](const std::string& text) {
    const auto bundle = read_bundle(text);
    return bundle ? "" : bundle.error().what;
  };
  EXPECT_THAT(error_of(R"({"format":"town-bundle/2"})"), HasSubstr("a newer townd wrote"));
  EXPECT_THAT(error_of(R"({"format":"town-bundle/1"})"), HasSubstr("after_tick"));
  EXPECT_THAT(error_of(R"({"format":"town-bundle/1","after_tick":1,"snapshot":{}})"), HasSubstr("snapshot"));
  std::string text = *decompress(write_bundle(small_bundle()));
  const auto spoil = [&](const std::string& from, const std::string& to) {
    std::string spoilt = text;
    spoilt.replace(spoilt.find(from), from.size(), to);
    return error_of(spoilt);
  };
  EXPECT_THAT(spoil("\"facts\":[", "\"fax\":["), HasSubstr("ticks/0/facts"));
  EXPECT_THAT(spoil("\"pending\":[", "\"pending\":[7,"), HasSubstr("pending/0"));
  EXPECT_THAT(error_of(text.substr(0, text.size() / 2)), HasSubstr("line"));
}

}  // namespace
}  // namespace townd
