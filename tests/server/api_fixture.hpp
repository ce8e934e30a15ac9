#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "codec/json.hpp"
#include "engine/driver.hpp"
#include "observe/metrics.hpp"
#include "server/api.hpp"
#include "server/http_server.hpp"
#include "server/live_hub.hpp"
#include "server/log_tails.hpp"
#include "server/raw_client.hpp"
#include "server/stream_seats.hpp"
#include "server/upgrade.hpp"
#include "server/webhooks.hpp"
#include "server/workers.hpp"
#include "sim/fake_clock.hpp"
#include "sim/fake_forge.hpp"
#include "sim/fake_runtime.hpp"
#include "sim/fake_store.hpp"

namespace townd::test {

/// A node with everything real but the outside: store, runtime, forge and clock are the simulator's. One town `t` with
/// the prefix `tt` and one rig `app` is there from the start, its repository already looked at. The clock stands, so
/// nothing is ever due by itself.
class ApiTest : public testing::Test {
 protected:
  ApiTest();
  ~ApiTest() override;

  /// As the admin over TCP; `data` is empty unless the answer was a success.
  json::value get(const std::string& path, int status = 200);
  json::value post(const std::string& path, const std::string& body, int status = 200);
  json::value patch(const std::string& path, const std::string& body, int status = 200);
  /// With this token; empty: with none.
  Reply ask(std::string_view method, const std::string& path, std::string_view body, const std::string& token,
            HeaderList headers = {});

  /// A bead in the rig, held unless told otherwise, so that nothing happens to it.
  std::string new_bead(const std::string& title, bool held = true);
  /// A token of this role that a person has.
  std::string token_of(Role role);
  /// A bead that an agent works on.
  struct Working {
    std::string bead;
    std::string agent;
    std::string run;
    std::string token;
  };
  Working working_agent();
  /// The run is over: its agent was reset.
  void end_run(const Working& working);
  /// Everything submitted so far has been heard.
  void settle();
  /// The outside answers on the pool, after the request that asked for it; its answer is an event.
  void wait_for_event(std::string_view type);

  std::string town = "/api/towns/t";
  std::string rig_id;
  std::string rig;  ///< the rig's path

  sim::Complaints complaints;
  sim::FakeClock clock;
  sim::FakeStore store{complaints};
  sim::FakeForge forge{complaints};
  sim::FakeRuntime runtime{clock, forge, complaints, 1};
  Metrics metrics{{}, clock};
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Driver> driver;
  TokenBook tokens{store};
  StreamSeats seats;
  LiveHub live{seats};
  Workers workers{2};
  Webhooks webhooks{{{"github", {WebhookProof::signature, "sesame"}},
                     {"gitlab", {WebhookProof::token, "barley"}},
                     {"gitea", {WebhookProof::signature, "oats"}}}};
  UpgradeReport upgrade;
  std::filesystem::path data_folder;  ///< a data folder with nothing in it
  std::string page_damage;            ///< what is wrong with the store's pages
  std::unique_ptr<LogTails> tails;
  std::unique_ptr<Services> services;
  std::unique_ptr<Api> api;
  std::unique_ptr<HttpServer> http;
  unsigned short port = 0;
  std::string admin;
};

}  // namespace townd::test
