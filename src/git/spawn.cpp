#include "git/spawn.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace townd {
namespace {

using Steady = std::chrono::steady_clock;

/// How long output already on its way is read after the first process has ended and its group was killed.
constexpr std::chrono::milliseconds kDrain{200};
constexpr int kReadsAtOnce = 16;  // before the clock is looked at again

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

tl::unexpected<Error> system_failure(const Command& command, const char* doing, int error) {
  return fail(error == ENOENT ? Error::Code::not_found : Error::Code::unavailable,
              "cannot start " + command.argv.front() + ": " + doing + ": " + std::strerror(error));
}

/// A stream with a bound. Kept bytes never exceed twice the limit, also when the tail is asked for.
class Capture {
 public:
  Capture(std::size_t limit, Keep keep, std::function<void(std::string_view)> echo = {})
      : limit_(limit), keep_(keep), echo_(std::move(echo)) {}

  void add(std::string_view bytes) {
    if (echo_) echo_(bytes);
    if (keep_ == Keep::head) {
      const std::size_t room = limit_ - std::min(limit_, text_.size());
      text_.append(bytes.substr(0, room));
      truncated_ = truncated_ || bytes.size() > room;
      return;
    }
    text_.append(bytes);
    if (text_.size() > 2 * limit_) cut();
  }
  std::string take() {
    if (text_.size() > limit_) cut();
    return std::move(text_);
  }
  [[nodiscard]] bool truncated() const { return truncated_; }

 private:
  void cut() {
    text_.erase(0, text_.size() - limit_);
    truncated_ = true;
  }
  std::size_t limit_;
  Keep keep_;
  std::function<void(std::string_view)> echo_;
  std::string text_;
  bool truncated_ = false;
};

/// The input as a file in memory: the reader may take it or leave it, and no writer can block or get SIGPIPE.
expected<Fd> input_file(const Command& command) {
  if (command.input.empty()) {
    Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null.open()) return system_failure(command, "/dev/null", errno);
    return null;
  }
  Fd file(::memfd_create("townd-input", MFD_CLOEXEC));
  if (!file.open()) return system_failure(command, "memfd", errno);
  std::string_view rest = command.input;
  while (!rest.empty()) {
    const ssize_t n = ::write(file.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return system_failure(command, "writing its input", errno);
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct Pipe {
  Fd read, write;
};

expected<Pipe> make_pipe(const Command& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure(command, "pipe", errno);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

/// posix_spawn with its two helper objects, which need an explicit end. Answers 0 or an errno.
int spawn(const Command& command, const std::string& program, int in, int out, int err, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, in, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out, 1);
  ::posix_spawn_file_actions_adddup2(&actions, err, 2);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (!command.cwd.empty()) ::posix_spawn_file_actions_addchdir_np(&actions, command.cwd.c_str());

  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  const auto argv = pointers(command.argv);
  const auto env = pointers(command.env);
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), env.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

/// Reads what is there, but not for ever from one who writes faster; closes the end when the writer is gone.
void read_available(Fd& from, Capture& into) {
  std::array<char, 1 << 16> buffer;
  for (int reads = 0; from.open() && reads < kReadsAtOnce; ++reads) {
    const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
    if (n > 0) {
      into.add({buffer.data(), static_cast<std::size_t>(n)});
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else {
      if (n == 0 || errno != EAGAIN) from.reset();
      return;
    }
  }
}

/// Waits until one of the descriptors is readable or `until` has come.
void wait_readable(std::array<int, 3> fds, Steady::time_point until) {
  std::array<pollfd, 3> polls{};
  for (std::size_t i = 0; i < fds.size(); ++i) polls[i] = {fds[i], POLLIN, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now()).count();
  ::poll(polls.data(), polls.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 1000)));
}

bool ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

}  // namespace

expected<Finished> run(const Command& command) {
  if (command.argv.empty()) return fail(Error::Code::internal, "a command without a program");
  std::string path;
  for (const std::string& entry : command.env) {
    if (entry.starts_with("PATH=")) path = entry.substr(5);
  }
  const std::string program = find_program(command.argv.front(), path);
  if (program.empty()) {
    return fail(Error::Code::not_found, "there is no program " + command.argv.front() + " in " + path,
                "install it, or put its folder into PATH");
  }
  auto in = input_file(command);
  if (!in) return tl::unexpected(in.error());
  auto out = make_pipe(command);
  if (!out) return tl::unexpected(out.error());
  auto err = make_pipe(command);
  if (!err) return tl::unexpected(err.error());

  const auto started = Steady::now();
  pid_t pid = -1;
  const int error = spawn(command, program, in->get(), out->write.get(),
                          command.merge_stderr ? out->write.get() : err->write.get(), pid);
  if (error != 0) return system_failure(command, command.cwd.empty() ? "exec" : command.cwd.c_str(), error);
  if (command.file_size_limit != 0) {
    // Inherited by all it starts from here on; it is far from its first large file when this is set.
    const rlimit limit{command.file_size_limit, command.file_size_limit};
    ::prlimit(pid, RLIMIT_FSIZE, &limit, nullptr);
  }
  in->reset();
  out->write.reset();
  err->write.reset();
  // By number: the C library's declaration lacks extern "C" before 2.37.
  const Fd watch(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));

  Finished finished;
  Capture out_text(command.output_limit, command.keep, command.echo);
  Capture err_text(command.output_limit, command.keep);
  const auto deadline = started + command.timeout;
  while (!ended(pid)) {
    if (Steady::now() >= deadline) {
      finished.timed_out = true;
      break;
    }
    wait_readable({watch.get(), out->read.get(), err->read.get()}, deadline);
    read_available(out->read, out_text);
    read_available(err->read, err_text);
  }
  // The first process is not reaped yet, so its number, which is the group's, cannot belong to anybody else.
  ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const auto drained = Steady::now() + kDrain;
  while ((out->read.open() || err->read.open()) && Steady::now() < drained) {
    read_available(out->read, out_text);
    read_available(err->read, err_text);
    if (out->read.open() || err->read.open()) wait_readable({-1, out->read.get(), err->read.get()}, drained);
  }

  finished.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  finished.truncated = out_text.truncated() || err_text.truncated();
  finished.out = out_text.take();
  finished.err = err_text.take();
  finished.truncated = finished.truncated || out_text.truncated() || err_text.truncated();
  finished.took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - started);
  return finished;
}

std::string find_program(std::string_view name, std::string_view path) {
  const auto runnable = [](const std::string& file) {
    struct stat found {};
    return ::stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(file.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string_view::npos) return runnable(std::string(name)) ? std::string(name) : "";
  while (!path.empty()) {
    const std::size_t colon = std::min(path.find(':'), path.size());
    // Relative entries, the empty one too, would look into a folder that an agent may write.
    if (path.front() == '/') {
      std::string file = std::string(path.substr(0, colon)) + "/" + std::string(name);
      if (runnable(file)) return file;
    }
    path.remove_prefix(std::min(colon + 1, path.size()));
  }
  return {};
}

std::string own_path() {
  const char* path = std::getenv("PATH");
  return path != nullptr && *path != '\0' ? path : "/usr/local/bin:/usr/bin:/bin";
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace townd
