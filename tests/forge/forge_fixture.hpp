#pragma once

#include <memory>
#include <string>
#include <vector>

#include "forge/local.hpp"
#include "git_fixture.hpp"

namespace townd {

/// A rig made from the owner's repository `<root>/mine`, and what runs do to it.
class ForgeTest : public GitTest {
 protected:
  void SetUp() override;

  /// Makes the rig; it must be usable.
  void prepare();
  /// A run's clone from `start`, on branch `gt/toast/<run>`.
  std::string clone(const std::string& run, const std::string& start = "refs/heads/main") const;
  /// A commit in a run's clone that writes `text` to `file`.
  std::string commit(const std::string& run, const std::string& file, const std::string& text) const;
  /// What a refinery does: run `trial` merges `work` on the target's tip of now. Answers the merge commit.
  LandSpec trial(const std::string& trial, const std::string& work) const;
  /// One request, `file`, worked on by run `w-<n>` and tried by run `t-<n>`.
  LandSpec request(int n, const std::string& file);

  [[nodiscard]] CollectSpec run_spec(const std::string& run) const;
  [[nodiscard]] std::string bare() const { return path("data/rigs/rig-1/repo.git"); }
  /// What a ref of the rig's repository leads to, or nothing.
  [[nodiscard]] std::string tip(const std::string& ref) const;
  [[nodiscard]] std::string mine(const std::string& rev = "main") const;

  TownId town_{"t"};
  Rig rig_;
  std::unique_ptr<LocalForge> forge_;
};

}  // namespace townd
