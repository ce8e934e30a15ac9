#include "server/api_fixture.hpp"

#include <stdlib.h>

#include <chrono>
#include <future>

#include "codec/json.hpp"
#include "server/read_towns.hpp"

namespace townd::test {
namespace {

NodeSettings node_settings() {
  return read_node_settings("[town]\nruns_per_day = 100\n[reconciler]\npoll = \"2m\"\n", "townd.toml").value();
}

}  // namespace

ApiTest::ApiTest() {
  std::string made = (std::filesystem::path(testing::TempDir()) / "townd-api-XXXXXX").string();
  EXPECT_NE(::mkdtemp(made.data()), nullptr);  // 0700
  data_folder = made;
  runtime.manner = [](const AgentSpec&) { return sim::Manner::hangs; };
  engine = std::make_unique<Engine>(Ports{store, runtime, forge, metrics, clock}, EngineOptions{});
  live.listen(*engine);
  driver = std::make_unique<Driver>(*engine, clock);
  EXPECT_TRUE(engine->open());
  driver->start();
  tails = std::make_unique<LogTails>(seats, *engine, runtime);
  services = std::make_unique<Services>(Services{
      *engine,
      store,
      runtime,
      forge,
      clock,
      tokens,
      live,
      *tails,
      workers,
      webhooks,
      upgrade,
      [](const DiffSpec& spec) -> expected<std::string> { return "diff of " + spec.branch; },
      [this](std::function<void(std::string)> answer) {
        read_towns(*engine, metrics, workers, [this, answer = std::move(answer)] { answer(metrics.text({})); });
      },
      node_settings(),
      {"claude", "custom", "refine"},
      data_folder.string(),
      [this]() -> expected<void> {
        if (page_damage.empty()) return {};
        return fail(Error::Code::internal, page_damage);
      }});
  api = std::make_unique<Api>(*services, Doorman{{"town.example"}, {"https://ui.example"}});
  http = std::make_unique<HttpServer>([this](std::shared_ptr<const Request> request, Answer answer) {
    api->handle(std::move(request), std::move(answer));
  });
  const auto listening = http->listen_tcp("127.0.0.1", 0);
  EXPECT_TRUE(listening);
  port = listening.value_or(0);
  http->start();
  admin = *tokens.make("the-admin", kAdmin, clock.now());
  post("/api/towns", R"({"name":"t","prefix":"tt"})", 201);
  const json::value added =
      post(town + "/rigs", R"({"name":"app","git_url":"/srv/app","config":{"no_gates":true}})", 201);
  if (added.is_object()) rig_id = added.at("rig_id").as_string();
  rig = town + "/rigs/" + rig_id;
  wait_for_event("rig_checked");
}

ApiTest::~ApiTest() {
  live.finish();
  http->stop();
  tails->stop();
  driver->stop();
  workers.stop();
  std::filesystem::remove_all(data_folder);
}

Reply ApiTest::ask(std::string_view method, const std::string& path, std::string_view body, const std::string& token,
                   HeaderList headers) {
  if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
  return RawClient::tcp(port).ask(method, path, body, headers);
}

namespace {

json::value data_of(const Reply& reply, int status, const std::string& path) {
  EXPECT_EQ(reply.status, status) << path << "\n" << reply.body;
  const auto answer = parse_json(reply.body);
  if (!answer || !answer->is_object()) return {};
  const json::value* data = answer->get_object().if_contains("data");
  return data ? *data : json::value(nullptr);
}

}  // namespace

json::value ApiTest::get(const std::string& path, int status) {
  return data_of(ask("GET", path, "", admin), status, path);
}
json::value ApiTest::post(const std::string& path, const std::string& body, int status) {
  return data_of(ask("POST", path, body, admin), status, path);
}
json::value ApiTest::patch(const std::string& path, const std::string& body, int status) {
  return data_of(ask("PATCH", path, body, admin), status, path);
}

std::string ApiTest::new_bead(const std::string& title, bool held) {
  json::object body{{"title", title}, {"held", held}};
  const json::value slung = post(rig + "/sling", json::serialize(body), 201);
  return slung.is_object() ? std::string(slung.at("bead").at("bead_id").as_string()) : std::string();
}

std::string ApiTest::token_of(Role role) { return *tokens.make({}, role, clock.now()); }

void ApiTest::settle() {
  std::promise<void> heard;
  engine->look(
      TownId("t"), [&heard](const Engine::View&) { heard.set_value(); }, [&heard] { heard.set_value(); });
  heard.get_future().wait();
}

void ApiTest::wait_for_event(std::string_view type) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < until) {
    const json::value events = get(town + "/events?type=" + std::string(type));
    if (!events.is_array()) break;
    if (!events.as_array().empty()) return settle();
  }
  FAIL() << "no event " << type;
}

ApiTest::Working ApiTest::working_agent() {
  Working working;
  working.bead = new_bead("work", false);
  // The dispatch is an effect: it runs after the answer, on the pool. What it leaves can be seen, so look for that.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (working.token.empty() && std::chrono::steady_clock::now() < until) {
    settle();
    for (const RunId& run : runtime.alive())
      if (const auto spec = runtime.spec(run);
          spec && spec->assignment.bead && spec->assignment.bead->bead_id.text == working.bead) {
        working.agent = spec->assignment.agent.agent_id.text;
        working.run = run.text;
        working.token = spec->token;
      }
  }
  EXPECT_NE(working.token, "") << "nobody was dispatched";
  return working;
}

void ApiTest::end_run(const Working& working) {
  post(town + "/agents/" + working.agent + "/reset", "{}");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < until) {
    std::promise<bool> over;
    engine->look(
        TownId("t"),
        [&](const Engine::View& view) {
          const townd::Run* run = view.town.run(RunId(working.run));
          over.set_value(run == nullptr || run->state == RunState::ended);
        },
        [&] { over.set_value(true); });
    if (over.get_future().get()) return;
  }
  FAIL() << "the run did not end";
}

}  // namespace townd::test
