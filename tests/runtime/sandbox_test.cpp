#include "runtime/sandbox.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "stage.hpp"

namespace townd::test {
namespace {

/// A sandboxed run that tries ways out. What it must not reach is laid out for it first, so that only the sandbox can
/// be what keeps it away.
class Sandbox : public ::testing::Test {
 protected:
  void SetUp() override {
    if (bubblewrap()) return;
    const char* required = std::getenv("TOWND_REQUIRE_SANDBOX");
    if (required != nullptr && std::string{required} == "1") FAIL() << bubblewrap().error().what;
    GTEST_SKIP() << "skipped: " << bubblewrap().error().what;
  }

  /// Runs a script in the sandbox; its output. Inside, $DATA is the data folder.
  std::string inside(const std::string& script, const std::string& run = "x-10") {
    auto spec = stage.script_run(run, "DATA=" + stage.data() + "\n" + script);
    spec.assignment.rig.config.sandbox = "bwrap";
    const auto started = stage.runtime().start(spec);
    EXPECT_TRUE(started) << (started ? "" : started.error().what + started.error().hint);
    if (!started) return {};
    stage.ended(run);
    return *stage.runtime().log(RunId{run}, 0, 1 << 16);
  }

  /// A way out that must fail: `attempt` ends well only when it got out.
  void must_fail(const std::string& attempt) {
    const auto said = inside("if ( " + attempt + " ) 2>&1; then echo GOT OUT; else echo kept in; fi");
    EXPECT_NE(said.find("kept in"), std::string::npos) << said;
    EXPECT_EQ(said.find("GOT OUT"), std::string::npos) << said;
  }

