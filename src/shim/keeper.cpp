#include "shim/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "shim/processes.hpp"

extern char** environ;

namespace townd::shim {
namespace {

constexpr std::int64_t kSampleMs = 1000;  // how often limits are sampled
constexpr std::int64_t kEndPollMs = 5;    // how often it is looked whether the descendants are gone

/// Stands still while the machine sleeps: a suspended laptop uses up nobody's time.
std::int64_t monotonic_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// The input as a sealed memory file: the agent can open its standard input again, but never change what is in the
/// run's folder.
Fd sealed_input(const std::string& text) {
  Fd fd{::memfd_create("input", MFD_ALLOW_SEALING | MFD_CLOEXEC)};
  if (!fd || !write_all(fd.get(), text.data(), text.size())) return Fd{};
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

Keeper::Keeper(std::string folder, run_folder::Spec spec)
    : folder_(std::move(folder)), spec_(std::move(spec)), log_(folder_, spec_.log_bytes), redactor_(environ) {
  status_.run_id = spec_.run_id;
  status_.attempt = spec_.attempt;
  status_.keeper_pid = ::getpid();
  status_.keeper_start = start_ticks(::getpid());
  status_.boot_id = boot_id();
  status_.started_at_ms = wall_ms();
}

int Keeper::run() {
  ::setsid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  set_up_signals();
  report("starting", {});
  if (spec_.cgroups) cgroup_ = Cgroup::make(spec_.run_id, spec_.memory_bytes, spec_.processes);
  status_.cgroups = cgroup_.folders();

  Exit exit;
  std::string state = "exited";
  if (!spec_.setup.empty()) {
    report("setting_up", {});
    exit = stage(spec_.setup, {}, true, spec_.setup_ms);
    if (exit.ending != Ending::by_itself || exit.code != 0 || exit.signal != 0) state = "setup_failed";
  }
  if (state == "exited") {
    report("running", {});
    exit = stage(spec_.command, spec_.input, false, spec_.wall_ms);
  }
  // A sandbox tells its agent's signal as 128 + number.
  const bool killed = exit.signal == SIGKILL || exit.code == 128 + SIGKILL;
  if (killed && exit.ending == Ending::by_itself && cgroup_.out_of_memory()) exit.ending = Ending::memory;
  cgroup_.remove();
  sign_of_life(true);
  report(state, exit);
  return 0;
}

void Keeper::set_up_signals() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&watched, number);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  signals_ = Fd{::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK)};
}

Keeper::Exit Keeper::stage(const std::vector<std::string>& command, const std::string& input, bool private_environment,
                           std::int64_t limit_ms) {
  Exit exit;
  if (stop_asked_) return {0, 0, Ending::stop};
  const auto text = input.empty() ? std::string{} : read_file(folder_ + "/" + input).value_or("");
  const Fd in = sealed_input(text);
  int ends[2];
  if (!in || ::pipe2(ends, O_CLOEXEC) != 0) {
    status_.problem = std::string{"no pipe for the agent: "} + std::strerror(errno);
    return {127, 0, Ending::by_itself};
  }
  output_ = Fd{ends[0]};
  output_in_ = Fd{ends[1]};
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);

  child_ended_ = false;
  const pid_t child = spawn(command, in.get(), private_environment);
  output_in_.close();
  if (child < 0) {
    status_.problem = "cannot start " + command.front() + ": " + std::strerror(errno);
    return {127, 0, Ending::by_itself};
  }
  const std::int64_t deadline = limit_ms > 0 ? monotonic_ms() + limit_ms : 0;
  sign_of_life(true);
  Ending why = Ending::no;
  while (why == Ending::no) why = watch(child, deadline, exit);
  end_descendants(child, exit);
  drain_output();
  exit.ending = why;
  return exit;
}

pid_t Keeper::spawn(const std::vector<std::string>& command, int input, bool private_environment) {
  const auto argv = pointers(command);
  std::vector<char*> env;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto name = text.substr(0, text.find('='));
    const bool hidden = private_environment &&
                        std::find(spec_.setup_hides.begin(), spec_.setup_hides.end(), name) != spec_.setup_hides.end();
    if (!hidden) env.push_back(*entry);
  }
  env.push_back(nullptr);

  // The keeper is small, so fork costs nothing; between fork and exec the child must enter its groups.
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);
  cgroup_.enter();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGHUP, SIG_DFL);
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(input, 0);
  ::dup2(output_in_.get(), 1);
  ::dup2(output_in_.get(), 2);
  if (::chdir(spec_.folder.c_str()) == 0) ::execvpe(argv[0], argv.data(), env.data());
  const std::string problem = command.front() + ": " + std::strerror(errno) + "\n";
  write_all(2, problem.data(), problem.size());
  ::_exit(127);
}

