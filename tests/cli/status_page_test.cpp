#include "cli/status_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

namespace townd::cli {
namespace {

using testing::HasSubstr;

class StatusPageTest : public testing::Test {
 protected:
  ~StatusPageTest() override { std::fclose(out_); }

  std::vector<std::string> page() const { return status_page(Terminal(out_, out_, false), now_); }
  /// The place of the first line that has these words.
  std::size_t line_with(const std::string& words) const {
    const auto lines = page();
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (lines[i].find(words) != std::string::npos) return i;
    ADD_FAILURE() << "no line has " << words;
    return lines.size();
  }

  std::FILE* out_ = std::tmpfile();
  TownNow now_{
      json::parse(R"({
      "town": {"name": "shop"}, "paused": true,
      "problems": [{"id": "sh-9", "problem": "needs a person"}],
      "quarantine": [{"seq": 4, "event_type": "bead_added", "reason": "of another town"}],
      "beads": {"open": 3, "inProgress": 1}, "agents": {"working": 1},
      "rigs": [{"name": "web", "ready": 2, "queue": 1, "usable": true, "gates": []}]})"),
      json::parse(R"([{"bead_id": "sh-1", "status": "in_progress", "type": "issue", "title": "Fix it"},
                               {"bead_id": "sh-2", "status": "in_progress", "type": "convoy", "title": "All of it"}])")
          .as_array(),
      json::parse(R"([{"name": "Ada", "current_hook_bead_id": "sh-1", "agent_status_message": "at it"}])").as_array()};
};

TEST_F(StatusPageTest, ShowsProblemsFirstThenWhatMovesThenTheRest) {
  EXPECT_THAT(page().front(), testing::StartsWith("shop  paused"));
  EXPECT_LT(line_with("sh-9  needs a person"), line_with("event 4 bead_added could not be applied: of another town"));
  EXPECT_LT(line_with("could not be applied"), line_with("Fix it"));
  EXPECT_LT(line_with("Fix it"), line_with("3 open, 1 in progress"));
  EXPECT_LT(line_with("3 open"), line_with("Rig web: 2 ready, 1 waiting to be merged, no gates"));
}

TEST_F(StatusPageTest, NamesTheAgentThatIsOnABeadAndWhatItSays) {
  const std::string line = page()[line_with("sh-1")];
  EXPECT_THAT(line, HasSubstr("Ada"));
  EXPECT_THAT(line, HasSubstr("at it"));
  for (const std::string& other : page())
    EXPECT_EQ(other.find("All of it"), std::string::npos) << "convoys move nothing";
}

TEST_F(StatusPageTest, ShowsWordsFromOutsideEscapedEachInItsLine) {
  now_.status.as_object()["problems"] = json::parse(R"([{"id": "sh-9", "problem": "a\u001b[2Jb\nc"}])");
  now_.beads[0].as_object()["title"] = "x\033[31m\ny";
  now_.agents[0].as_object()["agent_status_message"] = "\xe2\x80\xaez";
  line_with("a\\x1b[2Jb\\nc");
  line_with("x\\x1b[31m\\ny");
  line_with("\\u202ez");
}

}  // namespace
}  // namespace townd::cli
