#include <algorithm>

#include "server/api_fixture.hpp"
#include "server/operations.hpp"

/// Who may do what, read off the table: each operation with each role, with no token, a wrong one and a revoked one.
namespace townd::test {
namespace {

/// A path of the operation in the town `t`, naming what is not there where it can.
std::string path_of(const Operation& operation, const std::string& rig, const std::string& agent) {
  std::string out;
  const std::string& pattern = operation.paths.front();
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', at + 1), pattern.size());
    const std::string part = pattern.substr(at + 1, end - at - 1);
    if (part == ":town")
      out += "/t";
    else if (part == ":rig")
      out += "/" + rig;
    else if (part == ":agent")
      out += "/" + agent;
    else
      out += part.starts_with(":") ? "/none" : "/" + part;
    at = end;
  }
  return out;
}

bool let_in(int status) { return status != 401 && status != 403; }

class AccessTest : public ApiTest {
 protected:
  /// A request that gets no further than the fields or an unknown id, so that nothing happens in between.
  int knock(const Operation& operation, const std::string& token, const std::string& agent = "none") {
    const std::string path = path_of(operation, rig_id, agent);
    RawClient client = RawClient::tcp(port);
    HeaderList headers;
    if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
    // A stream's answer has no end; its head is enough.
    return client.ask(operation.method, path, "{\"no such field\":1}", headers).status;
  }
};

TEST_F(AccessTest, EachOperationLetsInExactlyTheRolesOfTheTable) {
  for (const Role role : {kAdmin, kOperator, kViewer}) {
    const std::string token = token_of(role);
    for (const Operation& operation : operations()) {
      if (operation.roles == 0) continue;
      EXPECT_EQ(let_in(knock(operation, token)), (operation.roles & role) != 0)
          << to_string(role) << " at " << operation.name;
    }
  }
}

TEST_F(AccessTest, NobodyGetsInWithoutATokenOrWithAWrongOne) {
  const std::string revoked = token_of(kAdmin);
  for (const TokenRow& row : tokens.of_people())
    if (row.role == "admin" && row.id != "the-admin") {
      ASSERT_TRUE(tokens.revoke(row.id));
    }
  for (const Operation& operation : operations()) {
    const bool open = operation.roles == 0;
    const bool signed_only = operation.name == "hook.receive";  // its signature is its token
    EXPECT_EQ(knock(operation, ""), signed_only ? 403 : open ? 200 : 401) << operation.name;
    EXPECT_FALSE(!open && let_in(knock(operation, revoked))) << operation.name;
    clock.pass(seconds(1));  // wrong tokens are looked up only so often
  }
  EXPECT_EQ(ask("GET", "/api/towns", "", "0123456789").status, 401);
  EXPECT_EQ(ask("GET", "/api/towns", "", "", {{"Authorization", "Basic " + admin}}).status, 401);
  EXPECT_EQ(ask("GET", "/api/towns?token=" + admin, "", "").status, 401);
  EXPECT_EQ(ask("GET", "/api/towns", "", "", {{"Cookie", "token=" + admin}}).status, 401);
}

TEST_F(AccessTest, AnAgentsTokenOpensOnlyTheOperationsOfAgents) {
  const Working working = working_agent();
  for (const Operation& operation : operations()) {
    if (operation.roles == 0) continue;
    const int status = knock(operation, working.token, working.agent);
    EXPECT_EQ(let_in(status), (operation.roles & kAgent) != 0) << operation.name << " " << status;
    clock.pass(seconds(1));
  }
}

TEST_F(AccessTest, AnAgentSpeaksForItselfInItsOwnRigAndTownOnly) {
  const Working working = working_agent();
  const json::value other =
      post(town + "/rigs", R"({"name":"other","git_url":"/srv/other","config":{"no_gates":true}})", 201);
  const std::string other_rig(other.at("rig_id").as_string());
  const json::value there = post(town + "/rigs/other/sling", R"({"title":"x","held":true})", 201);
  const std::string foreign_bead(there.at("bead").at("bead_id").as_string());
  const auto status = [&](std::string_view method, const std::string& path, std::string_view body = "{}") {
    clock.pass(seconds(1));
    return ask(method, path, body, working.token).status;
  };
  EXPECT_EQ(status("GET", rig + "/agents/" + working.agent + "/prime"), 200);
  EXPECT_EQ(status("GET", rig + "/agents/somebody/prime"), 403);
  EXPECT_EQ(status("GET", town + "/rigs/" + other_rig + "/agents/" + working.agent + "/prime"), 403);
  EXPECT_EQ(status("GET", town + "/rigs/" + other_rig + "/beads"), 403);
  EXPECT_EQ(status("GET", town + "/beads/" + foreign_bead), 403);
  EXPECT_EQ(status("GET", town + "/beads/" + working.bead), 200);
  EXPECT_EQ(status("GET", "/api/towns/elsewhere/beads"), 403);
  EXPECT_EQ(status("POST", rig + "/mail",
                   R"({"from_agent_id":"somebody","to_agent_id":")" + working.agent + R"(","subject":"s","body":"b"})"),
            403);
  EXPECT_EQ(status("POST", town + "/beads/" + working.bead + "/close"), 409);
  EXPECT_EQ(status("POST", rig + "/agents/" + working.agent + "/request-changes", R"({"feedback":"no"})"), 409);
  EXPECT_EQ(
      ask("GET", rig + "/agents/" + working.agent, "", working.token, {{"X-Gastown-Agent-Id", "somebody"}}).status,
      403);
  EXPECT_EQ(
      ask("GET", rig + "/agents/" + working.agent, "", working.token, {{"X-Gastown-Agent-Id", working.agent}}).status,
      200);
}

TEST_F(AccessTest, AnAgentsTokenTakesTwentyRequestsInASecondAndNotOneMore) {
  const Working working = working_agent();
  clock.pass(seconds(2));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask("GET", town, "", working.token).status, 200) << i;
  EXPECT_EQ(ask("GET", town, "", working.token).status, 429);
  clock.pass(Duration{50});
  EXPECT_EQ(ask("GET", town, "", working.token).status, 200);
  EXPECT_EQ(ask("GET", town, "", working.token).status, 429);
  EXPECT_EQ(ask("GET", town, "", admin).status, 200) << "others are not held up";
}

