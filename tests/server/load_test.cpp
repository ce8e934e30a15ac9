#include <gtest/gtest.h>
#include <malloc.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "codec/json.hpp"
#include "server/daemon.hpp"
#include "server/raw_client.hpp"

/// As many connections and streams as one door has seats, each busy: nothing acknowledged is lost, and what is deleted
/// leaves nothing in memory.
namespace townd::test {
namespace {

namespace fs = std::filesystem;

constexpr int kStreams = 100;   // as many as there are seats (interfaces.md, Limits)
constexpr int kWriters = 404;   // with the streams nearly as many as there are seats; eight are for what comes between
constexpr int kRounds = 5;      // in each phase
constexpr int kSanitized = 16;  // a sanitized build has this part of it: its threads cost ten times as much

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
constexpr int share_of(int count) { return sanitized ? count / kSanitized : count; }

class Load : public testing::Test {
 protected:
  Load() : folder_(fs::temp_directory_path() / ("townd-load." + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "data");
    fs::permissions(folder_ / "data", fs::perms::owner_all);
    const std::string origin = (folder_ / "origin").string();
    const std::string make = "git init -q -b main '" + origin + "' && cd '" + origin +
                             "' && git -c user.name=t -c user.email=t@localhost commit -q --allow-empty -m first";
    EXPECT_EQ(std::system(make.c_str()), 0);
    start();
    for (const std::string town : {"work", "side"}) {
      said("POST", "/api/towns", R"({"name":")" + town + R"("})");
      said("POST", "/api/towns/" + town + "/pause", "{}");
      said("POST", "/api/towns/" + town + "/rigs",
           R"({"name":"rig","git_url":")" + origin + R"(","config":{"gates":["true"]}})");
    }
  }
  ~Load() override {
    daemon_.reset();
    fs::remove_all(folder_);
  }

  void start() {
    DaemonOptions options;
    options.data = (folder_ / "data").string();
    options.listen = "127.0.0.1:0";
    auto started = Daemon::start(options);
    ASSERT_TRUE(started) << started.error().what;
    daemon_ = std::move(*started);
    const std::string listen = line_of("listen");
    port = static_cast<unsigned short>(std::stoi(listen.substr(listen.rfind(':') + 1)));
    headers = {{"Authorization", "Bearer " + line_of("admin.token")}};
  }
  void stop() { daemon_.reset(); }

  /// The data of an answer of success.
  json::value said(const std::string& method, const std::string& path, const std::string& body = {}) {
    RawClient client = RawClient::tcp(port);
    return said(client, method, path, body);
  }
  json::value said(RawClient& client, const std::string& method, const std::string& path,
                   const std::string& body = {}) {
    const Reply reply = client.ask(method, path, body, headers);
    const auto document = parse_json(reply.body);
    if (reply.status / 100 != 2 || !document) {
      ADD_FAILURE() << method << " " << path << ": " << reply.status << " " << reply.body;
      return json::object{};
    }
    return document->at("data");
  }

  unsigned short port = 0;
  HeaderList headers;

 private:
  std::string line_of(const std::string& file) {
    std::ifstream in(folder_ / "data" / file);
    std::string line;
    std::getline(in, line);
    return line;
  }

  const fs::path folder_;
  std::unique_ptr<Daemon> daemon_;
};

/// One client's life: beads made, changed, looked at and deleted, all but the last.
class Writer {
 public:
  Writer(int number, const std::string& town, unsigned short port)
      : client(RawClient::tcp(port)), beads_("/api/towns/" + town + "/rigs/rig/beads"), number_(number) {}
  RawClient client;

  template <class Say>
  void round(Say say) {
    const std::string name = "bead " + std::to_string(number_) + " of " + std::to_string(++made_);
    const json::value bead = say("POST", beads_, R"({"type":"issue","title":")" + name + R"("})");
    const std::string path = beads_ + "/" + std::string(bead.at("bead_id").as_string());
    say("PATCH", path, R"({"title":")" + name + R"(, changed","priority":"high"})");
    const json::value seen = say("GET", path, "");
    EXPECT_EQ(seen.at("title").as_string(), name + ", changed");
    if (!kept_.empty()) say("DELETE", kept_, "");
    kept_ = path;
    title_ = name + ", changed";
  }
  [[nodiscard]] const std::string& kept() const { return kept_; }
  [[nodiscard]] const std::string& title() const { return title_; }

 private:
  std::string beads_;
  int number_;
  int made_ = 0;
  std::string kept_;
  std::string title_;
};

TEST_F(Load, MixedCommandsOnEverySeatLoseNothingAndKeepMemoryFlat) {
  std::atomic<bool> over = false;
  std::atomic<int> open_streams = 0;
  std::atomic<std::int64_t> frames = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < share_of(kStreams); ++i)
    readers.emplace_back([&] {
      RawClient client = RawClient::tcp(port);
      client.send(RawClient::request("GET", "/api/towns/side/stream", "", headers));
      if (client.read_until("event:").find("200 OK") != std::string::npos) ++open_streams;
      while (!over)
        if (!client.read_until("\n\n").empty()) ++frames;
    });

  std::vector<Writer> writers;
  for (int i = 0; i < share_of(kWriters); ++i) writers.emplace_back(i, i % 40 == 0 ? "side" : "work", port);
  const auto phase = [&] {
    std::vector<std::thread> threads;
    for (Writer& writer : writers)
      threads.emplace_back([&writer, this] {
        for (int i = 0; i < kRounds; ++i)
          writer.round([&](const std::string& method, const std::string& path, const std::string& body) {
            return said(writer.client, method, path, body);
          });
      });
    for (std::thread& thread : threads) thread.join();
    // SQLite's pages have a bound of their own and are not there yet.
    return mallinfo2().uordblks - static_cast<std::size_t>(sqlite3_memory_used());
  };
  // The first one fills what is kept for a while: the tables' room, the remembered stream.
  phase();
  const std::size_t before = phase();
  // A leak grows with each; what is still on its way at the end of one does not.
  const std::size_t after = std::min(phase(), phase());
  if (!sanitized) {
    EXPECT_LT(after, before + before / 20) << "bytes in use, before " << before;
    std::printf("bytes in use: %zu, then %zu\n", before, after);
  }
  EXPECT_EQ(open_streams, share_of(kStreams));
  EXPECT_GT(frames, open_streams);
  over = true;
  stop();
  for (std::thread& thread : readers) thread.join();

  start();
  for (const std::string town : {"work", "side"})
    EXPECT_EQ(said("GET", "/api/towns/" + town + "/beads?limit=500").as_array().size(),
              static_cast<std::size_t>(std::count_if(writers.begin(), writers.end(), [&](const Writer& writer) {
                return writer.kept().find("/" + town + "/") != std::string::npos;
              })));
  for (const Writer& writer : writers) EXPECT_EQ(said("GET", writer.kept()).at("title").as_string(), writer.title());
}

}  // namespace
}  // namespace townd::test
