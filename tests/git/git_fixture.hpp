#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "git/program.hpp"
#include "git/repository.hpp"

namespace townd {

/// A temporary folder with a HOME whose ~/.gitconfig is as hostile as a git config can be: whatever it makes git run
/// leaves a mark, and every test fails at its end when the mark is there.
class GitTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Runs a shell script in the temporary folder as a person with a plain git would; answers its output without the
  /// last newline. A script that fails fails the test.
  std::string sh(const std::string& script) const;
  [[nodiscard]] std::string path(const std::string& name) const { return (root_ / name).string(); }
  /// A program that leaves the mark; `name` says in it who ran it.
  std::string trap(const std::string& name) const;
  [[nodiscard]] bool sprung() const;
  /// Makes `<root>/<name>` a repository on main with one commit, and answers its path.
  std::string make_repository(const std::string& name) const;
  /// Hooks of every name and settings that run programs, as a hostile `.git` may hold them.
  void plant(const std::string& git_dir) const;
  [[nodiscard]] const git::Program& program() const { return *program_; }
  static void write(const std::string& file, const std::string& text);
  static std::string read(const std::string& file);

 private:
  std::filesystem::path root_;
  std::string old_home_;
  std::unique_ptr<git::Program> program_;
};

}  // namespace townd
