#include "server/guard.hpp"

#include <gtest/gtest.h>

namespace townd {
namespace {

Request request(const std::string& method, Headers headers, Channel channel = Channel::tcp) {
  Request made;
  made.channel = channel;
  made.method = method;
  made.path = "/api/towns";
  made.headers = std::move(headers);
  return made;
}

int status(const Request& asked, const Doorman& doorman = {}) {
  const auto refused = refuse_at_the_door(doorman, asked);
  return refused ? refused->status : 0;
}

TEST(Door, KnowsLoopbackByEveryName) {
  for (const char* host :
       {"localhost", "LOCALHOST:7777", "127.0.0.1", "127.0.0.1:7777", "127.3.2.1:1", "[::1]", "[::1]:7777"})
    EXPECT_EQ(status(request("GET", {{"Host", host}})), 0) << host;
}

TEST(Door, DoesNotAnswerToOtherNames) {
  for (const char* host : {"", "evil.example", "evil.example:7777", "localhost.evil.example", "127.0.0.1.evil.example",
                           "127.evil.example.x", "[::1", "[::1]evil", "10.0.0.1", "0.0.0.0", "[::]"})
    EXPECT_EQ(status(request("GET", {{"Host", host}})), 421) << host;
  EXPECT_EQ(status(request("GET", {})), 421);
}

TEST(Door, AnswersToNamesThatItsOwnerConfigured) {
  const Doorman doorman{{"town.example"}, {}, false};
  EXPECT_EQ(status(request("GET", {{"Host", "town.example:443"}}), doorman), 0);
  EXPECT_EQ(status(request("GET", {{"Host", "xtown.example"}}), doorman), 421);
}

TEST(Door, DoesNotMindTheNameOnItsOwnSockets) {
  EXPECT_EQ(status(request("GET", {{"Host", "anything"}}, Channel::town_socket)), 0);
  EXPECT_EQ(status(request("GET", {}, Channel::agent_socket)), 0);
}

TEST(Door, TurnsForeignPagesAwayOnEveryChannelAndMethod) {
  for (const Channel channel : {Channel::tcp, Channel::town_socket, Channel::agent_socket})
    for (const char* method : {"GET", "POST", "OPTIONS", "DELETE"})
      for (const char* origin :
           {"https://evil.example", "null", "http://localhost:7778", "https://localhost:7777", "file://"})
        EXPECT_EQ(status(request(method,
                                 {{"Host", "localhost:7777"}, {"Origin", origin}, {"Content-Type", "application/json"}},
                                 channel)),
                  403)
            << origin;
}

TEST(Door, LetsItsOwnPagesAndConfiguredOnesIn) {
  EXPECT_EQ(status(request("GET", {{"Host", "localhost:7777"}, {"Origin", "http://localhost:7777"}})), 0);
  const Doorman doorman{{}, {"https://ui.example"}, false};
  EXPECT_EQ(status(request("GET", {{"Host", "localhost"}, {"Origin", "https://ui.example"}}), doorman), 0);
}

TEST(Door, KnowsItsOwnPagesByHttpsOnlyWhereItIsReachedByIt) {
  const Doorman doorman{{"town.example"}, {}, true};
  EXPECT_EQ(status(request("GET", {{"Host", "town.example"}, {"Origin", "https://town.example"}}), doorman), 0);
  EXPECT_EQ(status(request("GET", {{"Host", "town.example:7"}, {"Origin", "https://town.example:7"}}), doorman), 0);
  EXPECT_EQ(status(request("GET", {{"Host", "town.example"}, {"Origin", "http://town.example"}}), doorman), 403);
  EXPECT_EQ(status(request("GET", {{"Host", "town.example"}, {"Origin", "https://evil.example"}}), doorman), 403);
}

TEST(Door, TakesOnlyJsonForWhatWrites) {
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                           "application/jsonx", "text/plain; application/json"})
    for (const char* method : {"POST", "PATCH", "PUT"})
      EXPECT_EQ(status(request(method, {{"Host", "localhost"}, {"Content-Type", type}})), 415) << type;
  for (const char* type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x"})
    EXPECT_EQ(status(request("POST", {{"Host", "localhost"}, {"Content-Type", type}})), 0) << type;
  EXPECT_EQ(status(request("GET", {{"Host", "localhost"}})), 0);
}

}  // namespace
}  // namespace townd
