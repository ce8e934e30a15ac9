#include <gtest/gtest.h>

#include "codec/utf8.hpp"
#include "observe/log.hpp"
#include "server/kept_answers.hpp"
#include "server/listen_address.hpp"
#include "server/live_hub.hpp"
#include "server/rates.hpp"

namespace townd {
namespace {

TEST(Rates, LetsTwentyThroughAtOnceAndThenOneEachFiftyMilliseconds) {
  Rates rates(20);
  Instant now{1'000'000};
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(rates.take("a", now));
  EXPECT_FALSE(rates.take("a", now));
  EXPECT_TRUE(rates.take("b", now));
  EXPECT_FALSE(rates.take("a", now + Duration{49}));
  EXPECT_TRUE(rates.take("a", now + Duration{50}));
  EXPECT_FALSE(rates.take("a", now + Duration{50}));
}

TEST(Rates, DoesNotGiveMoreAfterALongPause) {
  Rates rates(20);
  EXPECT_TRUE(rates.take("a", Instant{0}));
  int taken = 0;
  while (rates.take("a", Instant{0} + hours(10))) ++taken;
  EXPECT_EQ(taken, 20);
}

TEST(KeptAnswers, GivesTheSameAnswerToWhoeverWaitsAndToWhoeverComesLater) {
  KeptAnswers kept;
  int heard = 0;
  const auto hear = [&heard](const Response& response) { heard += response.status; };
  EXPECT_EQ(kept.begin("me", "k", "what", hear), KeptAnswers::Begin::first);
  EXPECT_EQ(kept.begin("me", "k", "what", hear), KeptAnswers::Begin::joined);
  EXPECT_EQ(heard, 0);
  Response response;
  response.status = 201;
  kept.finish("me", "k", response);
  EXPECT_EQ(heard, 201) << "the first is answered by whoever carried it out";
  EXPECT_EQ(kept.begin("me", "k", "what", hear), KeptAnswers::Begin::joined);
  EXPECT_EQ(heard, 402);
  EXPECT_EQ(kept.begin("me", "k", "other", hear), KeptAnswers::Begin::different);
  EXPECT_EQ(kept.begin("you", "k", "other", hear), KeptAnswers::Begin::first);
}

TEST(KeptAnswers, DoesNotKeepWhatWasNoAnswer) {
  KeptAnswers kept;
  EXPECT_EQ(kept.begin("me", "k", "what", {}), KeptAnswers::Begin::first);
  Response response;
  response.status = 503;
  kept.finish("me", "k", response);
  EXPECT_EQ(kept.begin("me", "k", "what", {}), KeptAnswers::Begin::first);
}

TEST(KeptAnswers, ForgetsTheOldestBeyondItsBound) {
  KeptAnswers kept;
  for (std::size_t i = 0; i <= KeptAnswers::kPerCaller; ++i) {
    EXPECT_EQ(kept.begin("me", std::to_string(i), "w", {}), KeptAnswers::Begin::first);
    kept.finish("me", std::to_string(i), Response{});
  }
  EXPECT_EQ(kept.begin("me", "1", "w", [](const Response&) {}), KeptAnswers::Begin::joined);
  EXPECT_EQ(kept.begin("me", "0", "w", {}), KeptAnswers::Begin::first);
}

TEST(LiveHub, RefusesOneStreamMoreThanAHundredUntilOneEnds) {
  StreamSeats seats;
  LiveHub hub(seats);
  std::vector<std::shared_ptr<LiveStream>> open;
  for (std::size_t i = 0; i < StreamSeats::kStreams; ++i) open.push_back(hub.open(TownId("t"), std::nullopt));
  EXPECT_NE(open.back(), nullptr);
  EXPECT_EQ(hub.open(TownId("t"), std::nullopt), nullptr);
  open.front()->close();
  EXPECT_NE(hub.open(TownId("t"), std::nullopt), nullptr);
}

TEST(LiveHub, NumbersTheItemsOfOneTickAndResumesBetweenThem) {
  StreamSeats seats;
  LiveHub hub(seats);
  hub.add(TownId("t"), {5, "bead", "tt-1", "status=open"});
  hub.add(TownId("t"), {5, "bead", "tt-2", "status=open"});
  hub.add(TownId("u"), {9, "bead", "uu-1", "status=open"});
  const std::string rest = hub.open(TownId("t"), StreamPlace{5, 1})->take().bytes;
  EXPECT_EQ(rest.find("tt-1"), std::string::npos);
  EXPECT_NE(rest.find("id: 5.2\nevent: bead\n"), std::string::npos) << rest;
  EXPECT_EQ(rest.find("uu-1"), std::string::npos);
  EXPECT_EQ(rest.find("gap"), std::string::npos);
}

TEST(LiveHub, SaysSoWhenItHasForgottenWhatCameBetween) {
  StreamSeats seats;
  LiveHub hub(seats);
  for (std::int64_t i = 1; i <= static_cast<std::int64_t>(LiveHub::kRemembered) + 2; ++i)
    hub.add(TownId("t"), {i, "tick", "", ""});
  EXPECT_NE(hub.open(TownId("t"), StreamPlace{1, 1})->take().bytes.find("event: gap"), std::string::npos);
  EXPECT_EQ(hub.open(TownId("t"), StreamPlace{3, 1})->take().bytes.find("event: gap"), std::string::npos);
}

TEST(LiveStream, GivesUpAReaderThatDoesNotRead) {
  LiveStream stream;
  EXPECT_TRUE(stream.push(std::string(LiveStream::kBacklog, 'x')));
  stream.push("x");
  EXPECT_FALSE(stream.push("x"));
  EXPECT_TRUE(stream.take().ended);
}

TEST(StreamPlace, IsReadOnlyFromItsOwnForm) {
  EXPECT_EQ(stream_place("17.3"), (StreamPlace{17, 3}));
  for (const char* bad : {"", "17", "17.", ".3", "17.3.1", "-1.2", "1.2x", "99999999999999999999.1"})
    EXPECT_FALSE(stream_place(bad)) << bad;
}

TEST(ValidUtf8, ReplacesOnlyWhatIsNotUtf8) {
  EXPECT_EQ(valid_utf8("plain ä € 😀"), "plain ä € 😀");
  EXPECT_EQ(valid_utf8("a\xff\xc3(\xed\xa0\x80"), "a\ufffd\ufffd(\ufffd\ufffd\ufffd");
  EXPECT_EQ(valid_utf8("cut \xe2\x82"), "cut \ufffd\ufffd");
}

TEST(ListenAddress, StaysOnThisMachineWithoutTls) {
  EXPECT_EQ(read_listen_address("127.0.0.1:7777", false)->text(), "127.0.0.1:7777");
  EXPECT_EQ(read_listen_address("localhost:0", false)->text(), "127.0.0.1:0");
  EXPECT_EQ(read_listen_address("[::1]:1", false)->text(), "[::1]:1");
  EXPECT_FALSE(read_listen_address("0.0.0.0:7777", false));
  EXPECT_TRUE(read_listen_address("0.0.0.0:7777", true));
  for (const char* bad : {"", "7777", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", ":7777"})
    EXPECT_FALSE(read_listen_address(bad, true)) << bad;
}

TEST(LogLine, QuotesWhatIsNoPlainWordAndLeavesEmptyFieldsOut) {
  EXPECT_EQ(log_line(LogLevel::info, "tick", {{"town", "t"}, {"bead", ""}, {"because", "a \"b\""}}),
            R"(level=info msg=tick town=t because="a \"b\"")");
}

TEST(LogLine, CannotBeForgedOrSteered) {
  const std::string line = log_line(LogLevel::warn, "x", {{"title", "a\nlevel=error \x1b[31m\u202e\u0085\xff"}});
  EXPECT_EQ(line, R"(level=warn msg=x title="a\nlevel=error \x1b[31m\u202e\u0085\xff")");
}

}  // namespace
}  // namespace townd