  Stage stage;
};

/// A socket of townd or of an engine that somebody listens on.
class Listening {
 public:
  explicit Listening(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::filesystem::create_directories(std::filesystem::path{path}.parent_path());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << path;
    ::listen(fd_, 4);
  }
  ~Listening() { ::close(fd_); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

 private:
  int fd_;
};

std::string connects_to(const std::string& path) {
  return "perl -MIO::Socket::UNIX -e 'exit(IO::Socket::UNIX->new(Peer => \"" + path + "\") ? 0 : 1)'";
}

TEST_F(Sandbox, LetsAnAgentWorkInItsClone) {
  const auto said = inside(
      "git commit -q --allow-empty -m inside && git log --format=%s -1; echo x > \"$HOME/y\"; echo z > /tmp/z; "
      "cat /tmp/z; command -v townd-shim; git show origin/main:file");
  EXPECT_EQ(said, "inside\nz\n" + stage.settings.bin + "/townd-shim\nhello\n");
}

TEST_F(Sandbox, FindsTownInALoginShellToo) {
  EXPECT_EQ(inside("bash -lc 'command -v townd-shim'"), stage.settings.bin + "/townd-shim\n");
}

TEST_F(Sandbox, TellsTheExitCodeOfItsAgent) {
  inside("true");
  auto spec = stage.script_run("x-11", "exit 75");
  spec.assignment.rig.config.sandbox = "bwrap";
  ASSERT_TRUE(stage.runtime().start(spec));
  EXPECT_EQ(stage.ended("x-11").reason, "task_failed");
}

TEST_F(Sandbox, LetsAnAgentReachTheAgentSocket) {
  const auto path = stage.data() + "/door/agent.sock";
  stage.settings.agent_socket = path;
  stage.restart_daemon();
  const Listening agent{path};
  EXPECT_EQ(inside("if " + connects_to(path) + "; then echo reached; fi"), "reached\n");
}

TEST_F(Sandbox, LetsAnAgentAtWorkReachTheSocketOfATowndThatStartedAgain) {
  const auto path = stage.data() + "/door/agent.sock";
  std::filesystem::create_directory(stage.data() + "/door");
  stage.settings.agent_socket = path;
  stage.restart_daemon();
  auto spec =
      stage.script_run("x-12", "touch waiting; until " + connects_to(path) + " 2>/dev/null; do :; done; echo reached");
  spec.assignment.rig.config.sandbox = "bwrap";
  ASSERT_TRUE(stage.runtime().start(spec));
  const Listening agent{path};
  stage.ended("x-12");
  EXPECT_EQ(*stage.runtime().log(RunId{"x-12"}, 0, 100), "reached\n");
}

TEST_F(Sandbox, RunsSetUpInsideToo) {
  write_file(stage.data() + "/admin.token", "secret");
  auto spec = stage.script_run("x-10", "cat made");
  spec.assignment.rig.config.sandbox = "bwrap";
  spec.assignment.rig.config.setup = "echo by setup > made; ! cat " + stage.data() + "/admin.token 2>/dev/null";
  ASSERT_TRUE(stage.runtime().start(spec));
  stage.ended("x-10");
  EXPECT_EQ(*stage.runtime().log(RunId{"x-10"}, 0, 100), "by setup\n");
}

TEST_F(Sandbox, GivesTheProgramOtherArgumentsInsideThanOutside) {
  write_file(stage.folder() + "/presets/mine.toml",
             "command = \"sh\"\nrun = [\"-c\", \"echo $0 $MINE\"]\ninside = [\"inside\"]\noutside = [\"{clone}/x\"]\n"
             "[set_inside]\nMINE = \"set\"\n");
  stage.restart_daemon();
  for (const auto* sandbox : {"bwrap", "none"}) {
    auto spec = stage.script_run(std::string{"x-"} + sandbox, "");
    spec.assignment.preset = "mine";
    spec.assignment.rig.config.sandbox = sandbox;
    ASSERT_TRUE(stage.runtime().start(spec));
    stage.ended(spec.assignment.run_id.text);
  }
  EXPECT_EQ(*stage.runtime().log(RunId{"x-bwrap"}, 0, 1000), "inside set\n");
  EXPECT_EQ(*stage.runtime().log(RunId{"x-none"}, 0, 1000), stage.clone("x-none") + "/x\n");
}

// The twelve ways out of the issue, §5.

TEST_F(Sandbox, KeepsTheAdminTokenAway) {
  write_file(stage.data() + "/admin.token", "secret");
  must_fail("cat $DATA/admin.token");
}

TEST_F(Sandbox, KeepsTheBareRepositoryFromBeingWritten) {
  must_fail(
      "touch $DATA/rigs/x-1/repo.git/hooks/post-update || "
      "{ git commit -q --allow-empty -m evil && git push $DATA/rigs/x-1/repo.git HEAD:refs/heads/evil; } || "
      "git -C $DATA/rigs/x-1/repo.git update-ref refs/heads/evil main");
  EXPECT_FALSE(exists(stage.data() + "/rigs/x-1/repo.git/refs/heads/evil"));
}

TEST_F(Sandbox, KeepsOtherClonesAway) {
  write_file(stage.data() + "/clones/x-99/file", "other");
  must_fail("cat $DATA/clones/x-99/file || echo evil > $DATA/clones/x-99/file");
  EXPECT_EQ(read_file(stage.data() + "/clones/x-99/file"), "other");
}

TEST_F(Sandbox, KeepsTheRunsFolderAway) {
  must_fail("echo evil > $DATA/runs/x-10/status");
  EXPECT_EQ(KeeperLink{stage.run_folder("x-10")}.status()->state, "exited");
}

TEST_F(Sandbox, KeepsTowndAndShimsFromSignalsAndTracing) {
  const auto pid = std::to_string(::getpid());
  must_fail("kill -0 " + pid + " || test -d /proc/" + pid +
            "/task || kill -0 $(cat /proc/[0-9]*/comm | grep -c townd-shim | "
            "grep -v '^0$')");
}

TEST_F(Sandbox, KeepsTowndsOwnSocketAway) {
  const auto path = stage.data() + "/townd.sock";
  const Listening townd{path};
  must_fail(connects_to(path));
}

TEST_F(Sandbox, KeepsEngineSocketsAway) {
  // The real places, when we may write there; else the masks alone are looked at.
  const std::string path = "/run/townd-test-" + std::to_string(::getpid()) + "/docker.sock";
  if (::access("/run", W_OK) == 0) {
    const Listening engine{path};
    must_fail(connects_to(path));
    std::filesystem::remove_all(std::filesystem::path{path}.parent_path());
  } else {
    must_fail("test -e /run/docker.sock || test -e /var/run/docker.sock || test -e /run/podman");
  }
}

TEST_F(Sandbox, KeepsHomesAway) {
  const Folder home;
  write_file(home.path() + "/.ssh/id_ed25519", "key");
  const std::string before = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  ::setenv("HOME", home.path().c_str(), 1);
  must_fail("cat " + home.path() +
            "/.ssh/id_ed25519 || cat ~/.ssh/id_ed25519 || find /home /root -mindepth 1 | grep .");
  ::setenv("HOME", before.c_str(), 1);
}

TEST_F(Sandbox, KeepsLinksAndDotsOutOfTheCloneFromLeadingAnywhere) {
  write_file(stage.data() + "/clones/secret", "secret");
  must_fail("ln -s $DATA/clones/secret link && cat link || cat ../secret || ln -s $DATA/admin out && echo x > out");
}

TEST_F(Sandbox, KeepsTowndsEnvironmentAway) {
  must_fail("cat /proc/" + std::to_string(::getpid()) + "/environ || grep -qz TOWND_TEST_SECRET /proc/[0-9]*/environ");
}

TEST_F(Sandbox, KeepsForgeTokensOutOfTheEnvironment) {
  ::setenv("GITHUB_TOKEN", "forge-secret", 1);
  must_fail("env | grep forge-secret || grep -qz forge-secret /proc/[0-9]*/environ");
  ::unsetenv("GITHUB_TOKEN");
}

TEST_F(Sandbox, KeepsADoubleForkFromLivingPastAStop) {
  auto spec = stage.script_run("x-10",
                               "(setsid sh -c 'trap \"\" TERM; while :; do echo beat >> beats; sleep 0.01; done' &) ; "
                               "until [ -s beats ]; do :; done; echo ready; exec sleep 100");
  spec.assignment.rig.config.sandbox = "bwrap";
  ASSERT_TRUE(stage.runtime().start(spec));
  stage.observe("x-10", [](const auto& o) { return o.sign.last_event_at.has_value(); });
  const auto status = *KeeperLink{stage.run_folder("x-10")}.status();
  ASSERT_TRUE(stage.runtime().stop(RunId{"x-10"}));
  EXPECT_FALSE(alive(static_cast<int>(status.keeper_pid)));
  // Nobody is left who has the clone's path in its environment.
  EXPECT_EQ(sh("grep -lz 'TOWN_CLONE=" + stage.clone("x-10") + "' /proc/[0-9]*/environ 2>/dev/null || true"), "");
}

TEST(SandboxMissing, RefusesAnAgentWhoseRigDidNotSayNone) {
  if (bubblewrap()) GTEST_SKIP() << "skipped: bubblewrap works here";
  Stage stage;
  auto spec = stage.script_run("x-10", "true");
  spec.assignment.rig.config.sandbox = "bwrap";
  const auto refused = stage.runtime().start(spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Error::Code::forbidden);
}

}  // namespace
}  // namespace townd::test