Keeper::Ending Keeper::watch(pid_t child, std::int64_t deadline_ms, Exit& exit) {
  const auto now = monotonic_ms();
  auto next = std::min(next_sample_ms_, next_heartbeat_ms_);
  if (deadline_ms > 0) next = std::min(next, deadline_ms);
  pollfd fds[2] = {{signals_.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}};
  // A closed output (the agent closed it, or ended) would be ready for ever.
  const nfds_t count = output_ ? 2 : 1;
  ::poll(fds, count, static_cast<int>(std::max<std::int64_t>(next - now, 0)));

  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) stop_asked_ = true;
  drain_output();
  reap(child, exit);
  sign_of_life(false);
  if (stop_asked_) return Ending::stop;
  if (child_ended_) return Ending::by_itself;
  if (deadline_ms > 0 && monotonic_ms() >= deadline_ms) return Ending::wall;
  return over_limit();
}

void Keeper::drain_output() {
  // Bounded, so that an agent that never stops talking cannot keep its keeper from hearing a stop.
  char block[65536];
  for (int blocks = 0; output_ && blocks < 32; ++blocks) {
    const ssize_t got = ::read(output_.get(), block, sizeof block);
    if (got < 0) return;  // nothing now
    if (got == 0) {
      log_.append(redactor_.rest());
      return output_.close();
    }
    const std::string_view bytes{block, static_cast<std::size_t>(got)};
    log_.append(redactor_.take(bytes));
    counter_.take(bytes, wall_ms());
  }
}

void Keeper::reap(pid_t child, Exit& exit) {
  int how = 0;
  for (pid_t ended = ::waitpid(-1, &how, WNOHANG); ended > 0; ended = ::waitpid(-1, &how, WNOHANG)) {
    if (ended != child) continue;
    child_ended_ = true;
    exit.code = WIFEXITED(how) ? WEXITSTATUS(how) : 0;
    exit.signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
  }
}

Keeper::Ending Keeper::over_limit() {
  const auto now = monotonic_ms();
  if (now < next_sample_ms_) return Ending::no;
  next_sample_ms_ = now + kSampleMs;
  std::int64_t memory = 0;
  std::int64_t count = 0;
  for (const auto& process : descendants(::getpid())) {
    memory += process.memory_bytes;
    ++count;
  }
  if (spec_.memory_bytes > 0 && memory > spec_.memory_bytes) return Ending::memory;
  if (spec_.processes > 0 && count > spec_.processes) return Ending::processes;
  return Ending::no;
}

void Keeper::sign_of_life(bool now) {
  const auto at = monotonic_ms();
  // The first output is told at once: it is what makes a run's start visible.
  const bool first_output = reported_lines_ <= 0 && counter_.lines() > 0;
  if (!now && !first_output && at < next_heartbeat_ms_) return;
  next_heartbeat_ms_ = at + spec_.heartbeat_ms;
  reported_lines_ = counter_.lines();
  replace_file(folder_, "activity",
               run_folder::write(run_folder::Activity{wall_ms(), counter_.last_line_at_ms(), counter_.lines()}));
}

std::vector<pid_t> Keeper::living(int deeper_than) const {
  auto pids = deeper_than == 0 ? cgroup_.members() : std::vector<pid_t>{};
  for (const auto& process : descendants(::getpid()))
    if (process.depth > deeper_than) pids.push_back(process.pid);
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

void Keeper::end_descendants(pid_t child, Exit& exit) {
  end_living(child, exit);
  reap(child, exit);
}

void Keeper::end_living(pid_t child, Exit& exit) {
  // A sandbox's own processes would take the agent down with them at once, so they are asked last.
  for (const pid_t pid : living(spec_.wrapper_depth)) ::kill(pid, SIGTERM);
  const auto until = monotonic_ms() + spec_.grace_ms;
  for (;;) {
    reap(child, exit);
    drain_output();
    if (living(0).empty()) return;
    if (monotonic_ms() >= until) break;
    ::poll(nullptr, 0, kEndPollMs);
  }
  for (;;) {
    cgroup_.kill();
    // Stopped first, so that nobody can start another while the others are killed.
    for (const pid_t pid : living(0)) ::kill(pid, SIGSTOP);
    for (const pid_t pid : living(0)) ::kill(pid, SIGKILL);
    reap(child, exit);
    drain_output();
    if (living(0).empty()) return;
    ::poll(nullptr, 0, kEndPollMs);
  }
}

void Keeper::report(const std::string& state, const Exit& exit) {
  status_.state = state;
  status_.code = exit.code;
  status_.signal = exit.signal;
  switch (exit.ending) {
    case Ending::no:
    case Ending::by_itself: status_.ended_by = ""; break;
    case Ending::stop: status_.ended_by = "stop"; break;
    case Ending::wall: status_.ended_by = "wall"; break;
    case Ending::memory: status_.ended_by = "memory"; break;
    case Ending::processes: status_.ended_by = "processes"; break;
  }
  if (state == "exited" || state == "setup_failed") status_.ended_at_ms = wall_ms();
  replace_file(folder_, "status", run_folder::write(status_));
}

}  // namespace townd::shim
