#include <benchmark/benchmark.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cpu.hpp"
#include "disk_folder.hpp"
#include "server/daemon.hpp"
#include "store/sqlite_store.hpp"

/// Durable commands over HTTP: each a POST of a bead, answered after its commit. On the disk of the current folder.
namespace townd::bench {
namespace {

namespace net = boost::asio;
using net::ip::tcp;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr int kClients = 64;
constexpr int kPosts = 400;  ///< of each client

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string post(const std::string& token, const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Sends one request and reads the whole answer; throws unless it is one of success.
net::awaitable<void> ask(tcp::socket& socket, const std::string& request, std::string& buffer) {
  co_await net::async_write(socket, net::buffer(request), net::use_awaitable);
  const std::size_t head =
      co_await net::async_read_until(socket, net::dynamic_buffer(buffer), "\r\n\r\n", net::use_awaitable);
  if (!buffer.starts_with("HTTP/1.1 20")) throw std::runtime_error(buffer);
  constexpr std::string_view name = "Content-Length: ";
  const std::size_t field = buffer.find(name);
  std::size_t length = 0;
  if (field < head) std::from_chars(buffer.data() + field + name.size(), buffer.data() + head, length);
  if (const std::size_t missing = head + length - std::min(buffer.size(), head + length))
    co_await net::async_read(socket, net::dynamic_buffer(buffer), net::transfer_exactly(missing), net::use_awaitable);
  buffer.clear();
}

struct Load {
  tcp::endpoint door;
  std::vector<double> waits;  ///< in ms
  std::exception_ptr problem;
};

net::awaitable<void> client(Load& load, std::vector<std::string> requests, int times) {
  tcp::socket socket(co_await net::this_coro::executor);
  co_await socket.async_connect(load.door, net::use_awaitable);
  std::string buffer;
  for (int i = 0; i < times; ++i)
    for (const std::string& request : requests) {
      const SteadyTime begin = std::chrono::steady_clock::now();
      co_await ask(socket, request, buffer);
      load.waits.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
}

void run(Load& load, net::awaitable<void> work, net::io_context& io) {
  net::co_spawn(io, std::move(work), [&load](std::exception_ptr problem) {
    if (problem) load.problem = problem;
  });
}

/// Of all threads but this one, which is the clients'.
double cpu_of_the_daemon() { return cpu_seconds(RUSAGE_SELF) - cpu_seconds(RUSAGE_THREAD); }

std::int64_t beads_in(const std::filesystem::path& data) {
  const auto store = must(SqliteStore::open(data));
  std::int64_t beads = 0;
  for (const TownId& town : must(store->towns()))
    beads += static_cast<std::int64_t>(must(store->load(town)).image.beads.size());
  return beads;
}

/// 64 clients, one after the other each, for 1 and for 64 towns. What was answered is counted in the store afterwards.
void DurablePosts(benchmark::State& state) {
  const int towns = static_cast<int>(state.range(0));
  const DiskFolder folder;
  const auto data = folder.path() / "data";
  const std::string origin = (folder.path() / "origin").string();
  const std::string command = "git init -q -b main '" + origin + "' && cd '" + origin +
                              "' && git -c user.name=t -c user.email=t@localhost commit -q --allow-empty -m first";
  std::filesystem::create_directories(data);
  if (std::system(command.c_str()) != 0) throw std::runtime_error("git cannot make the repository");

  for ([[maybe_unused]] auto turn : state) {
    DaemonOptions options;
    options.data = data.string();
    options.listen = "127.0.0.1:0";
    auto daemon = must(Daemon::start(options));
    const std::string token = first_line(data / "admin.token");
    const std::string listen = first_line(data / "listen");
    Load load{{net::ip::make_address("127.0.0.1"),
               static_cast<unsigned short>(std::stoi(listen.substr(listen.rfind(':') + 1)))},
              {},
              {}};
    net::io_context io{1};
    std::vector<std::string> founding;
    for (int i = 0; i < towns; ++i) {
      const std::string town = "t" + std::to_string(i);
      founding.push_back(post(token, "/api/towns", R"({"name":")" + town + R"("})"));
      founding.push_back(post(token, "/api/towns/" + town + "/pause", "{}"));  // no agents: only what is written
      founding.push_back(post(token, "/api/towns/" + town + "/rigs",
                              R"({"name":"r","git_url":")" + origin + R"(","config":{"gates":["true"]}})"));
    }
    run(load, client(load, founding, 1), io);
    io.run();
    io.restart();
    load.waits.clear();
    for (int i = 0; i < kClients; ++i)
      run(load,
          client(load,
                 {post(token, "/api/towns/t" + std::to_string(i % towns) + "/rigs/r/beads",
                       R"({"type":"issue","title":"A piece of work"})")},
                 kPosts),
          io);
    const SteadyTime begin = std::chrono::steady_clock::now();
    const double cpu = cpu_of_the_daemon();
    io.run();
    const double cpu_used = cpu_of_the_daemon() - cpu;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    daemon.reset();
    if (load.problem) std::rethrow_exception(load.problem);
    if (beads_in(data) != kClients * kPosts) state.SkipWithError("not every bead that was acknowledged is there");
    std::sort(load.waits.begin(), load.waits.end());
    state.SetIterationTime(seconds);
    state.counters["posts_per_s"] = static_cast<double>(load.waits.size()) / seconds;
    state.counters["cpu_us"] = cpu_used * 1e6 / static_cast<double>(load.waits.size());
    state.counters["p50_ms"] = load.waits[load.waits.size() / 2];
    state.counters["p99_ms"] = load.waits[load.waits.size() * 99 / 100];
  }
}
BENCHMARK(DurablePosts)->Arg(1)->Arg(64)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace townd::bench
