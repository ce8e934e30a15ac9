#include <gtest/gtest.h>

#include "cli/commands.hpp"
#include "page.hpp"

namespace townd {
namespace {

TEST(Documents, every_command_has_one_row_with_its_summary) {
  const auto said = table_of("commands.md");
  EXPECT_EQ(said.size(), cli::all_commands().size());
  for (const cli::Command& command : cli::all_commands()) {
    const auto row = said.find("town " + command.path);
    ASSERT_NE(row, said.end()) << command.path;
    EXPECT_EQ(row->second.at(1), command.summary);
  }
}

}  // namespace
}  // namespace townd
