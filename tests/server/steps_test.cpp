#include "server/api_fixture.hpp"
#include "server/operation.hpp"

/// Work in steps, convoys that are changed, what agents' programs say of themselves, and what is left of a budget.
namespace townd::test {
namespace {

std::string step(const std::string& title) { return R"({"title":")" + title + R"(","instructions":"how"})"; }

std::string molecule(const std::string& bead, const std::vector<std::string>& titles) {
  std::string steps;
  for (const std::string& title : titles) steps += (steps.empty() ? "" : ",") + step(title);
  return R"({"bead_id":")" + bead + R"(","formula":{"steps":[)" + steps + "]}}";
}

json::value data(const Reply& reply) { return json::parse(reply.body).at("data"); }

TEST_F(ApiTest, AnAgentGoesThroughItsBeadStepByStep) {
  const Working working = working_agent();
  const std::string self = rig + "/agents/" + working.agent;
  EXPECT_EQ(ask("GET", self + "/molecule/current", "", working.token).status, 404);
  const json::value made = post(rig + "/molecules", molecule(working.bead, {"first", "second"}), 201);
  ASSERT_TRUE(made.is_object());
  EXPECT_EQ(made.at("source_bead_id").as_string(), working.bead);
  EXPECT_EQ(made.at("total_steps").to_number<int>(), 2);
  const json::value bead = get(town + "/beads/" + working.bead);
  EXPECT_EQ(bead.at("children").as_array().at(0), made.at("bead_id"));

  const json::value current = data(ask("GET", self + "/molecule/current", "", working.token));
  EXPECT_EQ(current.at("title").as_string(), "first");
  EXPECT_EQ(current.at("body").as_string(), "how");
  EXPECT_EQ(current.at("step").to_number<int>(), 1);
  const json::value prime = data(ask("GET", self + "/prime", "", working.token));
  EXPECT_EQ(prime.at("assignment").at("molecule").at("title").as_string(), "first");

  EXPECT_EQ(json::serialize(data(ask("POST", self + "/molecule/advance", R"({"summary":"did it"})", working.token))),
            R"({"moleculeId":)" + json::serialize(made.at("bead_id")) +
                R"(,"previousStep":0,"currentStep":1,"totalSteps":2,"completed":false})");
  clock.pass(seconds(1));
  const json::value last = data(ask("POST", self + "/molecule/advance", R"({"summary":"that too"})", working.token));
  EXPECT_TRUE(last.at("completed").as_bool());
  EXPECT_EQ(ask("POST", self + "/molecule/advance", R"({"summary":"more"})", working.token).status, 404);
  const std::string id(made.at("bead_id").as_string());
  EXPECT_EQ(get(town + "/beads/" + id).at("status").as_string(), "closed");
  EXPECT_EQ(get(town + "/beads/" + working.bead).at("status").as_string(), "in_progress");
}

TEST_F(ApiTest, AnAgentDividesItsOwnBeadOnly) {
  const Working working = working_agent();
  const std::string other = new_bead("of somebody else");
  EXPECT_EQ(ask("POST", rig + "/molecules", molecule(other, {"one"}), working.token).status, 403);
  EXPECT_EQ(ask("GET", rig + "/agents/somebody/molecule/current", "", working.token).status, 403);
  EXPECT_EQ(ask("POST", rig + "/molecules", molecule(working.bead, {"one"}), working.token).status, 201);
  EXPECT_EQ(ask("POST", rig + "/molecules", molecule(working.bead, {"again"}), working.token).status, 409);
}

TEST_F(ApiTest, MoleculesFitExactlyIntoTheirLimits) {
  const Working working = working_agent();
  const auto status = [&](const std::string& formula) {
    return ask("POST", rig + "/molecules", R"({"bead_id":")" + new_bead("x") + R"(","formula":)" + formula + "}", admin)
        .status;
  };
  const auto steps = [&](std::size_t n, const std::string& one) {
    std::string all;
    for (std::size_t i = 0; i < n; ++i) all += (i == 0 ? "" : ",") + one;
    return R"({"steps":[)" + all + "]}";
  };
  const auto titled = [](std::size_t n) { return R"({"title":")" + std::string(n, 'x') + "\"}"; };
  EXPECT_EQ(status(steps(0, "")), 400);
  EXPECT_EQ(status(steps(kStepsLimit, step("s"))), 201);
  EXPECT_EQ(status(steps(kStepsLimit + 1, step("s"))), 413);
  EXPECT_EQ(status(steps(1, titled(kTitleLimit))), 201);
  EXPECT_EQ(status(steps(1, titled(kTitleLimit + 1))), 413);
  EXPECT_EQ(status(steps(1, R"({"title":" "})")), 400);
  EXPECT_EQ(status(steps(1, R"({"title":"t","instruction":"one letter is missing"})")), 400);
  const auto told = [&](std::size_t n) {
    return status(steps(1, R"({"title":"t","instructions":")" + std::string(n, 'x') + "\"}"));
  };
  EXPECT_EQ(told(kBodyLimit), 201);
  EXPECT_EQ(told(kBodyLimit + 1), 413);

