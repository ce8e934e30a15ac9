#include "runtime/stream.hpp"

#include <gtest/gtest.h>

#include "runtime/preset.hpp"
#include "runtime/verdict.hpp"
#include "stage.hpp"

namespace townd::test {
namespace {

Preset preset(const std::string& name) { return load_presets({TOWND_SOURCE "/share/presets"}).value().at(name); }

std::string recorded(const std::string& name) {
  return read_file(TOWND_SOURCE "/tests/runtime/streams/" + name + ".jsonl");
}

StreamReader reader(const std::string& name, std::size_t cut = 0) {
  StreamReader stream{preset(name.substr(0, name.find('-'))).stream};
  const auto text = recorded(name);
  EXPECT_FALSE(text.empty()) << name;
  if (cut == 0) {
    stream.take(text);
  } else {
    for (std::size_t at = 0; at < text.size(); at += cut) stream.take(std::string_view{text}.substr(at, cut));
  }
  return stream;
}

RunVerdict verdict(const std::string& preset_name, const std::string& stream, int code) {
  run_folder::Status status;
  status.state = "exited";
  status.code = code;
  return judge(preset(preset_name), status, reader(stream));
}

TEST(ClaudeStream, CountsTokensAndCostOfARealRun) {
  const auto stream = reader("claude-good");
  EXPECT_EQ(stream.tokens(), 280);
  EXPECT_EQ(stream.cost_micro_usd(), 2200);
  EXPECT_EQ(stream.last_event_type(), "result");
  EXPECT_EQ(stream.error(), "");
  EXPECT_TRUE(stream.active_tools().empty());
}

TEST(ClaudeStream, NamesTheToolThatIsRunning) {
  const auto text = recorded("claude-good");
  StreamReader stream{Preset::Stream::claude};
  stream.take(std::string_view{text}.substr(0, text.find("\"type\":\"user\"")));
  stream.take("");
  EXPECT_EQ(stream.active_tools(), std::vector<std::string>{"Bash"});
}

TEST(ClaudeStream, ReadsIsErrorAndNotTheSubtypeThatSaysSuccess) {
  EXPECT_NE(recorded("claude-dead").find("\"subtype\":\"success\""), std::string::npos);
  EXPECT_NE(reader("claude-dead").error().find("Unable to connect"), std::string::npos);
  EXPECT_EQ(verdict("claude", "claude-dead", 1).reason, "crashed");
  EXPECT_EQ(verdict("claude", "claude-dead", 0).state, ProcessState::failed) << "even with exit code 0";
}

TEST(ClaudeStream, TellsLoginAndLimitsApart) {
  EXPECT_EQ(verdict("claude", "claude-401", 1).reason, "not_logged_in");
  EXPECT_EQ(verdict("claude", "claude-logged-out", 1).reason, "not_logged_in");
  EXPECT_EQ(verdict("claude", "claude-429", 1).reason, "rate_limited");
  EXPECT_EQ(verdict("claude", "claude-good", 0).reason, "");
}

TEST(CodexStream, CountsTokensOfARealRun) {
  const auto stream = reader("codex-good");
  EXPECT_EQ(stream.tokens(), 280);
  EXPECT_EQ(stream.error(), "");
  EXPECT_TRUE(stream.active_tools().empty());
}

TEST(CodexStream, TellsLoginAndLimitsApart) {
  EXPECT_EQ(verdict("codex", "codex-401", 1).reason, "not_logged_in");
  EXPECT_EQ(verdict("codex", "codex-429", 1).reason, "rate_limited");
  EXPECT_EQ(verdict("codex", "codex-dead", 1).reason, "crashed");
  EXPECT_EQ(verdict("codex", "codex-good", 0).reason, "");
}

TEST(GeminiStream, CountsTokensOfARealRun) {
  const auto stream = reader("gemini-good");
  EXPECT_EQ(stream.tokens(), 280);
  EXPECT_EQ(stream.last_event_type(), "result");
  EXPECT_EQ(stream.error(), "");
  EXPECT_TRUE(stream.active_tools().empty());
}

TEST(GeminiStream, NamesTheToolThatIsRunning) {
  const auto text = recorded("gemini-good");
  StreamReader stream{Preset::Stream::gemini};
  stream.take(std::string_view{text}.substr(0, text.find("{\"type\":\"tool_result\"")));
  EXPECT_EQ(stream.active_tools(), std::vector<std::string>{"run_shell_command"});
}

TEST(GeminiStream, TellsLoginAndLimitsApart) {
  EXPECT_EQ(verdict("gemini", "gemini-401", 1).reason, "not_logged_in");
  EXPECT_EQ(verdict("gemini", "gemini-logged-out", 41).reason, "not_logged_in") << "it says so beside its events only";
  EXPECT_EQ(verdict("gemini", "gemini-429", 1).reason, "rate_limited");
  EXPECT_EQ(verdict("gemini", "gemini-dead", 1).reason, "crashed");
  EXPECT_EQ(verdict("gemini", "gemini-good", 0).reason, "");
}

TEST(OpencodeStream, CountsTokensOfARealRun) {
  for (const auto* name : {"opencode-good", "kilo-good"}) {
    const auto stream = reader(name);
    EXPECT_EQ(stream.tokens(), 280) << name;
    EXPECT_EQ(stream.error(), "") << name;
    EXPECT_EQ(stream.last_event_type(), "step_finish") << name;
  }
}

TEST(OpencodeStream, CountsWhatASayingCosts) {
  StreamReader stream{Preset::Stream::opencode};
  stream.take(R"({"type":"step_finish","part":{"cost":0.0021,"tokens":{"input":1,"cache":{"read":5,"write":2}}}})"
              "\n");
  EXPECT_EQ(stream.cost_micro_usd(), 2100);
  EXPECT_EQ(stream.tokens(), 8);
}

TEST(OpencodeStream, TellsLoginAndLimitsApart) {
  for (const std::string program : {"opencode", "kilo"}) {
    EXPECT_EQ(verdict(program, program + "-401", 1).reason, "not_logged_in") << program;
    EXPECT_EQ(verdict(program, program + "-429", 0).reason, "rate_limited") << "even with exit code 0";
    EXPECT_EQ(verdict(program, program + "-good", 0).reason, "") << program;
  }
  EXPECT_EQ(verdict("kilo", "kilo-dead", 0).reason, "crashed");
}

TEST(QwenStream, CountsTokensOfARealRun) {
  const auto stream = reader("qwen-good");
  EXPECT_EQ(stream.tokens(), 280);
  EXPECT_EQ(stream.error(), "");
}

TEST(QwenStream, ReadsTheErrorThatStandsWhereAnAnswerShould) {
  EXPECT_NE(recorded("qwen-401").find("\"is_error\":false"), std::string::npos);
  EXPECT_EQ(verdict("qwen", "qwen-401", 0).reason, "not_logged_in");
  EXPECT_EQ(verdict("qwen", "qwen-logged-out", 1).reason, "not_logged_in");
  EXPECT_EQ(verdict("qwen", "qwen-dead", 0).reason, "crashed");
  EXPECT_EQ(verdict("qwen", "qwen-good", 0).reason, "");
}

TEST(Streams, KeepTheLastWordsThatAreNoEvent) {
  StreamReader stream{Preset::Stream::codex};
  stream.take("Error: no\n    at somewhere (file.js:1)\n}\n{\"type\":\"turn.started\"}\n");
  EXPECT_EQ(stream.last_words(), "Error: no");
}

TEST(Streams, ReadTheSameHoweverTheyAreCut) {
  for (const auto* name : {"claude-good", "claude-429", "codex-good", "codex-401", "gemini-401", "opencode-good",
                           "kilo-401", "qwen-401"}) {
    const auto whole = reader(name);
    for (const std::size_t cut : {1u, 7u, 1000u}) {
      const auto parts = reader(name, cut);
      EXPECT_EQ(parts.tokens(), whole.tokens()) << name;
      EXPECT_EQ(parts.error(), whole.error()) << name;
    }
  }
}

TEST(Streams, SkipWhatIsNoEvent) {
  StreamReader stream{Preset::Stream::claude};
  stream.take(
      "plain "
      "text\n{\"type\":3}\n[]\n{\"type\":\"result\",\"usage\":{\"input_tokens\":-5,\"output_tokens\":1e300}}\n{"
      "broken\n");
  EXPECT_EQ(stream.tokens(), 0);
  stream.take(std::string(5u << 20, '{') + "\n{\"type\":\"result\",\"usage\":{\"input_tokens\":7}}\n");
  EXPECT_EQ(stream.tokens(), 7);
}

}  // namespace
}  // namespace townd::test
