#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "git/spawn.hpp"
#include "runtime/sandbox.hpp"
#include "stage.hpp"

extern char** environ;

// The real agent programs against a model that never thinks (mock-model.mjs). TOWND_AGENTS is a folder in which
// scripts/agents has installed them; without it, what PATH has is taken.
namespace townd::test {
namespace {

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
    if (const char* agents = std::getenv("TOWND_AGENTS"))
      variables_.set("PATH", std::string{agents} + "/node_modules/.bin:" + own_path());
    if (!bubblewrap()) GTEST_SKIP() << "skipped: " << bubblewrap().error().what;
    variables_.set("MOCK_CMD", "echo made > made.txt && git add made.txt && git commit -qm 'by the model'");
    variables_.set("MOCK_DUMP", "1");
  }

  /// Starts the model; false, with the reason, when it or the agent program is not installed.
  bool ready(const std::string& agent) {
    for (const std::string program : {"node", agent.c_str()})
      if (find_program(program, own_path()).empty()) {
        missing_ = program + " is not installed; TOWND_AGENTS may name a folder that has the agent programs";
        return false;
      }
    const std::string said = dump_.path() + "/port";
    std::vector<std::string> words{"node", TOWND_SOURCE "/tests/runtime/mock-model.mjs", "0", dump_.path() + "/log"};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, 1, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int failed = ::posix_spawnp(&model_, "node", &files, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    EXPECT_EQ(failed, 0);
    EXPECT_TRUE(eventually([&] { return read_file(said).ends_with("\n"); }));
    address_ = "http://127.0.0.1:" + std::to_string(std::stoi(read_file(said)));
    return true;
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
  std::string missing_;
  std::string address_;  ///< of the model
  pid_t model_ = 0;
};

TEST_F(RealAgents, ClaudeIsToldItsWorkAndResumed) {
  if (!ready("claude")) GTEST_SKIP() << "skipped: " << missing_;
  const Folder config;
  variables_.set("ANTHROPIC_BASE_URL", address_);
  variables_.set("ANTHROPIC_API_KEY", "dummy");
  variables_.set("ANTHROPIC_MODEL", "mock-1");
  variables_.set("CLAUDE_CONFIG_DIR", config.path());
  work("claude");
}

TEST_F(RealAgents, CodexIsToldItsWorkAndResumed) {
  if (!ready("codex")) GTEST_SKIP() << "skipped: " << missing_;
  const Folder config;
  write_file(config.path() + "/config.toml",
             "model = \"mock-1\"\nmodel_provider = \"mock\"\n[model_providers.mock]\nname = \"mock\"\nbase_url = \"" +
                 address_ + "/v1\"\nenv_key = \"OPENAI_API_KEY\"\nwire_api = \"responses\"\n");
  variables_.set("OPENAI_API_KEY", "dummy");
  variables_.set("CODEX_HOME", config.path());
  work("codex");
}

TEST_F(RealAgents, GeminiIsToldItsWorkAndResumed) {
  if (!ready("gemini")) GTEST_SKIP() << "skipped: " << missing_;
  const Folder home;
  sh("mkdir -p " + home.path() + "/.gemini");
  write_file(home.path() + "/.gemini/settings.json", R"({"security":{"auth":{"selectedType":"gemini-api-key"}}})");
  variables_.set("HOME", home.path());
  variables_.set("GEMINI_API_KEY", "dummy");
  variables_.set("GEMINI_MODEL", "mock-1");
  variables_.set("GOOGLE_GEMINI_BASE_URL", address_);
  work("gemini");
}

TEST_F(RealAgents, QwenIsToldItsWorkAndResumed) {
  if (!ready("qwen")) GTEST_SKIP() << "skipped: " << missing_;
  const Folder home;
  sh("mkdir -p " + home.path() + "/.qwen");
  write_file(home.path() + "/.qwen/settings.json", R"({"security":{"auth":{"selectedType":"openai"}}})");
  variables_.set("HOME", home.path());
  variables_.set("OPENAI_API_KEY", "dummy");
  variables_.set("OPENAI_MODEL", "mock-1");
  variables_.set("OPENAI_BASE_URL", address_ + "/v1");
  work("qwen");
}

/// The configuration of opencode, and of kilo, which is made from it.
std::string openish_config(const std::string& address) {
  return R"({"model":"mock/mock-1","small_model":"mock/mock-1","share":"disabled","enabled_providers":["mock"],)"
         R"("provider":{"mock":{"npm":"@ai-sdk/openai-compatible","name":"Mock","options":{"baseURL":")" +
         address + R"(/v1","apiKey":"dummy"},"models":{"mock-1":{"name":"Mock 1","tool_call":true,)" +
         R"("limit":{"context":100000,"output":4096}}}}}})";
}

TEST_F(RealAgents, OpencodeIsToldItsWorkAndResumed) {
  if (!ready("opencode")) GTEST_SKIP() << "skipped: " << missing_;
  const Folder home;
  variables_.set("HOME", home.path());
  variables_.set("OPENCODE_CONFIG_CONTENT", openish_config(address_));
  work("opencode");
}

TEST_F(RealAgents, KiloIsToldItsWorkAndResumed) {
  if (!ready("kilo")) GTEST_SKIP() << "skipped: " << missing_;
  const Folder home;
  variables_.set("HOME", home.path());
  variables_.set("KILO_CONFIG_CONTENT", openish_config(address_));
  work("kilo");
}

}  // namespace
}  // namespace townd::test
