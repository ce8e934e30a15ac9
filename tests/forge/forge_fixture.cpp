#include "forge_fixture.hpp"

#include "git/clone.hpp"
#include "git/layout.hpp"

namespace townd {

void ForgeTest::SetUp() {
  GitTest::SetUp();
  rig_.rig_id = RigId("rig-1");
  rig_.name = "mine";
  rig_.git_url = make_repository("mine");
  std::filesystem::create_directories(path("data/clones"));
  forge_ = std::make_unique<LocalForge>(program(), path("data"));
}

void ForgeTest::prepare() {
  const auto found = forge_->prepare_rig(town_, rig_);
  ASSERT_TRUE(found) << found.error().what;
  ASSERT_EQ(found->broken_reason, "");
}

std::string ForgeTest::clone(const std::string& run, const std::string& start) const {
  const git::CloneSpec spec{bare(),          path("data/clones/" + run), "gt/toast/" + run, start, "main",
                            "Toast (townd)", "toast@townd.local"};
  const auto made = git::clone_shared(program(), spec);
  EXPECT_TRUE(made) << made.error().what;
  return spec.folder;
}

std::string ForgeTest::commit(const std::string& run, const std::string& file, const std::string& text) const {
  const std::string folder = path("data/clones/" + run);
  return sh("cd '" + folder + "' && mkdir -p \"$(dirname '" + file + "')\" && echo '" + text + "' > '" + file +
            "' && git add . && git commit -q -m '" + text + "' && git rev-parse HEAD");
}

LandSpec ForgeTest::trial(const std::string& trial, const std::string& work) const {
  const std::string folder = clone(trial);
  const std::string base = sh("git -C '" + folder + "' rev-parse HEAD");
  LandSpec spec;
  spec.town_id = town_;
  spec.rig = rig_;
  spec.request_id = BeadId("t-5");
  spec.trial_run_id = RunId(trial);
  spec.target_branch = "main";
  spec.base_commit = base;
  spec.request_commits = {work};
  spec.commit = sh("cd '" + folder + "' && git checkout -q --detach && git merge -q --no-ff -m merge " + work +
                   " && git rev-parse HEAD");
  return spec;
}

LandSpec ForgeTest::request(int n, const std::string& file) {
  const std::string number = std::to_string(n);
  clone("w-" + number);
  const std::string work = commit("w-" + number, file, "work " + number);
  EXPECT_EQ(forge_->collect(run_spec("w-" + number)).value_or("failed"), work);
  return trial("t-" + number, work);
}

CollectSpec ForgeTest::run_spec(const std::string& run) const { return {town_, rig_, RunId(run), "gt/toast/" + run}; }

std::string ForgeTest::tip(const std::string& ref) const {
  return sh("git --git-dir='" + bare() + "' rev-parse --verify -q " + ref + " || true");
}

std::string ForgeTest::mine(const std::string& rev) const { return sh("git -C mine rev-parse " + rev); }

}  // namespace townd
