#include "stage.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "git/layout.hpp"

extern char** environ;

namespace townd::test {

namespace fs = std::filesystem;

Folder::Folder() {
  std::string name = fs::temp_directory_path().string() + "/townd-test-XXXXXX";
  path_ = ::mkdtemp(name.data());
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void write_file(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path{path}.parent_path());
  std::ofstream{path, std::ios::binary} << text;
}

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool exists(const std::string& path) { return fs::exists(fs::symlink_status(path)); }

bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

bool alive(int pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto at = stat.rfind(')');
  return at != std::string::npos && stat.at(at + 2) != 'Z' && stat.at(at + 2) != 'X';
}

std::string sh(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string out;
  char block[4096];
  while (const auto got = ::fread(block, 1, sizeof block, pipe)) out.append(block, got);
  EXPECT_EQ(::pclose(pipe), 0) << command << "\n" << out;
  return out;
}

Shim::Shim(run_folder::Spec spec, const std::string& input) {
  spec.run_id = "x-7";
  if (spec.folder.empty()) spec.folder = folder();
  spec.input = "input";
  if (spec.log_bytes == 0) spec.log_bytes = 1 << 20;
  write_file(folder() + "/input", input);
  write_file(folder() + "/spec", run_folder::write(spec));
}

Shim::~Shim() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

void Shim::start() {
  std::string program = TOWND_SHIM;
  std::string argument = folder();
  char* argv[] = {program.data(), argument.data(), nullptr};
  ASSERT_EQ(::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, argv, environ), 0);
}

run_folder::Status Shim::wait() {
  int how = 0;
  ::waitpid(pid_, &how, 0);
  exit_code = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
  pid_ = 0;
  return run_folder::read_status(read_file(folder() + "/status")).value_or(run_folder::Status{});
}

void Shim::signal(int number) const { ::kill(pid_, number); }

std::string Shim::log() const { return KeeperLink{folder()}.log(0, 1 << 22).bytes; }

Stage::Stage() {
  settings.data = data();
  settings.shim = TOWND_SHIM;
  settings.bin = fs::path{TOWND_SHIM}.parent_path().string();
  settings.preset_folders = {TOWND_SOURCE "/share/presets", folder() + "/presets"};
  settings.prompts = TOWND_SOURCE "/share/prompts";
  settings.cgroups = false;
  settings.grace = seconds(1);
  const auto bare = git::rig_repository(data(), RigId{"x-1"});
  fs::create_directories(bare);
  const auto work = folder() + "/origin";
  sh("git init -q -b main " + work + " && cd " + work +
     " && echo hello > file && git add file && git -c user.name=t -c user.email=t@t commit -qm first && git init -q "
     "--bare "
     "-b main " +
     bare + " && git push -q " + bare + " main");
  open();
}

void Stage::open() {
  auto opened = LocalRuntime::open(settings);
  ASSERT_TRUE(opened) << opened.error().what;
  runtime_ = std::move(*opened);
  runtime_->on_change([this] {
    const std::lock_guard lock{mutex_};
    woken_ = true;
    changed_.notify_all();
  });
  // What was found on opening may have been noticed before anybody could be woken.
  woken_ = true;
}

Stage::~Stage() {
  if (!runtime_) return;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(data() + "/runs", ignored))
    EXPECT_TRUE(runtime_->stop(RunId{entry.path().filename().string()})) << entry.path();
}

void Stage::close() { runtime_.reset(); }

void Stage::restart_daemon() {
  close();
  open();
}

AgentSpec Stage::script_run(const std::string& run, const std::string& script) {
  AgentSpec spec;
  auto& work = spec.assignment;
  work.town_id = TownId{"x"};
  work.run_id = RunId{run};
  work.agent.agent_id = AgentId{"x-3"};
  work.agent.name = "Furiosa";
  work.rig.rig_id = RigId{"x-1"};
  work.rig.name = "rig";
  work.rig.git_url = folder() + "/origin";
  work.rig.config.sandbox = "none";
  work.bead = Bead{};
  work.bead->bead_id = BeadId{"x-2"};
  work.bead->title = "Say hello";
  work.bead->body = TextRef::of(script);
  spec.texts[work.bead->body.hash.hex()] = script;
  work.preset = "script";
  work.branch = "gt/furiosa/x-2";
  work.target_branch = "main";
  spec.token = "tok-secret";
  return spec;
}

Observation Stage::observe(const std::string& run, const std::function<bool(const Observation&)>& wanted) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    for (auto& seen : runtime_->observe())
      if (seen.run_id == RunId{run} && wanted(seen)) return seen;
    if (std::chrono::steady_clock::now() > until) {
      ADD_FAILURE() << "run " << run << " was not observed as wanted";
      return {};
    }
    // A mere sign of life wakes nobody, so it is asked for now and then.
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::milliseconds(20), [&] { return woken_; });
    woken_ = false;
  }
}

Observation Stage::ended(const std::string& run) {
  return observe(run, [](const auto& o) { return o.state == ProcessState::exited || o.state == ProcessState::failed; });
}

Observation Stage::running(const std::string& run) {
  return observe(run, [](const auto& o) { return o.state == ProcessState::running; });
}

}  // namespace townd::test
