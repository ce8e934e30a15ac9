#include "server/http_server.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <future>
#include <thread>

#include "server/answer.hpp"
#include "server/raw_client.hpp"

namespace townd {
namespace {

using test::RawClient;
using test::Reply;

/// A transport whose handler says back what it was sent.
class HttpServerTest : public testing::Test {
 protected:
  void serve(HttpLimits limits = {}, HttpServer::Handler handler = echo) {
    server_ = std::make_unique<HttpServer>(std::move(handler), limits);
    const auto port = server_->listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(port) << port.error().what;
    port_ = *port;
    server_->start();
  }
  static void echo(const std::shared_ptr<const Request>& request, const Answer& answer) {
    Response response;
    response.body = request->method + " " + request->path + " " + std::to_string(request->body.size());
    answer(std::move(response));
  }
  RawClient client() const { return RawClient::tcp(port_); }

  std::unique_ptr<HttpServer> server_;
  unsigned short port_ = 0;
};

TEST_F(HttpServerTest, AnswersSeveralRequestsOnOneConnection) {
  serve();
  RawClient one = client();
  EXPECT_EQ(one.ask("GET", "/a?x=1").body, "GET /a 0");
  EXPECT_EQ(one.ask("POST", "/b", "{}").body, "POST /b 2");
}

TEST_F(HttpServerTest, AnswersRequestsThatCameTogetherInTheirOrder) {
  serve();
  RawClient one = client();
  one.send(RawClient::request("GET", "/a", "", {}) + RawClient::request("GET", "/b", "", {}));
  EXPECT_EQ(one.receive().body, "GET /a 0");
  EXPECT_EQ(one.receive().body, "GET /b 0");
}

TEST_F(HttpServerTest, TakesABodyOfExactlyOneMebibyteAndRefusesOneByteMore) {
  serve();
  EXPECT_EQ(client().ask("POST", "/", std::string(1 << 20, 'x')).body, "POST / 1048576");
  const Reply refused = client().ask("POST", "/", std::string((1 << 20) + 1, 'x'));
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("\"success\":false"), std::string::npos);
}

TEST_F(HttpServerTest, RefusesAChunkedBodyThatGrowsBeyondTheLimit) {
  HttpLimits limits;
  limits.body_bytes = 1000;
  serve(limits);
  RawClient one = client();
  one.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) one.send("64\r\n" + std::string(100, 'x') + "\r\n");
  one.send("0\r\n\r\n");
  EXPECT_EQ(one.receive().status, 413);
}

TEST_F(HttpServerTest, TakesSixteenKibibytesOfHeadersAndNotMore) {
  serve();
  const std::string start = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ";
  const std::string end = "\r\n\r\n";
  const std::size_t room = 16 * 1024 - start.size() - end.size();
  RawClient fits = client();
  fits.send(start + std::string(room, 'x') + end);
  EXPECT_EQ(fits.receive().status, 200);
  RawClient too_long = client();
  too_long.send(start + std::string(room + 1, 'x') + end);
  EXPECT_EQ(too_long.receive().status, 431);
}

TEST_F(HttpServerTest, CountsHeadersTogetherHoweverTheyArrive) {
  serve();
  RawClient many = client();
  many.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 170; ++i) many.send("X-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n");
  many.send("\r\n");
  EXPECT_EQ(many.receive().status, 431);
}

TEST_F(HttpServerTest, HangsUpOnHeadersThatTrickleIn) {
  HttpLimits limits;
  limits.header_time = Duration{50};
  serve(limits);
  RawClient slow = client();
  slow.send("GET / HTTP/1.1\r\nHost: lo");
  EXPECT_EQ(slow.read_to_end(), "");
}

TEST_F(HttpServerTest, HangsUpOnAConnectionThatSaysNothing) {
  HttpLimits limits;
  limits.header_time = limits.idle_time = Duration{50};
  serve(limits);
  RawClient silent = client();
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient asked_once = client();
  EXPECT_EQ(asked_once.ask("GET", "/").status, 200);
  EXPECT_EQ(asked_once.read_to_end(), "");
}

TEST_F(HttpServerTest, AnswersForAHandlerThatNeverDoes) {
  HttpLimits limits;
  limits.answer_time = Duration{50};
  serve(limits, [](const std::shared_ptr<const Request>&, const Answer&) {});
  EXPECT_EQ(client().ask("GET", "/").status, 503);
}

