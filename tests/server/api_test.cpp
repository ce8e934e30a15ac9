#include <gmock/gmock.h>

#include <limits>

#include "server/answer_schemas.hpp"
#include "server/api_fixture.hpp"
#include "server/operations.hpp"

namespace townd::test {
namespace {

json::value parsed(const Reply& reply) { return parse_json(reply.body).value_or(json::value()); }

std::string error_of(const Reply& reply) {
  const json::value answer = parsed(reply);
  return answer.is_object() && answer.as_object().contains("error") ? std::string(answer.at("error").as_string()) : "";
}

/// The places of the issues, joined.
std::string issues_of(const Reply& reply) {
  std::string places;
  const json::value answer = parsed(reply);
  if (answer.is_object() && answer.as_object().contains("issues"))
    for (const json::value& issue : answer.at("issues").as_array())
      places += (places.empty() ? "" : " ") + std::string(issue.at("path").as_string());
  return places;
}

// ---- the way of one bead -------------------------------------------------------------------------------------------

TEST_F(ApiTest, SlingMakesABeadThatCanBeReadBackWithItsBody) {
  const json::value slung = post(
      rig + "/sling", R"({"title":"Add totals","body":"All of them.","labels":["x"],"metadata":{"b":1,"a":2}})", 201);
  ASSERT_TRUE(slung.is_object());
  EXPECT_TRUE(slung.at("agent").is_null());
  EXPECT_EQ(slung.at("bead").at("body").as_string(), "All of them.");
  const std::string id(slung.at("bead").at("bead_id").as_string());
  EXPECT_TRUE(id.starts_with("tt-"));
  const json::value bead = get(town + "/beads/" + id);
  EXPECT_EQ(bead.at("title").as_string(), "Add totals");
  EXPECT_EQ(bead.at("body").as_string(), "All of them.");
  EXPECT_EQ(bead.at("created_by").as_string(), "the-admin");
  EXPECT_EQ(json::serialize(bead.at("metadata")), R"({"a":2,"b":1})");
}

TEST_F(ApiTest, AnAgentHandsItsWorkInWithItsRunsToken) {
  const Working working = working_agent();
  const std::string self = rig + "/agents/" + working.agent;
  const Reply prime = ask("GET", self + "/prime", "", working.token);
  ASSERT_EQ(prime.status, 200) << prime.body;
  EXPECT_EQ(parsed(prime).at("data").at("hooked_bead").at("bead_id").as_string(), working.bead);
  EXPECT_EQ(parsed(prime).at("data").at("assignment").at("run_id").as_string(), working.run);
  EXPECT_EQ(ask("POST", self + "/done", R"({"branch":"gt/toast/x","commit":"--upload-pack=x"})", working.token).status,
            400);
  EXPECT_EQ(ask("POST", self + "/done",
                R"({"branch":"gt/toast/x","commit":"0123456789012345678901234567890123456789"})", working.token)
                .status,
            200);
  const json::value bead = get(town + "/beads/" + working.bead);
  EXPECT_EQ(bead.at("status").as_string(), "in_review");
  EXPECT_EQ(bead.at("requests").as_array().size(), 1u);
}

TEST_F(ApiTest, ARunThatHasEndedCanHandInForADayAndDoNothingElse) {
  const Working working = working_agent();
  end_run(working);
  const std::string self = rig + "/agents/" + working.agent;
  EXPECT_EQ(ask("GET", self + "/prime", "", working.token).status, 401);
  EXPECT_EQ(ask("POST", self + "/status", R"({"message":"still here"})", working.token).status, 401);
  EXPECT_EQ(ask("POST", self + "/done", R"({"branch":"gt/toast/x"})", working.token).status, 200);
}

TEST_F(ApiTest, AHeldBeadSaysWhyItWaits) {
  const std::string id = new_bead("later");
  const json::value why = get(town + "/why/" + id);
  ASSERT_TRUE(why.is_object());
  EXPECT_EQ(why.at("id").as_string(), id);
  EXPECT_FALSE(why.at("decisions").as_array().empty());
}

TEST_F(ApiTest, ADryRunSaysWhatWouldHappenAndChangesNothing) {
  new_bead("later");
  const json::value before = get(town);
  const json::value plan = post(town + "/debug/reconcile-dry-run", "{}");
  ASSERT_TRUE(plan.is_object());
  EXPECT_EQ(plan.at("actionsEmitted").as_int64(), static_cast<std::int64_t>(plan.at("actions").as_array().size()));
  EXPECT_EQ(get(town), before);
  EXPECT_EQ(json::serialize(post("/debug/towns/t/reconcile-dry-run", "{}")), json::serialize(plan));
}

TEST_F(ApiTest, ManyBeadsAreDeletedAtOnceAndWhatCannotBeIsNamed) {
  const std::string first = new_bead("one"), second = new_bead("two"), third = new_bead("three");
  const json::value gone =
      post(town + "/beads/bulk-delete", R"({"bead_ids":[")" + first + R"(",")" + second + R"(","tt-999"]})");
  ASSERT_TRUE(gone.is_object());
  EXPECT_EQ(gone.at("deleted").as_int64(), 2);
  ASSERT_EQ(gone.at("refused").as_array().size(), 1u);
  EXPECT_EQ(gone.at("refused").as_array()[0].at("bead_id").as_string(), "tt-999");
  EXPECT_EQ(ask("GET", town + "/beads/" + first, "", admin).status, 404);
  EXPECT_EQ(post(town + "/beads/delete-by-status", R"({"status":"open","type":"convoy"})").at("deleted").as_int64(), 0);
  EXPECT_EQ(post("/api/mayor/t/tools/beads/delete-by-status", R"({"status":"open"})").at("deleted").as_int64(), 1);
  EXPECT_EQ(ask("GET", town + "/beads/" + third, "", admin).status, 404);
  EXPECT_EQ(ask("POST", town + "/beads/bulk-delete", "{}", admin).status, 400);
  EXPECT_EQ(ask("POST", town + "/beads/bulk-delete", R"({"bead_ids":[]})", token_of(kViewer)).status, 403);
}

TEST_F(ApiTest, TheMayorIsMadeSpokenToAndRead) {
  const json::value session = post(town + "/mayor/ensure", "{}");
  ASSERT_TRUE(session.is_object());
  const std::string mayor(session.at("agentId").as_string());
  EXPECT_EQ(session.at("sessionStatus").as_string(), "idle");
  EXPECT_EQ(post(town + "/mayor/ensure", "{}").at("agentId").as_string(), mayor) << "there is one";
  EXPECT_EQ(get(town + "/mayor-id").at("agentId").as_string(), mayor);
  post(town + "/pause", "{}");  // nobody is started
  EXPECT_EQ(
      post(town + "/mayor/message", R"({"message":"Add totals","uiContext":"beads"})").at("sessionStatus").as_string(),
      "starting");
  EXPECT_EQ(get(town + "/mayor/status").at("session").at("status").as_string(), "starting");
  const json::value mail = get(town + "/agents/" + mayor + "/mail");
  ASSERT_EQ(mail.as_array().size(), 1u);
  EXPECT_EQ(mail.as_array()[0].at("body").as_string(), "Add totals\n\nWhat they see:\nbeads");
  EXPECT_EQ(ask("POST", town + "/mayor/message", "{}", admin).status, 400);
  EXPECT_EQ(ask("POST", town + "/mayor/message", R"({"message":"x"})", token_of(kViewer)).status, 403);
}

TEST_F(ApiTest, AgentsWriteToPeopleWhoReadMailByMail) {
  const Working working = working_agent();
  const auto write = [&](const std::string& subject) {
    return ask("POST", town + "/mail", R"({"to_agent_id":"people","body":"b","subject":")" + subject + "\"}",
               working.token)
        .status;
  };
  EXPECT_EQ(write("one"), 201);
  EXPECT_EQ(write("two"), 201);
  const json::value inbox = get(town + "/mail");
  ASSERT_EQ(inbox.as_array().size(), 2u);
  EXPECT_EQ(inbox.as_array()[0].at("subject").as_string(), "one");
  EXPECT_EQ(inbox.as_array()[0].at("from_agent_id").as_string(), working.agent);
  const std::string first(inbox.as_array()[0].at("mail_id").as_string());
  post(town + "/mail/" + first + "/read", "{}");
  EXPECT_EQ(get(town + "/mail").as_array().size(), 1u);
  EXPECT_EQ(get(town + "/mail?all=1").as_array().size(), 2u);
  EXPECT_EQ(get(town + "/mail?from=somebody").as_array().size(), 0u);
  EXPECT_EQ(ask("POST", town + "/mail/tt-999/read", "{}", admin).status, 404);
  EXPECT_EQ(ask("POST", town + "/mail", R"({"to_agent_id":"people","subject":"x","body":"y"})", admin).status, 404)
      << "people hear from agents";
}

TEST_F(ApiTest, AConvoyIsMadeWithItsBeadsAndTheirOrder) {
  const json::value made =
      post(town + "/convoys",
           json::serialize(
               json::object{{"title", "Totals"},
                            {"staged", true},
                            {"rig_id", "app"},
                            {"tasks", {{{"title", "one"}}, {{"title", "two"}, {"depends_on", json::array{0}}}}}}),
           201);
  ASSERT_TRUE(made.is_object());
  const json::value& convoy = made.at("convoy");
  EXPECT_EQ(convoy.at("total_beads").as_int64(), 2);
  ASSERT_EQ(convoy.at("dependency_edges").as_array().size(), 1u);
  const std::string id(convoy.at("id").as_string());
  EXPECT_EQ(convoy.at("status").as_string(), "active");
  EXPECT_EQ(get(town + "/convoys").as_array().size(), 1u);
  EXPECT_EQ(post(town + "/convoys/" + id + "/close", "{}").at("status").as_string(), "landed");
  EXPECT_EQ(get(town + "/convoys").as_array().size(), 0u);
  EXPECT_EQ(get(town + "/convoys?all=1").as_array().size(), 1u);
}

TEST_F(ApiTest, SeveralTasksWithoutAnyOrderAreTakenForAMistake) {
  const std::string tasks = R"("tasks":[{"title":"a"},{"title":"b"}])";
  const std::string path = "/api/mayor/t/tools/sling-batch";
  const std::string start = "{\"rig_id\":\"" + rig_id + "\",\"convoy_title\":\"c\",\"staged\":true,";
  EXPECT_EQ(ask("POST", path, start + tasks + "}", admin).status, 400);
  EXPECT_EQ(ask("POST", path, start + tasks + ",\"parallel\":true}", admin).status, 201);
}

TEST_F(ApiTest, SettingsAreChangedOneByOne) {
  const json::value before = get(town + "/config");
  const json::value after = patch(town + "/config", R"({"max_polecats":3,"refinery":{"code_review":false}})");
  ASSERT_TRUE(after.is_object());
  EXPECT_EQ(after.at("max_polecats").as_int64(), 3);
  EXPECT_EQ(after.at("refinery").at("code_review").as_bool(), false);
  EXPECT_EQ(after.at("runs_per_day"), before.at("runs_per_day"));
  EXPECT_EQ(after.at("version").as_int64(), before.at("version").as_int64() + 1);
}

TEST_F(ApiTest, AnUnknownSettingNamesTheNearestKnownOne) {
  const Reply reply = ask("PATCH", town + "/config", R"({"max_polecat":3})", admin);
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(error_of(reply).find("max_polecats"), std::string::npos);
  EXPECT_EQ(issues_of(reply), "/max_polecat");
}

// ---- what is refused -----------------------------------------------------------------------------------------------

TEST_F(ApiTest, UnknownThingsAreNotFoundAndSayWhereToLook) {
  for (const std::string& path :
       {town + "/beads/tt-999", town + "/agents/tt-999", town + "/rigs/nowhere", town + "/convoys/tt-999",
        town + "/why/tt-999", town + "/ticks/999999", std::string("/api/towns/elsewhere"),
        std::string("/api/towns/elsewhere/events"), std::string("/nothing")}) {
    const Reply reply = ask("GET", path, "", admin);
    EXPECT_EQ(reply.status, 404) << path << reply.body;
    EXPECT_NE(error_of(reply), "") << path;
  }
}

TEST_F(ApiTest, AWrongStateIsAConflictThatNamesTheState) {
  const std::string id = new_bead("x");
  const Reply reply = ask("POST", town + "/beads/" + id + "/reopen", "{}", admin);
  EXPECT_EQ(reply.status, 409);
  EXPECT_NE(error_of(reply).find("open"), std::string::npos) << error_of(reply);
}

TEST_F(ApiTest, ACycleIsRefusedAndNamed) {
  const std::string a = new_bead("a");
  const std::string b = new_bead("b");
  post(town + "/beads/" + b + "/dependencies", "{\"depends_on\":\"" + a + "\"}", 201);
  const Reply reply = ask("POST", town + "/beads/" + a + "/dependencies", "{\"depends_on\":\"" + b + "\"}", admin);
  EXPECT_EQ(reply.status, 409);
  EXPECT_NE(error_of(reply).find(a), std::string::npos) << error_of(reply);
  EXPECT_NE(error_of(reply).find(b), std::string::npos) << error_of(reply);
}

TEST_F(ApiTest, MalformedJsonIsRefusedWithItsPlace) {
  const Reply reply = ask("POST", rig + "/sling", "{\n  \"title\": nope\n}", admin);
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(error_of(reply).find("line 2"), std::string::npos) << error_of(reply);
  EXPECT_EQ(ask("POST", rig + "/sling", "[1]", admin).status, 400);
}

TEST_F(ApiTest, EverythingThatIsWrongWithTheFieldsIsSaidAtOnce) {
  const Reply reply =
      ask("POST", rig + "/sling", R"({"titel":"x","priority":"urgent","labels":[1],"held":"yes"})", admin);
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(issues_of(reply), "/titel /priority /labels/0 /held /title");
  EXPECT_NE(reply.body.find("the nearest is title"), std::string::npos);
}

TEST_F(ApiTest, NamesThatCouldBeReadAsSomethingElseAreRefused) {
  for (const char* bad : {"../x", "-x", "a b", "a/b", "x..y", "", "a\\u0000b", "a\\u001bb"})
    EXPECT_EQ(ask("POST", town + "/rigs", std::string(R"({"git_url":"/srv/y","name":")") + bad + "\"}", admin).status,
              400)
        << bad;
  for (const char* branch : {"-x", "a..b", "a b", "x.lock", "a~1", "a^", "refs:x", "@{-1}", "a\\u0007"})
    EXPECT_EQ(ask("POST", town + "/rigs",
                  std::string(R"({"git_url":"/srv/y","name":"y","default_branch":")") + branch + "\"}", admin)
                  .status,
              400)
        << branch;
  EXPECT_EQ(ask("POST", town + "/rigs", R"({"git_url":"https://me:secret@host/x","name":"y"})", admin).status, 400);
  EXPECT_EQ(ask("POST", town + "/rigs", R"({"git_url":"ssh://me:secret@host/x","name":"y"})", admin).status, 400);
  EXPECT_EQ(ask("POST", town + "/rigs", R"({"git_url":"--upload-pack=x","name":"y"})", admin).status, 400);
}

TEST_F(ApiTest, TextsFitExactlyIntoTheirLimits) {
  const auto sling = [&](std::string_view field, std::string value, std::string_view title = "\"t\"") {
    std::string body = std::string("{\"held\":true,\"title\":") + std::string(title);
    if (!field.empty()) body += ",\"" + std::string(field) + "\":" + std::move(value);
    return ask("POST", rig + "/sling", body + "}", admin).status;
  };
  const auto quoted = [](std::size_t n, std::string_view what = "x") {
    std::string text = "\"";
    for (std::size_t i = 0; i < n; ++i) text += what;
    return text + "\"";
  };
  EXPECT_EQ(sling("", "", quoted(500)), 201);
  EXPECT_EQ(sling("", "", quoted(500, "ä")), 201) << "characters are counted, not bytes";
  EXPECT_EQ(sling("", "", quoted(501)), 413);
  EXPECT_EQ(sling("body", quoted(256 * 1024)), 201);
  EXPECT_EQ(sling("body", quoted(256 * 1024 + 1)), 413);
  const std::string frame = R"({"a":""})";
  const auto metadata = [&](std::size_t size) { return R"({"a":)" + quoted(size - frame.size()) + "}"; };
  EXPECT_EQ(sling("metadata", metadata(64 * 1024)), 201);
  EXPECT_EQ(sling("metadata", metadata(64 * 1024 + 1)), 413);
  const auto labels = [](int n) {
    std::string list = "[";
    for (int i = 0; i < n; ++i) list += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
    return list + "]";
  };
  EXPECT_EQ(sling("labels", labels(50)), 201);
  EXPECT_EQ(sling("labels", labels(51)), 413);
}

TEST_F(ApiTest, MailFitsExactlyIntoItsLimit) {
  const Working working = working_agent();
  const auto mail = [&](std::size_t size) {
    json::object body{{"to_agent_id", working.agent}, {"subject", "s"}, {"body", std::string(size, 'x')}};
    return ask("POST", rig + "/mail", json::serialize(body), admin).status;
  };
  EXPECT_EQ(mail(16 * 1024), 201);
  EXPECT_EQ(mail(16 * 1024 + 1), 413);
}

TEST_F(ApiTest, AStoreThatFailsIsUnavailableAndNothingIsShown) {
  store.fail_next = std::numeric_limits<int>::max();  // also what the engine itself has to write at this moment
  const Reply reply = ask("POST", rig + "/sling", R"({"title":"lost","held":true})", admin);
  EXPECT_EQ(reply.status, 503) << reply.body;
}

TEST_F(ApiTest, AMethodThatAPathDoesNotTakeIsNamedWithThoseItTakes) {
  const Reply reply = ask("POST", town + "/status", "{}", admin);
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.headers.at("allow"), "GET");
}

// ---- repetition, pages, streams ------------------------------------------------------------------------------------

TEST_F(ApiTest, ARepeatedPostWithTheSameKeyDoesNothingTwice) {
  const std::string body = R"({"title":"once","held":true})";
  const Reply first = ask("POST", rig + "/sling", body, admin, {{"Idempotency-Key", "k1"}});
  const Reply again = ask("POST", rig + "/sling", body, admin, {{"Idempotency-Key", "k1"}});
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(first.body, again.body);
  EXPECT_EQ(get(town + "/beads").as_array().size(), 1u);
  EXPECT_EQ(ask("POST", rig + "/sling", R"({"title":"other"})", admin, {{"Idempotency-Key", "k1"}}).status, 409);
  const std::string other = token_of(kOperator);
  EXPECT_EQ(ask("POST", rig + "/sling", body, other, {{"Idempotency-Key", "k1"}}).status, 201)
      << "keys are each caller's own";
}

TEST_F(ApiTest, ListsComeInPagesThatJoinWithoutGaps) {
  for (int i = 0; i < 7; ++i) new_bead("b" + std::to_string(i));
  std::vector<std::string> seen;
  std::string after;
  for (;;) {
    const json::value page = get(town + "/beads?limit=3" + (after.empty() ? "" : "&after=" + after));
    if (page.as_array().empty()) break;
    for (const json::value& bead : page.as_array()) seen.emplace_back(bead.at("bead_id").as_string());
    after = seen.back();
  }
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 7u);
  EXPECT_EQ(get(rig + "/beads?offset=5").as_array().size(), 2u);
  EXPECT_EQ(ask("GET", town + "/beads?limit=501", "", admin).status, 400);
  EXPECT_EQ(ask("GET", town + "/beads?limt=5", "", admin).status, 400);
}

TEST_F(ApiTest, EventsAndTicksAreKeptInOrder) {
  new_bead("x");
  std::int64_t before = 0;
  bool made = false;
  const json::value all = get(town + "/events");
  for (const json::value& event : all.as_array()) {
    EXPECT_GT(event.at("seq").as_int64(), before);
    before = event.at("seq").as_int64();
    made = made || event.at("event_type").as_string() == "bead_created";
  }
  EXPECT_TRUE(made);
  const json::value later = get(town + "/events?after=" + std::to_string(before));
  for (const json::value& event : later.as_array()) EXPECT_GT(event.at("seq").as_int64(), before);
  const json::value ticks = get(town + "/ticks");
  ASSERT_FALSE(ticks.as_array().empty());
  const std::int64_t last = ticks.as_array().back().at("tick").as_int64();
  EXPECT_EQ(get(town + "/ticks/" + std::to_string(last)).at("tick").as_int64(), last);
  EXPECT_EQ(ask("GET", town + "/events?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "", admin).status, 400);
  EXPECT_EQ(ask("GET", town + "/events?from=yesterday", "", admin).status, 400);
}

TEST_F(ApiTest, AStreamGoesOnBehindTheLastEventThatWasSeen) {
  const auto open = [&](const std::string& last) {
    RawClient client = RawClient::tcp(port);
    client.send(RawClient::request("GET", town + "/stream", "",
                                   {{"Authorization", "Bearer " + admin}, {"Last-Event-ID", last}}));
    client.read_until(": open\n\n");
    return client;
  };
  RawClient first = open("");
  const std::string a = new_bead("a");
  const std::string seen = first.read_until(a);
  const std::size_t at = seen.rfind("id: ");
  ASSERT_NE(at, std::string::npos) << seen;
  const std::string last = seen.substr(at + 4, seen.find('\n', at) - at - 4);
  const std::string b = new_bead("b");
  RawClient second = open(last);
  const std::string rest = second.read_until(b);
  EXPECT_EQ(rest.find(a), std::string::npos) << rest;
  EXPECT_EQ(rest.find("event: gap"), std::string::npos) << rest;
  RawClient from_long_ago = open("999999.1");
  EXPECT_NE(from_long_ago.read_until("event: gap").find("event: gap"), std::string::npos);
  EXPECT_EQ(ask("GET", town + "/stream", "", admin, {{"Last-Event-ID", "what"}}).status, 400);
}

TEST_F(ApiTest, StatusSaysWhatIsWrongFirst) {
  post(town + "/pause", R"({"reason":"moving house"})");
  const json::value status = get(town + "/status");
  ASSERT_TRUE(status.is_object());
  EXPECT_TRUE(status.at("paused").as_bool());
  EXPECT_NE(json::serialize(status.at("problems")).find("moving house"), std::string::npos);
  post(town + "/resume", "{}");
  EXPECT_FALSE(get(town + "/status").at("paused").as_bool());
}

TEST_F(ApiTest, ASnapshotCarriesTheTownWithItsTexts) {
  post(rig + "/sling", R"({"title":"x","body":"the whole story","held":true})", 201);
  const Reply reply = ask("GET", town + "/snapshot", "", admin);
  EXPECT_EQ(reply.status, 200);
  const json::value snapshot = parsed(reply);
  EXPECT_EQ(snapshot.at("format").as_string(), "town-snapshot/1");
  EXPECT_NE(reply.body.find("the whole story"), std::string::npos);
}

// ---- shapes --------------------------------------------------------------------------------------------------------

/// Every member that the schema promises is there and of its kind.
void expect_schema(const json::value& value, const json::object& schema, const std::string& place) {
  const auto fits = [&](std::string_view type) {
    if (type == "null") return value.is_null();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    if (type == "number") return value.is_number();
    if (type == "array") return value.is_array();
    return value.is_object();
  };
  if (const json::value* type = schema.if_contains("type")) {
    bool one = type->is_string() && fits(type->as_string());
    if (type->is_array())
      for (const json::value& each : type->as_array()) one = one || fits(each.as_string());
    ASSERT_TRUE(one) << place << " is " << json::serialize(value) << ", not " << json::serialize(*type);
  }
  if (const json::value* items = schema.if_contains("items"); items && value.is_array())
    for (const json::value& each : value.as_array()) expect_schema(each, items->as_object(), place + "[]");
  if (const json::value* required = schema.if_contains("required"); required && value.is_object())
    for (const json::value& name : required->as_array()) {
      const json::value* member = value.as_object().if_contains(name.as_string());
      ASSERT_NE(member, nullptr) << place << " lacks " << name;
      expect_schema(*member, schema.at("properties").at(name.as_string()).as_object(),
                    place + "." + std::string(name.as_string()));
    }
}

TEST_F(ApiTest, PresetsThatNobodyHasAreRefusedWhereTheyAreSet) {
  const auto told = [&](const Reply& reply) { return reply.status == 400 ? reply.body : "not refused: " + reply.body; };
  for (const char* member : {"polecat_preset", "refinery_preset", "mayor_preset"}) {
    const std::string body = std::string("{\"") + member + "\":\"cluade\"}";
    EXPECT_THAT(told(ask("PATCH", town + "/config", body, admin)), testing::HasSubstr("claude, custom, refine"));
  }
  const std::string config = R"({"config":{"no_gates":true,"polecat_preset":"cluade"}})";
  EXPECT_THAT(told(ask("PATCH", rig, config, admin)), testing::HasSubstr("there is no preset \\\"cluade\\\""));
  const std::string added = R"({"name":"b","git_url":"/srv/b","config":{"no_gates":true,"refinery_preset":"x"}})";
  EXPECT_THAT(told(ask("POST", town + "/rigs", added, admin)), testing::HasSubstr("there is no preset"));
  EXPECT_EQ(ask("PATCH", town + "/config", R"({"mayor_preset":"custom"})", admin).status, 200);
}

TEST_F(ApiTest, SaysWhoSaidASetting) {
  ask("PATCH", town + "/config", R"({"mayor_preset":"custom"})", admin);
  ask("PATCH", rig, R"({"config":{"max_polecats":2}})", admin);
  const auto found = [&](const std::string& key, const std::string& query) -> std::string {
    const json::value rows = get(town + "/config/keys" + query);
    for (const json::value& row : rows.as_array())
      if (row.at("key").as_string() == key)
        return json::serialize(row.at("value")) + " " + std::string(row.at("from").as_string());
    return "nothing";
  };
  EXPECT_EQ(found("town.code_review", ""), "true default");
  EXPECT_EQ(found("server.listen", ""), R"("127.0.0.1:7777" default)");
  EXPECT_EQ(found("town.runs_per_day", ""), "100 townd.toml");
  EXPECT_EQ(found("reconciler.poll", ""), R"("2m" townd.toml)");
  EXPECT_EQ(found("town.mayor_preset", ""), R"("custom" town)");
  EXPECT_EQ(found("town.max_polecats", ""), "5 default");
  EXPECT_EQ(found("town.max_polecats", "?rig=app"), "2 rig");
  EXPECT_EQ(found("town.auto_merge_delay_minutes", ""), "null default");
  EXPECT_EQ(ask("GET", town + "/config/keys?rig=none", "", admin).status, 404);
}

TEST_F(ApiTest, AnswersLookAsOpenApiSays) {
  const Working working = working_agent();
  const std::string agent = town + "/agents/" + working.agent;
  const json::value molecule =
      post(town + "/molecules", R"({"bead_id":")" + working.bead + R"(","formula":{"steps":[{"title":"one"}]}})", 201);
  expect_schema(molecule, answer_schema("Molecule"), "molecule");
  const Reply said = ask("POST", town + "/agent-events",
                         R"({"agent_id":")" + working.agent + R"(","event_type":"message"})", working.token);
  expect_schema(parsed(said).at("data"), answer_schema("Appended"), "agent event");
  const json::value convoy =
      post(town + "/convoys", R"({"title":"c","staged":true,"rig_id":"app","tasks":[{"title":"one"}]})", 201);
  const std::string convoy_id(convoy.at("convoy").at("id").as_string());
  const std::vector<std::pair<std::string, std::string>> asked = {
      {"Health", "/healthz"},
      {"Health", "/readyz"},
      {"Towns", "/api/towns"},
      {"Town", town},
      {"Status", town + "/status"},
      {"Config", town + "/config"},
      {"ConfigKeys", town + "/config/keys"},
      {"Rigs", town + "/rigs"},
      {"Rig", rig},
      {"Beads", town + "/beads"},
      {"BeadDetail", town + "/beads/" + working.bead},
      {"History", town + "/beads/" + working.bead + "/history"},
      {"Reviews", town + "/reviews"},
      {"Convoys", town + "/convoys"},
      {"ConvoyDetail", town + "/convoys/" + convoy_id},
      {"Agents", town + "/agents"},
      {"AgentDetail", agent},
      {"Log", agent + "/log"},
      {"AgentEvents", agent + "/events"},
      {"Step", agent + "/molecule/current"},
      {"Prime", agent + "/prime"},
      {"Mail", agent + "/mail"},
      {"Nudges", agent + "/pending-nudges"},
      {"Why", town + "/why/" + working.bead},
      {"Events", town + "/events"},
      {"Ticks", town + "/ticks"},
      {"Tokens", "/api/tokens"},
      {"Beads", town + "/escalations"}};
  for (const auto& [answer, path] : asked) expect_schema(get(path), answer_schema(answer), path);
  expect_schema(convoy, answer_schema("ConvoyMade"), "convoy");
  expect_schema(convoy.at("convoy"), answer_schema("Convoy"), "convoy");
  expect_schema(post(town + "/debug/reconcile-dry-run", "{}"), answer_schema("DryRun"), "dry run");
  expect_schema(post(agent + "/heartbeat", R"({"anything":1})"), answer_schema("Heartbeat"), "heartbeat");
}

}  // namespace
}  // namespace townd::test