  post(rig + "/molecules", molecule(working.bead, {"one", "two"}), 201);
  const auto advance = [&](std::size_t n) {
    return ask("POST", rig + "/agents/" + working.agent + "/molecule/advance",
               R"({"summary":")" + std::string(n, 'x') + "\"}", working.token)
        .status;
  };
  EXPECT_EQ(advance(0), 400);
  EXPECT_EQ(advance(kStepSummaryLimit + 1), 413);
  EXPECT_EQ(advance(kStepSummaryLimit), 200);
}

TEST_F(ApiTest, AConvoyIsChangedUntilItsWorkIsUnderWay) {
  const json::value made =
      post(town + "/convoys", R"({"title":"c","staged":true,"rig_id":"app","tasks":[{"title":"one"}]})", 201);
  const std::string convoy = town + "/convoys/" + std::string(made.at("convoy").at("id").as_string());
  EXPECT_EQ(ask("PATCH", convoy, "{}", admin).status, 400);
  EXPECT_EQ(ask("PATCH", convoy, R"({"feature_branch":"-x"})", admin).status, 400);
  const json::value now = patch(convoy, R"({"merge_mode":"review-and-merge","feature_branch":"plan/b"})");
  EXPECT_EQ(now.at("merge_mode").as_string(), "review-and-merge");
  EXPECT_EQ(now.at("feature_branch").as_string(), "plan/b");
  const Reply taken = ask("PATCH", convoy, R"({"feature_branch":"main"})", admin);
  EXPECT_EQ(taken.status, 409);
  post(convoy + "/start", "{}");
  settle();
  const Reply late = ask("PATCH", convoy, R"({"merge_mode":"review-then-land"})", admin);
  EXPECT_EQ(late.status, 409);
  EXPECT_NE(late.body.find("is running, and an agent is at work on"), std::string::npos) << late.body;
}

TEST_F(ApiTest, AnAgentsProgramSaysWhatItDidAndPeopleReadIt) {
  const Working working = working_agent();
  const auto say = [&](const std::string& agent, const std::string& what, const std::string& token) {
    return ask("POST", rig + "/agent-events",
               R"({"agent_id":")" + agent + R"(","event_type":"message","data":{"text":")" + what + "\"}}", token)
        .status;
  };
  EXPECT_EQ(say(working.agent, "one", working.token), 201);
  EXPECT_EQ(say(working.agent, "two", working.token), 201);
  EXPECT_EQ(say("somebody", "else", working.token), 403);
  EXPECT_EQ(say(working.agent, "in another's name", admin), 403);
  EXPECT_EQ(say(working.agent, std::string(kMailLimit, 'x'), working.token), 413);
  const std::string events = rig + "/agents/" + working.agent + "/events";
  const json::value all = get(events);
  ASSERT_EQ(all.as_array().size(), 2u);
  EXPECT_EQ(all.as_array()[1].at("data").at("text").as_string(), "two");
  EXPECT_EQ(get(events + "?limit=1").as_array().size(), 1u);
  const json::value behind = get(events + "?after_id=" + std::to_string(all.as_array()[0].at("id").as_int64()));
  ASSERT_EQ(behind.as_array().size(), 1u);
  EXPECT_EQ(behind.as_array()[0], all.as_array()[1]);
  EXPECT_EQ(ask("GET", events, "", token_of(kViewer)).status, 200);
  EXPECT_EQ(ask("GET", events, "", token_of(kOperator)).status, 200);
  EXPECT_EQ(ask("GET", rig + "/agents/nobody/events", "", admin).status, 404);
}

TEST_F(ApiTest, StatusSaysWhatIsLeftOfEachBudget) {
  patch(town + "/config", R"({"runs_per_day":1,"usd_per_day":2.5})");
  const json::value before = get(town + "/status").at("budgets");
  EXPECT_EQ(before.at("runs_left").as_int64(), 1);
  EXPECT_EQ(before.at("micro_usd_left").as_int64(), 2'500'000);
  EXPECT_EQ(before.at("slots_left"), before.at("slots"));
  EXPECT_TRUE(before.at("runs_free_at").is_null());
  working_agent();
  const json::value status = get(town + "/status");
  const json::value& after = status.at("budgets");
  EXPECT_EQ(after.at("runs_used").as_int64(), 1);
  EXPECT_EQ(after.at("runs_left").as_int64(), 0);
  EXPECT_EQ(after.at("slots_left").as_int64(), before.at("slots_left").as_int64() - 1);
  EXPECT_TRUE(after.at("runs_free_at").is_string());
  EXPECT_NE(json::serialize(status.at("problems")).find("the budget runs_per_day is spent"), std::string::npos);
  EXPECT_NE(json::serialize(status.at("problems")).find("budget_runs_per_day"), std::string::npos) << "and it is asked";
}

}  // namespace
}  // namespace townd::test
