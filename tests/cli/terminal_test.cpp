#include "cli/terminal.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "codec/json.hpp"

namespace townd::cli {
namespace {

TEST(Shown, LeavesOrdinaryTextOfAnyLanguageAlone) { EXPECT_EQ(shown("Grüße, 世界 👍"), "Grüße, 世界 👍"); }

TEST(Shown, EscapesWhatMovesTheCursorOrChangesTheTerminal) {
  EXPECT_EQ(shown("a\x1b[31mred\x07"), "a\\x1b[31mred\\x07");
  EXPECT_EQ(shown("a\rb"), "a\\x0db");
  EXPECT_EQ(shown("\xc2\x9b"), "\\x9b");
}

TEST(Shown, EscapesWhatMakesTextReadInAnotherOrder) {
  EXPECT_EQ(shown("safe\xe2\x80\xae"
                  "fdp.exe"),
            "safe\\u202efdp.exe");
  EXPECT_EQ(shown("\xe2\x81\xa6"), "\\u2066");
}

TEST(Shown, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(shown("a\xff"
                  "b"),
            "a\\xffb");
  EXPECT_EQ(shown("\xc0\xaf"), "\\xc0\\xaf") << "an overlong slash";
  EXPECT_EQ(shown("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half a surrogate pair";
  EXPECT_EQ(shown("\xe2\x82"), "\\xe2\\x82") << "cut short";
}

TEST(Shown, KeepsLinesOnlyWhereAskedTo) {
  EXPECT_EQ(shown("a\n\tb"), "a\\n\\tb");
  EXPECT_EQ(shown("a\n\tb", Keep::lines), "a\n\tb");
}

TEST(Cut, CountsCharactersAndNotBytes) {
  EXPECT_EQ(cut("äöü", 3), "äöü");
  EXPECT_EQ(cut("äöüß", 3), "äö…");
}

class TerminalOutput : public testing::Test {
 protected:
  /// What a terminal with these settings prints for `value`, and whether it had it.
  std::pair<std::string, bool> printed(bool json, const std::string& member, const json::value& value) {
    std::FILE* out = std::tmpfile();
    Terminal terminal(out, err_, json, member);
    const bool had = terminal.value(value);
    terminal.line("for people");
    terminal.flush();
    const std::string text = contents(out);
    std::fclose(out);
    return {text, had};
  }
  ~TerminalOutput() override { std::fclose(err_); }
  static std::string contents(std::FILE* file) {
    std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
    std::rewind(file);
    text.resize(std::fread(text.data(), 1, text.size(), file));
    return text;
  }

  std::FILE* err_ = std::tmpfile();
};

TEST_F(TerminalOutput, PrintsJsonAndNothingElseWhenJsonIsWanted) {
  EXPECT_EQ(printed(true, "", json::parse(R"({"a":1})")).first, "{\"a\":1}\n");
}

TEST_F(TerminalOutput, PrintsOneMemberWithoutQuotesWhenItIsNamed) {
  const json::value value = json::parse(R"({"bead":{"id":"x-1","labels":["a","b"]}})");
  EXPECT_EQ(printed(false, "bead.id", value).first, "x-1\n");
  EXPECT_EQ(printed(false, "bead.labels.1", value).first, "b\n");
  EXPECT_EQ(printed(false, "bead.labels", value).first, "[\"a\",\"b\"]\n");
}

TEST_F(TerminalOutput, SaysThatAMemberIsNotThere) {
  const auto [text, had] = printed(false, "bead.title", json::parse(R"({"bead":{"title":null}})"));
  EXPECT_FALSE(had);
  EXPECT_EQ(text, "");
  EXPECT_NE(contents(err_).find(R"("error":"\"bead.title\" is not set")"), std::string::npos);
  printed(false, "bead.titel", json::parse(R"({"bead":{}})"));
  EXPECT_NE(contents(err_).find(R"(the answer has no \"bead.titel\")"), std::string::npos);
}

}  // namespace
}  // namespace townd::cli
