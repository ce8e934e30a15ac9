#include "git_fixture.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "git/spawn.hpp"

namespace townd {
namespace fs = std::filesystem;

void GitTest::SetUp() {
  std::string name = (fs::temp_directory_path() / "townd-git-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  root_ = fs::canonical(name);
  const char* home = std::getenv("HOME");
  old_home_ = home != nullptr ? home : "";
  fs::create_directories(root_ / "home");
  ::setenv("HOME", path("home").c_str(), 1);
  ::unsetenv("XDG_CONFIG_HOME");
  const std::string hooks = path("home/hooks");
  fs::create_directories(hooks);
  for (const char* hook : {"post-checkout", "reference-transaction", "post-merge", "pre-push", "commit-msg",
                           "pre-merge-commit", "post-index-change"}) {
    fs::copy_file(trap(std::string("home-") + hook), hooks + "/" + hook);
  }
  write(path("home/.gitconfig"),
        "[core]\n\thooksPath = " + hooks + "\n\tfsmonitor = " + trap("fsmonitor") + "\n\tsshCommand = " + trap("ssh") +
            "\n\tpager = " + trap("pager") + "\n\teditor = " + trap("editor") + "\n\taskPass = " + trap("askpass") +
            "\n\tattributesFile = " + path("home/attributes") +
            "\n[commit]\n\tgpgSign = true\n[tag]\n\tgpgSign = true\n[gpg]\n\tprogram = " + trap("gpg") +
            "\n[merge]\n\tff = false\n[filter \"evil\"]\n\tclean = " + trap("clean") +
            "\n\tsmudge = " + trap("smudge") + "\n[diff]\n\texternal = " + trap("diff") + "\n[alias]\n\tstatus = !" +
            trap("alias") + "\n[uploadpack]\n\tpackObjectsHook = " + trap("pack-objects") +
            "\n[init]\n\ttemplateDir = " + path("home/template") +
            "\n[transfer]\n\tfsckObjects = false\n[user]\n\tuseConfigOnly = true\n");
  write(path("home/attributes"), "* filter=evil\n");
  fs::create_directories(path("home/template/hooks"));
  fs::copy_file(trap("template"), path("home/template/hooks/post-checkout"));
  auto program = git::Program::open(path("data"));
  ASSERT_TRUE(program) << program.error().what;
  program_ = std::make_unique<git::Program>(*program);
}

void GitTest::TearDown() {
  EXPECT_FALSE(sprung()) << "townd's git ran what it must not: " << read(path("sprung"));
  ::setenv("HOME", old_home_.c_str(), 1);
  fs::remove_all(root_);
}

std::string GitTest::sh(const std::string& script) const {
  Command command;
  command.argv = {"sh", "-ec", script};
  command.env = {"PATH=" + own_path(),
                 "HOME=" + path("person"),
                 "GIT_CONFIG_GLOBAL=/dev/null",
                 "GIT_CONFIG_NOSYSTEM=1",
                 "GIT_AUTHOR_NAME=Pat",
                 "GIT_AUTHOR_EMAIL=pat@example.org",
                 "GIT_COMMITTER_NAME=Pat",
                 "GIT_COMMITTER_EMAIL=pat@example.org",
                 "LANG=C.UTF-8"};
  command.cwd = root_.string();
  auto finished = run(command);
  EXPECT_TRUE(finished && finished->ok()) << script << "\n"
                                          << (finished ? finished->out + finished->err : finished.error().what);
  if (!finished) return {};
  if (finished->out.ends_with('\n')) finished->out.pop_back();
  return finished->out;
}

std::string GitTest::trap(const std::string& name) const {
  const std::string file = path("trap-" + name);
  write(file, "#!/bin/sh\necho " + name + " >> " + path("sprung") + "\n");
  fs::permissions(file, fs::perms::owner_all);
  return file;
}

bool GitTest::sprung() const { return fs::exists(path("sprung")); }

std::string GitTest::make_repository(const std::string& name) const {
  sh("git init -q -b main " + name + " && cd " + name + " && echo one > a.txt && git add . && git commit -q -m one");
  return path(name);
}

void GitTest::plant(const std::string& git_dir) const {
  fs::create_directories(git_dir + "/hooks");
  for (const char* hook : {"post-checkout", "reference-transaction", "post-merge", "pre-push", "commit-msg",
                           "pre-merge-commit", "post-index-change", "pre-receive", "update", "post-receive",
                           "post-update", "proc-receive", "pre-auto-gc", "prepare-commit-msg", "post-rewrite"}) {
    fs::copy_file(trap(std::string("planted-") + hook), git_dir + "/hooks/" + hook,
                  fs::copy_options::overwrite_existing);
  }
  std::ofstream(git_dir + "/config", std::ios::app)
      << "[core]\n\thooksPath = " << git_dir << "/hooks\n\tfsmonitor = " << trap("planted-fsmonitor")
      << "\n\talternateRefsCommand = " << trap("planted-alternate-refs")
      << "\n[uploadpack]\n\tpackObjectsHook = " << trap("planted-pack-objects")
      << "\n[filter \"evil\"]\n\tclean = " << trap("planted-clean") << "\n\tsmudge = " << trap("planted-smudge")
      << "\n\trequired = true\n[gpg]\n\tprogram = " << trap("planted-gpg")
      << "\n[commit]\n\tgpgSign = true\n[diff]\n\texternal = " << trap("planted-diff") << "\n";
  fs::create_directories(git_dir + "/info");
  write(git_dir + "/info/attributes", "*.evil filter=evil\n");
}

void GitTest::write(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

std::string GitTest::read(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace townd
