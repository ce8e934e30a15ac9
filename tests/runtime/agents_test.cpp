#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "runtime/sandbox.hpp"
#include "stage.hpp"

extern char** environ;

// The real agent programs against a model that never thinks. TOWND_AGENTS is a folder in which
// `npm i @openai/codex@0.169.0 @anthropic-ai/claude-code@2.1.197` was run, TOWND_MOCK_MODEL the model's program.
namespace townd::test {
namespace {

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// Variables of this process for as long as the object lives.
class Variables {
 public:
  void set(const std::string& name, const std::string& value) {
    const char* old = std::getenv(name.c_str());
    before_.emplace_back(name, old != nullptr ? std::optional<std::string>{old} : std::nullopt);
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  Variables() = default;
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;
  ~Variables() {
    for (auto at = before_.rbegin(); at != before_.rend(); ++at) {
      if (at->second)
        ::setenv(at->first.c_str(), at->second->c_str(), 1);
      else
        ::unsetenv(at->first.c_str());
    }
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

class RealAgents : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* agents = std::getenv("TOWND_AGENTS");
    const char* model = std::getenv("TOWND_MOCK_MODEL");
    if (agents == nullptr || model == nullptr)
      GTEST_SKIP() << "skipped: TOWND_AGENTS and TOWND_MOCK_MODEL name no agent programs and no model";
    if (!bubblewrap()) GTEST_SKIP() << "skipped: " << bubblewrap().error().what;
    port_ = free_port();
    variables_.set("PATH", std::string{agents} + "/node_modules/.bin:" + std::getenv("PATH"));
    variables_.set("MOCK_CMD", "echo made > made.txt && git add made.txt && git commit -qm 'by the model'");
    variables_.set("MOCK_DUMP", "1");
    std::vector<std::string> words{"node", model, std::to_string(port_), dump_.path() + "/log"};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ASSERT_EQ(::posix_spawnp(&model_, "node", nullptr, nullptr, argv.data(), environ), 0);
    ASSERT_TRUE(eventually([&] {
      return std::system(("curl -sf http://127.0.0.1:" + std::to_string(port_) + "/v1/models > /dev/null").c_str()) ==
             0;
    }));
  }
  void TearDown() override {
    if (model_ <= 0) return;
    ::kill(model_, SIGKILL);
    ::waitpid(model_, nullptr, 0);
  }

  /// One run of a preset, which must end well with the model's commit; then what reached the model.
  void work(const std::string& preset) {
    Stage stage;
    auto spec = stage.script_run("x-10", "Turn it to eleven.");
    spec.assignment.rig.config.sandbox = "bwrap";
    spec.assignment.preset = preset;
    spec.assignment.gates = {"make check-the-pump"};
    spec.assignment.attempts = {{RunId{"x-9"}, "crashed", "ran out of steam"}};
    const auto started = stage.runtime().start(spec);
    ASSERT_TRUE(started) << started.error().what;
    const auto end = stage.ended("x-10");
    EXPECT_EQ(end.state, ProcessState::exited) << end.reason << "\n" << end.detail;
    EXPECT_GT(end.sign.tokens, 0);
    EXPECT_EQ(sh("git -C " + stage.clone("x-10") + " log -1 --format='%s by %an'"),
              "by the model by Furiosa (townd)\n");
    const auto heard = read_file(dump_.path() + "/log.full");
    for (const auto* part : {"worker agent", "Say hello", "Turn it to eleven.", "gt/furiosa/x-2", "make check-the-pump",
                             "ran out of steam"})
      EXPECT_NE(heard.find(part), std::string::npos) << part << " did not reach the model";

    ASSERT_TRUE(stage.runtime().can_remind(RunId{"x-10"}));
    ASSERT_TRUE(stage.runtime().remind(spec));
    const auto again = stage.ended("x-10");
    EXPECT_EQ(again.state, ProcessState::exited) << again.reason << "\n" << again.detail;
    EXPECT_NE(read_file(dump_.path() + "/log.full").find("not handed in bead x-2"), std::string::npos);
  }

  Folder dump_;
  Variables variables_;
  int port_ = 0;
  pid_t model_ = 0;
};

TEST_F(RealAgents, ClaudeIsToldItsWorkAndResumed) {
  const Folder config;
  variables_.set("ANTHROPIC_BASE_URL", "http://127.0.0.1:" + std::to_string(port_));
  variables_.set("ANTHROPIC_API_KEY", "dummy");
  variables_.set("ANTHROPIC_MODEL", "mock-1");
  variables_.set("CLAUDE_CONFIG_DIR", config.path());
  work("claude");
}

TEST_F(RealAgents, CodexIsToldItsWorkAndResumed) {
  const Folder config;
  write_file(config.path() + "/config.toml",
             "model = \"mock-1\"\nmodel_provider = \"mock\"\n[model_providers.mock]\nname = \"mock\"\nbase_url = "
             "\"http://127.0.0.1:" +
                 std::to_string(port_) + "/v1\"\nenv_key = \"OPENAI_API_KEY\"\nwire_api = \"responses\"\n");
  variables_.set("OPENAI_API_KEY", "dummy");
  variables_.set("CODEX_HOME", config.path());
  work("codex");
}

}  // namespace
}  // namespace townd::test
