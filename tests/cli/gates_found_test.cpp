#include "cli/gates_found.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace townd::cli {
namespace {

class GatesFound : public testing::Test {
 protected:
  GatesFound() { folder_ = mkdtemp(name_); }
  ~GatesFound() override { std::filesystem::remove_all(folder_); }

  void file(const std::string& name, const std::string& text) { std::ofstream(folder_ + "/" + name) << text; }
  FoundGates found() { return find_gates(folder_); }

  std::string folder_;

 private:
  char name_[32] = "/tmp/gates-found.XXXXXX";
};

TEST_F(GatesFound, InAMakefileWithATestTarget) {
  file("Makefile", "all:\n\techo\ntest: all\n\ttrue\n");
  file("Cargo.toml", "");
  EXPECT_EQ(found().gates, std::vector<std::string>{"make test"}) << "the Makefile stands for the whole repository";
}

TEST_F(GatesFound, InAMakefileThatSaysCheck) {
  file("Makefile", "check:\n\ttrue\n");
  EXPECT_EQ(found().gates, std::vector<std::string>{"make check"});
}

TEST_F(GatesFound, NotInAMakefileWithoutTests) {
  file("Makefile", "all:\n\techo latest: 1\n");
  EXPECT_TRUE(found().gates.empty());
}

TEST_F(GatesFound, InPackageJsonWithItsSetup) {
  file("package.json", R"({"scripts":{"test":"vitest"}})");
  file("package-lock.json", "{}");
  EXPECT_EQ(found().gates, std::vector<std::string>{"npm test"});
  EXPECT_EQ(found().setup, "npm ci");
}

TEST_F(GatesFound, NotInThePackageJsonThatNpmInitMakes) {
  file("package.json", R"({"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}})");
  EXPECT_TRUE(found().gates.empty());
}

TEST_F(GatesFound, InEveryPartOfAMixedRepository) {
  file("Cargo.toml", "");
  file("go.mod", "");
  EXPECT_EQ(found().gates, (std::vector<std::string>{"cargo test", "go test ./..."}));
}

TEST_F(GatesFound, NotWhereThereIsNothing) { EXPECT_TRUE(found().gates.empty()); }

TEST(RepositoryNames, AreTheLastPartWithoutDotGit) {
  EXPECT_EQ(repository_name("/home/me/shop/"), "shop");
  EXPECT_EQ(repository_name("https://example.com/acme/shop.git"), "shop");
  EXPECT_EQ(repository_name("git@example.com:shop.git"), "shop");
}

TEST(Urls, AreToldFromPaths) {
  EXPECT_TRUE(is_url("https://example.com/x"));
  EXPECT_TRUE(is_url("git@example.com:x"));
  EXPECT_FALSE(is_url("/home/me/x"));
  EXPECT_FALSE(is_url("../x"));
}

}  // namespace
}  // namespace townd::cli
