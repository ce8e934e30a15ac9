#include <gtest/gtest.h>

#include "cli/commands.hpp"
#include "page.hpp"
#include "server/doctor/finding.hpp"

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

TEST(Documents, every_check_of_the_doctor_has_one_row_with_its_meaning) {
  const auto said = table_of("doctor.md");
  EXPECT_EQ(said.size(), doctor::checks().size() + 2) << "machine and daemon are town's own";
  for (const doctor::Check& check : doctor::checks()) {
    const auto row = said.find(std::string(check.name));
    ASSERT_NE(row, said.end()) << check.name;
    EXPECT_EQ(row->second.at(1), check.meaning);
  }
}

}  // namespace
}  // namespace townd
