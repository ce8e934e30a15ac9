#include "server/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "server/http_server.hpp"
#include "server/listen_address.hpp"
#include "server/raw_client.hpp"
#include "server/tls_client.hpp"

namespace townd {
namespace {

using test::RawClient;
using test::TlsClient;
using testing::HasSubstr;

constexpr Duration kDay = hours(24);

Instant wall_clock() {
  using std::chrono::milliseconds;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<milliseconds>(since).count()};
}

/// One certificate for all tests of this program; making a key takes a while.
class TlsFilesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = testing::TempDir() + "tls_test." + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
    files_ = test::make_certificate(folder_, "town.example");
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }
  void SetUp() override { ASSERT_FALSE(files_.cert.empty()) << "the openssl program makes no certificate"; }

  static std::string trouble(const TlsFiles& files, Instant now = wall_clock()) {
    const auto read = TlsIdentity::read(files, now);
    return read ? "" : read.error().what + " / " + read.error().hint;
  }
  /// A file of the folder with this text.
  static std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    ::chmod((folder_ + "/" + name).c_str(), 0600);
    return folder_ + "/" + name;
  }

  static inline std::string folder_;
  static inline TlsFiles files_;
};

TEST_F(TlsFilesTest, AreTakenWhenTheyBelongTogether) { EXPECT_EQ(trouble(files_), ""); }

TEST_F(TlsFilesTest, ThatAreMissingAreNamedWithTheReason) {
  EXPECT_THAT(trouble({folder_ + "/none.pem", files_.key}), HasSubstr("/none.pem: No such file or directory"));
  EXPECT_THAT(trouble({files_.cert, folder_ + "/none.key"}), HasSubstr("/none.key: No such file or directory"));
  EXPECT_THAT(trouble({folder_, files_.key}), HasSubstr("no plain file"));
  EXPECT_THAT(trouble({files_.cert, folder_}), HasSubstr("no plain file"));
}

TEST_F(TlsFilesTest, ThatAreNoPemAreRefused) {
  const std::string words = write("words", "these are words\n");
  EXPECT_THAT(trouble({words, files_.key}), HasSubstr("cannot use the TLS certificate " + words));
  EXPECT_THAT(trouble({files_.cert, words}), HasSubstr("holds no key"));
  EXPECT_THAT(trouble({files_.cert, files_.cert}), HasSubstr("holds no key"));
}

TEST_F(TlsFilesTest, OfDifferentPairsAreRefused) {
  const TlsFiles other = test::make_certificate(folder_, "other.example");
  EXPECT_THAT(trouble({files_.cert, other.key}), HasSubstr("is not the key of"));
}

TEST_F(TlsFilesTest, WithAPasswordAreRefusedWithoutAskingForIt) {
  const std::string locked = folder_ + "/locked.key";
  const std::string command =
      "umask 077; openssl ec -in '" + files_.key + "' -aes256 -passout pass:x -out '" + locked + "' 2> /dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_THAT(trouble({files_.cert, locked}), HasSubstr("without a password"));
}

TEST_F(TlsFilesTest, AreRefusedBeforeAndAfterTheirTime) {
  EXPECT_THAT(trouble(files_, wall_clock() + kDay + kDay), HasSubstr("it has expired"));
  EXPECT_THAT(trouble(files_, wall_clock() - kDay), HasSubstr("not valid yet"));
}

TEST_F(TlsFilesTest, AreRefusedWhenOthersCanReadTheKey) {
  const std::string key = folder_ + "/open.key";
  std::filesystem::copy_file(files_.key, key);
  for (const mode_t open_to : {0604, 0602, 0660}) {
    ASSERT_EQ(::chmod(key.c_str(), open_to), 0);
    EXPECT_THAT(trouble({files_.cert, key}), HasSubstr("chmod 600")) << open_to;
  }
  ASSERT_EQ(::chmod(key.c_str(), 0640), 0);
  EXPECT_EQ(trouble({files_.cert, key}).empty(), ::geteuid() == 0) << "a group may read root's keys only";
  ASSERT_EQ(::chmod(key.c_str(), 0400), 0);
  EXPECT_EQ(trouble({files_.cert, key}), "");
}

TEST_F(TlsFilesTest, SayUnderWhichNameThisMachineReachesIt) {
  const auto identity = TlsIdentity::read(files_, wall_clock());
  ASSERT_TRUE(identity);
  const std::vector<std::string> hosts{"else.example", "town.example"};
  EXPECT_EQ(own_url({"127.0.0.1", 7777}, nullptr, hosts), "http://127.0.0.1:7777");
  EXPECT_EQ(own_url({"0.0.0.0", 7777}, nullptr, hosts), "http://127.0.0.1:7777");
  EXPECT_EQ(own_url({"::", 7777}, nullptr, hosts), "http://[::1]:7777");
  EXPECT_EQ(own_url({"0.0.0.0", 7777}, &*identity, hosts), "https://127.0.0.1:7777");
  EXPECT_EQ(own_url({"10.0.0.1", 443}, &*identity, hosts), "https://town.example:443");
  EXPECT_EQ(own_url({"10.0.0.1", 443}, &*identity, {}), "https://10.0.0.1:443");
}

