#include "server/doctor/doctor.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "server/api_fixture.hpp"
#include "server/doctor/finding.hpp"

/// The doctor over HTTP: a whole node with one healthy town, and what is planted in it.
namespace townd::test {
namespace {

class DoctorTest : public ApiTest {
 protected:
  DoctorTest() {
    runtime.node.presets = {{"claude", true, "", {}}, {"refine", true, "", {}}};
    const std::string made = "git init -q --bare " + repository();
    EXPECT_EQ(std::system(made.c_str()), 0);
  }
  [[nodiscard]] std::string repository() const { return in_data("rigs/" + rig_id + "/repo.git"); }

  /// `check subject` of each finding, with `+` in front of what was fixed.
  static std::vector<std::string> findings_of(const json::value& report) {
    std::vector<std::string> lines;
    for (const json::value& finding : report.at("findings").as_array())
      lines.push_back((finding.at("fixed").as_bool() ? "+" : "") + std::string(finding.at("check").as_string()) + " " +
                      std::string(finding.at("subject").as_string()));
    return lines;
  }
  std::vector<std::string> look() { return findings_of(get("/api/doctor")); }
  std::vector<std::string> fix() { return findings_of(post("/api/doctor/fix", "{}")); }
  [[nodiscard]] std::string in_data(const std::string& name) const { return (data_folder / name).string(); }
};

using Lines = std::vector<std::string>;

TEST_F(DoctorTest, FindsNothingInAHealthyNodeAndSaysWhatItLookedAt) {
  working_agent();
  const json::value report = get("/api/doctor");
  EXPECT_EQ(findings_of(report), Lines{});
  EXPECT_EQ(report.at("unmade").as_array().size(), 0u);
  EXPECT_EQ(report.at("made").as_array().size(), doctor::checks().size());
}

TEST_F(DoctorTest, FixesWhatIsSafeAndLeavesTheRest) {
  TokenRow stray;
  stray.id = "stray";
  stray.hash = "0";
  stray.role = "agent";
  stray.town_id = "elsewhere";
  stray.run_id = "x-1";
  ASSERT_TRUE(store.put_token(stray));
  std::ofstream(in_data("admin.token")) << "secret\n";
  ASSERT_EQ(::chmod(in_data("admin.token").c_str(), 0644), 0);
  page_damage = "page 7 is damaged";
  forge.broken_reason = "there is no folder /srv/app";
  forge.host_trouble = "told of where there are pull requests alone";
  const Lines all = {"damaged_page townd.db", "file_mode " + in_data("admin.token"), "useless_token stray",
                     "unreachable_rig " + rig_id};
  EXPECT_EQ(look(), all);
  EXPECT_EQ(look(), all) << "looking changes nothing";
  EXPECT_EQ(fix(), (Lines{all[0], "+" + all[1], "+" + all[2], all[3]}));
  EXPECT_EQ(look(), (Lines{all[0], all[3]}));
  struct stat about {};
  ASSERT_EQ(::stat(in_data("admin.token").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(DoctorTest, AHostThatDoesNotLetTowndInIsToldWhereThereArePullRequests) {
  forge.host_trouble = "github.com: HTTP 403 the token lacks Checks: read";
  EXPECT_EQ(look(), Lines{});
  services->node.github.token = "secret";
  patch(rig, R"({"config":{"no_gates":true,"merge_strategy":"pr"}})");
  EXPECT_EQ(look(), Lines{"unusable_host " + rig_id});
}

TEST_F(DoctorTest, AFileInPlaceOfTheAlertsFolderIsTold) {
  std::ofstream(in_data("alerts")) << "in the way";
  EXPECT_EQ(look(), Lines{"unusable_folder " + in_data("alerts")});
}

TEST_F(DoctorTest, ARepositoryThatIsGoneIsNotMadeByALook) {
  std::filesystem::remove_all(repository());
  EXPECT_EQ(look(), (Lines{"missing_repository " + repository()}));
  EXPECT_FALSE(std::filesystem::exists(repository()));
  EXPECT_EQ(fix(), (Lines{"+missing_repository " + repository()})) << "the forge of this test makes none on disk";
}

/// Whatever takes long between looking and repairing: the town goes on meanwhile.
TEST_F(DoctorTest, ATokenOfARunThatHasBegunSinceStaysGood) {
  for (int n = 1; n <= 40; ++n) {
    TokenRow early;
    early.run_id = "tt-" + std::to_string(n);
    early.id = early.hash = "early-" + early.run_id;
    early.role = "agent";
    early.town_id = "t";
    ASSERT_TRUE(store.put_token(early));
  }
  doctor::Report report = doctor::examine(*services);
  EXPECT_EQ(report.findings.size(), 40u);
  const Working working = working_agent();
  report.repair();
  for (const doctor::Finding& finding : report.findings)
    EXPECT_EQ(finding.fixed, finding.subject != "early-" + working.run) << finding.subject;
  EXPECT_FALSE(std::all_of(report.findings.begin(), report.findings.end(),
                           [](const doctor::Finding& finding) { return finding.fixed; }));
}

TEST_F(DoctorTest, AnEmptyFolderInPlaceOfACloneIsNamedAndLeft) {
  std::filesystem::create_directories(data_folder / "clones" / "gone-7");
  std::filesystem::permissions(data_folder / "clones", std::filesystem::perms::owner_all);
  const Lines clone = {"orphan_clone " + in_data("clones/gone-7")};
  EXPECT_EQ(look(), clone);
  EXPECT_EQ(fix(), clone) << "nobody can say what is in it";
  EXPECT_TRUE(std::filesystem::exists(data_folder / "clones" / "gone-7"));
}

TEST_F(DoctorTest, AnEventThatWaitsForNothingCannotBeTriedAgain) {
  post(town + "/events/1/retry", "{}", 404);
  post(town + "/events/x/retry", "{}", 400);
  post("/api/towns/nowhere/events/1/retry", "{}", 404);
  EXPECT_EQ(ask("POST", town + "/events/1/retry", "{}", token_of(kViewer)).status, 403);
  EXPECT_EQ(ask("GET", "/api/doctor", "", token_of(kViewer)).status, 403);
  EXPECT_EQ(ask("GET", "/api/doctor", "", token_of(kOperator)).status, 200);
}

}  // namespace
}  // namespace townd::test