TEST_F(HttpServerTest, TakesAnAnswerFromAnotherThreadAndOnlyTheFirst) {
  std::thread other;
  serve({}, [&other](const std::shared_ptr<const Request>&, Answer answer) {
    other = std::thread([answer = std::move(answer)] {
      answer(success("first"));
      answer(success("second"));
    });
  });
  RawClient one = client();
  EXPECT_EQ(one.ask("GET", "/").body, R"({"success":true,"data":"first"})");
  other.join();
}

TEST_F(HttpServerTest, RefusesOneConnectionMoreThanTheLimit) {
  HttpLimits limits;
  limits.connections = 2;
  serve(limits);
  RawClient first = client();
  RawClient second = client();
  EXPECT_EQ(first.ask("GET", "/").status, 200);
  EXPECT_EQ(second.ask("GET", "/").status, 200);
  RawClient third = client();
  EXPECT_EQ(third.receive().status, 503);
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttp) {
  serve();
  RawClient one = client();
  one.send("hello there\r\n\r\n");
  EXPECT_EQ(one.receive().status, 400);
}

TEST_F(HttpServerTest, RefusesTwoHostHeadersAndTargetsThatDecodeToNothingGood) {
  serve();
  for (const char* request :
       {"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
        "GET http://evil/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /?a=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    RawClient one = client();
    one.send(request);
    EXPECT_EQ(one.receive().status, 400) << request;
  }
}

TEST_F(HttpServerTest, WritesAStreamAsItComesAndEndsIt) {
  const auto live = std::make_shared<LiveStream>();
  serve({}, [live](const std::shared_ptr<const Request>&, const Answer& answer) {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = live;
    answer(std::move(response));
  });
  RawClient one = client();
  one.send(RawClient::request("GET", "/", "", {}));
  EXPECT_NE(one.read_until("\r\n\r\n").find("text/event-stream"), std::string::npos);
  live->push("data: 1\n\n");
  EXPECT_NE(one.read_until("data: 1\n\n"), "");
  live->push("data: 2\n\n");
  EXPECT_NE(one.read_until("data: 2\n\n"), "");
  live->finish();
  EXPECT_NE(one.read_to_end().find("0\r\n\r\n"), std::string::npos);
}

TEST_F(HttpServerTest, PingsASilentStreamSoThatADeadReaderIsNoticed) {
  HttpLimits limits;
  limits.stream_ping = Duration{20};
  const auto live = std::make_shared<LiveStream>(": ping\n\n");
  serve(limits, [live](const std::shared_ptr<const Request>&, const Answer& answer) {
    Response response;
    response.stream = live;
    answer(std::move(response));
  });
  {
    RawClient one = client();
    one.send(RawClient::request("GET", "/", "", {}));
    EXPECT_NE(one.read_until(": ping").find(": ping"), std::string::npos);
  }
  while (!live->over()) std::this_thread::yield();
  EXPECT_FALSE(live->push("anybody?"));
}

TEST_F(HttpServerTest, MakesSocketsThatOnlyTheOwnerCanOpen) {
  const std::string path = testing::TempDir() + "http_server_test.sock";
  server_ = std::make_unique<HttpServer>([](const std::shared_ptr<const Request>& request, const Answer& answer) {
    answer(success(request->channel == Channel::town_socket));
  });
  ASSERT_TRUE(server_->listen_unix(path, Channel::town_socket));
  server_->start();
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  EXPECT_EQ(RawClient::unix_socket(path).ask("GET", "/").body, R"({"success":true,"data":true})");
  server_->stop();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(HttpServerTest, SaysInASentenceThatThePortIsInUse) {
  serve();
  HttpServer second([](const std::shared_ptr<const Request>&, const Answer&) {});
  const auto refused = second.listen_tcp("127.0.0.1", port_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("the port is in use"), std::string::npos);
  EXPECT_NE(refused.error().hint.find("--listen"), std::string::npos);
}

TEST_F(HttpServerTest, LetsARequestUnderWayBeAnsweredBeforeItStops) {
  std::promise<Answer> asked;
  serve({}, [&asked](const std::shared_ptr<const Request>&, Answer answer) { asked.set_value(std::move(answer)); });
  RawClient one = client();
  one.send(RawClient::request("GET", "/", "", {}));
  const Answer answer = asked.get_future().get();
  std::thread stopping([this] { server_->stop(); });
  answer(success("in time"));
  EXPECT_NE(one.receive().body.find("in time"), std::string::npos);
  stopping.join();
  EXPECT_FALSE(client().connected());
}

}  // namespace
}  // namespace townd
