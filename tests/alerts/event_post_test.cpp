#include "observe/event_post.hpp"

#include <gmock/gmock.h>

#include "alerts/receiver.hpp"

namespace townd {
namespace {

using test::Received;
using test::Receiver;
using test::Reply;
using testing::HasSubstr;

EventPost::Options to(int port) {
  EventPost::Options options;
  options.to = read_web_address("http://127.0.0.1:" + std::to_string(port) + "/insert?query=x").value();
  options.header = "Authorization: Bearer collector";
  options.batch = options.first_wait = options.longest_wait = Duration{1};
  return options;
}

std::string all_lines(const Receiver& receiver) {
  std::string lines;
  for (const Received& one : receiver.all()) lines += one.body;
  return lines;
}

TEST(EventPostTest, BringsEveryLineOnceAndInOrder) {
  Receiver receiver([](const Received&) { return Reply{200}; });
  std::string written;
  {
    EventPost post(to(receiver.port()), [](const std::string& trouble) { ADD_FAILURE() << trouble; });
    for (int i = 0; i < 2'000; ++i) {
      const std::string line = "{\"n\":" + std::to_string(i) + "}";
      written += line + "\n";
      post.write(line);
    }
  }
  EXPECT_EQ(all_lines(receiver), written);
  EXPECT_THAT(receiver.all().size(), testing::Ge(4U)) << "a batch is 500 lines at most";
  const Received first = receiver.all().front();
  EXPECT_EQ(first.line, "POST /insert?query=x HTTP/1.1");
  EXPECT_EQ(first.headers.at("content-type"), "application/x-ndjson");
  EXPECT_EQ(first.headers.at("authorization"), "Bearer collector");
}

TEST(EventPostTest, SendsAgainWhatWasNotTaken) {
  std::atomic<int> asked = 0;
  Receiver receiver([&](const Received&) { return Reply{++asked < 3 ? 503 : 200}; });
  std::atomic<int> troubles = 0;
  EventPost post(to(receiver.port()), [&](const std::string& trouble) {
    EXPECT_THAT(trouble, HasSubstr("127.0.0.1"));
    EXPECT_EQ(trouble.find("query"), std::string::npos) << "a path may hold a secret";
    ++troubles;
  });
  post.write("{}");
  EXPECT_TRUE(receiver.await(3));
  EXPECT_EQ(troubles, 2);
}

TEST(EventPostTest, DropsWhatIsRefusedAndGoesOn) {
  std::atomic<int> asked = 0;
  Receiver receiver([&](const Received&) { return Reply{++asked == 1 ? 400 : 200}; });
  EventPost post(to(receiver.port()), [](const std::string&) {});
  post.write("{\"refused\":1}");
  EXPECT_TRUE(receiver.await(1));
  post.write("{\"taken\":1}");
  EXPECT_TRUE(receiver.await(2));
  EXPECT_EQ(receiver.all().back().body, "{\"taken\":1}\n");
  EXPECT_EQ(post.numbers().lost, 1U);
}

/// Somebody can renew the token, make the table, give the new address.
TEST(EventPostTest, KeepsWhatOnlyTheCollectorsDoorRefuses) {
  for (const int status : {302, 401, 403, 404}) {
    std::atomic<int> asked = 0;
    Receiver receiver([&](const Received&) { return Reply{++asked == 1 ? status : 200}; });
    EventPost post(to(receiver.port()), [](const std::string&) {});
    post.write("{\"n\":1}");
    EXPECT_TRUE(receiver.await(2)) << status;
    EXPECT_EQ(receiver.all().back().body, "{\"n\":1}\n");
    EXPECT_EQ(post.numbers().lost, 0U) << status;
  }
}

TEST(EventPostTest, KeepsSoManyLinesForACollectorThatIsAwayAndCountsTheRest) {
  int port = 0;
  {
    Receiver gone([](const Received&) { return Reply{200}; });
    port = gone.port();
  }
  EventPost::Options options = to(port);
  options.first_wait = options.longest_wait = hours(1);
  EventPost post(std::move(options), [](const std::string&) {});
  for (std::size_t i = 0; i < kEventsWaiting + kEventsOfAPost + 10; ++i) post.write("{}");
  const EventPost::Numbers numbers = post.numbers();
  EXPECT_LE(numbers.waiting, kEventsWaiting);
  EXPECT_GE(numbers.lost, 10U);
}

}  // namespace
}  // namespace townd