TEST_F(AccessTest, TheTownSocketActsAsAdminAndTheAgentSocketTakesOnlyRuns) {
  HttpServer sockets([this](std::shared_ptr<const Request> request, Answer answer) {
    api->handle(std::move(request), std::move(answer));
  });
  const std::string town_socket = testing::TempDir() + "access_town.sock";
  const std::string agent_socket = testing::TempDir() + "access_agent.sock";
  ASSERT_TRUE(sockets.listen_unix(town_socket, Channel::town_socket));
  ASSERT_TRUE(sockets.listen_unix(agent_socket, Channel::agent_socket));
  sockets.start();
  const Working working = working_agent();
  const auto status = [](const std::string& socket, const std::string& token) {
    HeaderList headers;
    if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
    return RawClient::unix_socket(socket).ask("GET", "/api/tokens", "", headers).status;
  };
  EXPECT_EQ(status(town_socket, ""), 200);
  EXPECT_EQ(status(town_socket, working.token), 403) << "a run's token is not helped by the socket";
  EXPECT_EQ(status(agent_socket, ""), 401);
  EXPECT_EQ(status(agent_socket, admin), 403);
  EXPECT_EQ(
      RawClient::unix_socket(agent_socket)
          .ask("GET", rig + "/agents/" + working.agent + "/prime", "", {{"Authorization", "Bearer " + working.token}})
          .status,
      200);
  sockets.stop();
}

TEST_F(AccessTest, TheDoorIsShutToForeignHostsAndPagesWhoeverAsks) {
  EXPECT_EQ(ask("GET", "/healthz", "", "", {{"Host", "evil.example"}}).status, 421);
  EXPECT_EQ(ask("GET", "/healthz", "", "", {{"Host", "town.example"}}).status, 200);
  for (const Operation& operation : operations())
    EXPECT_EQ(
        ask(operation.method, path_of(operation, rig_id, "none"), "{}", admin, {{"Origin", "https://evil.example"}})
            .status,
        403)
        << operation.name;
  EXPECT_EQ(ask("POST", "/api/towns", "{}", admin, {{"Content-Type", "text/plain"}}).status, 415);
  const Reply allowed = ask("GET", "/healthz", "", "", {{"Origin", "https://ui.example"}});
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(allowed.headers.count("access-control-allow-origin"), 0u);
}

TEST_F(AccessTest, ATokenIsShownOnceAndEndsWhenItIsRevoked) {
  const json::value made = post("/api/tokens", R"({"role":"viewer","id":"screen"})", 201);
  const std::string token(made.at("token").as_string());
  EXPECT_EQ(ask("GET", "/api/towns", "", token).status, 200);
  EXPECT_EQ(json::serialize(get("/api/tokens")).find(token), std::string::npos);
  const auto rows = store.tokens();
  ASSERT_TRUE(rows);
  for (const TokenRow& row : *rows) EXPECT_NE(row.hash, token);
  EXPECT_EQ(ask("POST", "/api/tokens", R"({"role":"viewer","id":"screen"})", admin).status, 409);
  post("/api/tokens/screen/revoke", "{}");
  EXPECT_EQ(ask("GET", "/api/towns", "", token).status, 401);
  EXPECT_EQ(ask("POST", "/api/tokens/screen/revoke", "{}", admin).status, 404);
  // Its name may be given to its successor, and the old one stays shut.
  const json::value next = post("/api/tokens", R"({"role":"viewer","id":"screen"})", 201);
  EXPECT_EQ(ask("GET", "/api/towns", "", token).status, 401);
  EXPECT_EQ(ask("GET", "/api/towns", "", std::string(next.at("token").as_string())).status, 200);
}

}  // namespace
}  // namespace townd::test