/// A transport with a certificate whose handler says back what it was sent.
class HttpTlsTest : public TlsFilesTest {
 protected:
  void serve(HttpLimits limits = {}, HttpServer::Handler handler = echo) {
    server_ = std::make_unique<HttpServer>(std::move(handler), limits);
    auto identity = TlsIdentity::read(files_, wall_clock());
    ASSERT_TRUE(identity) << identity.error().what;
    server_->use_tls(std::move(*identity));
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

  std::unique_ptr<HttpServer> server_;
  unsigned short port_ = 0;
};

TEST_F(HttpTlsTest, AnswersSeveralRequestsOnOneConnection) {
  serve();
  TlsClient one(port_);
  ASSERT_TRUE(one.connected()) << one.trouble();
  one.send(RawClient::request("GET", "/a", "", {}));
  EXPECT_NE(one.read_until("GET /a 0").find("200 OK"), std::string::npos);
  one.send(RawClient::request("POST", "/b", std::string(1 << 20, 'x'), {}));
  EXPECT_NE(one.read_until("POST /b 1048576").find("200 OK"), std::string::npos);
  one.send(RawClient::request("GET", "/c", "", {{"Connection", "close"}}));
  EXPECT_THAT(one.read_to_announced_end(), testing::EndsWith("GET /c 0"));
}

TEST_F(HttpTlsTest, WritesAStreamAsItComesAndEndsIt) {
  const auto live = std::make_shared<LiveStream>();
  serve({}, [live](const std::shared_ptr<const Request>&, const Answer& answer) {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = live;
    answer(std::move(response));
  });
  TlsClient one(port_);
  one.send(RawClient::request("GET", "/", "", {}));
  EXPECT_NE(one.read_until("\r\n\r\n").find("text/event-stream"), std::string::npos);
  live->push("data: 1\n\n");
  EXPECT_NE(one.read_until("data: 1\n\n").find("data: 1"), std::string::npos);
  const std::string large(100'000, 'x');  // more than one TLS record takes
  live->push(large);
  EXPECT_NE(one.read_until(large).find(large), std::string::npos);
  live->finish();
  EXPECT_THAT(one.read_to_announced_end(), HasSubstr("0\r\n\r\n"));
}

TEST_F(HttpTlsTest, RefusesWhatIsTooLargeAndSaysSo) {
  serve();
  TlsClient one(port_);
  one.send(RawClient::request("POST", "/", "", {{"Content-Length", "1048577"}}));
  EXPECT_NE(one.read_until("\r\n\r\n").find(" 413 "), std::string::npos);
}

TEST_F(HttpTlsTest, TellsPlainHttpToComeBackWithTls) {
  serve();
  RawClient plain = RawClient::tcp(port_);
  const test::Reply reply = plain.ask("GET", "/");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("write https://"));
  EXPECT_TRUE(TlsClient(port_).connected()) << "and serves the next one";
}

TEST_F(HttpTlsTest, HangsUpOnWhatIsNeitherTlsNorHttp) {
  serve();
  RawClient noise = RawClient::tcp(port_);
  noise.send(std::string(100, '\xff'));
  EXPECT_EQ(noise.read_to_end().find("HTTP"), std::string::npos);
  EXPECT_TRUE(TlsClient(port_).connected());
}

TEST_F(HttpTlsTest, RefusesProtocolsBeforeTls12) {
  serve();
  const TlsClient old(port_, TLS1_1_VERSION);
  EXPECT_FALSE(old.connected());
  EXPECT_THAT(old.trouble(), HasSubstr("protocol version"));
  EXPECT_TRUE(TlsClient(port_, TLS1_2_VERSION).connected());
}

TEST_F(HttpTlsTest, HangsUpOnAHandshakeThatNeverEnds) {
  HttpLimits limits;
  limits.header_time = Duration{50};
  serve(limits);
  RawClient silent = RawClient::tcp(port_);
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient begun = RawClient::tcp(port_);
  begun.send(std::string("\x16\x03\x01\x02", 4));  // the first bytes of a ClientHello
  EXPECT_EQ(begun.read_to_end(), "");
}

TEST_F(HttpTlsTest, CountsAHandshakeUnderWayAsAConnection) {
  HttpLimits limits;
  limits.connections = 1;
  limits.header_time = minutes(1);
  serve(limits);
  {
    RawClient silent = RawClient::tcp(port_);
    EXPECT_FALSE(TlsClient(port_).connected());
  }
  while (!TlsClient(port_).connected()) std::this_thread::yield();  // its seat is free again
}

}  // namespace
}  // namespace townd
