#include "runtime/watcher.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace townd {
namespace {

constexpr std::int64_t kDetailBytes = 2000;    // of the output's end, for people
constexpr std::int64_t kOutputStep = 1 << 20;  // read at once
constexpr int kLookMs = 1000;                  // a keeper that has not said who it is yet is looked at again

constexpr std::uint64_t kInotify = 0;  // tags of epoll; anything else is a Watched
constexpr std::uint64_t kWakeUp = 1;

Instant instant(std::int64_t ms) { return Instant{ms}; }

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct Watcher::Watched {
  Watched(const std::string& folder, RunAbout run, Preset::Stream form)
      : link(folder), about(std::move(run)), stream(form) {}

  KeeperLink link;
  RunAbout about;
  StreamReader stream;
  File keeper;
  pid_t child = 0;  ///< the keeper's number when it is our child
  int inotify_id = -1;
  std::int64_t output_read = 0;
  std::string told;      ///< the state last told
  int told_attempt = 0;  ///< and of which attempt
  bool ended = false;
};

Watcher::Watcher(const Presets& presets, Ended ended)
    : presets_(presets),
      ended_(std::move(ended)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      wake_up_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kInotify;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, inotify_.get(), &event);
  event.data.u64 = kWakeUp;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_up_.get(), &event);
  thread_ = std::thread{[this] { loop(); }};
}

Watcher::~Watcher() {
  {
    const std::lock_guard lock{mutex_};
    quit_ = true;
    wake_ = nullptr;
  }
  ::eventfd_write(wake_up_.get(), 1);
  thread_.join();
}

void Watcher::watch(const std::string& folder, int child) {
  {
    const std::lock_guard lock{mutex_};
    coming_.emplace_back(folder, child);
  }
  ::eventfd_write(wake_up_.get(), 1);
}

std::vector<Observation> Watcher::take() {
  std::map<RunId, Observation> taken;
  {
    const std::lock_guard lock{mutex_};
    taken.swap(changes_);
  }
  std::vector<Observation> out;
  for (auto& [run, observation] : taken) out.push_back(std::move(observation));
  return out;
}

void Watcher::on_change(std::function<void()> wake) {
  const std::lock_guard lock{mutex_};
  wake_ = std::move(wake);
}

void Watcher::loop() {
  for (;;) {
    std::vector<std::pair<std::string, int>> coming;
    {
      const std::lock_guard lock{mutex_};
      if (quit_) return;
      coming.swap(coming_);
    }
    for (const auto& [folder, child] : coming) {
      auto& slot = runs_[folder];
      const auto about = read_about(folder);
      if (!about) continue;
      if (!slot) {
        const auto preset = presets_.find(about->preset);
        slot = std::make_unique<Watched>(folder, *about,
                                         preset == presets_.end() ? Preset::Stream::plain : preset->second.stream);
        slot->inotify_id = ::inotify_add_watch(inotify_.get(), folder.c_str(), IN_MOVED_TO | IN_ONLYDIR);
      }
      slot->ended = false;
      if (child > 0) slot->child = child;
      look(*slot);
    }

    bool unsure = false;
    for (auto run = runs_.begin(); run != runs_.end();) {
      if (!run->second || run->second->ended) {
        if (run->second) ::inotify_rm_watch(inotify_.get(), run->second->inotify_id);
        run = runs_.erase(run);
        continue;
      }
      unsure = unsure || !run->second->keeper;
      ++run;
    }

    epoll_event events[64];
    const int count = ::epoll_wait(epoll_.get(), events, 64, unsure ? kLookMs : -1);
    if (count == 0)
      for (auto& [folder, run] : runs_)
        if (!run->keeper) look(*run);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kWakeUp) {
        eventfd_t ignored = 0;
        ::eventfd_read(wake_up_.get(), &ignored);
      } else if (events[i].data.u64 == kInotify) {
        alignas(inotify_event) char block[16384];
        const auto got = ::read(inotify_.get(), block, sizeof block);
        for (ssize_t at = 0; at < got;) {
          const auto* event = reinterpret_cast<const inotify_event*>(block + at);
          look_at(event->wd);
          at += static_cast<ssize_t>(sizeof *event + event->len);
        }
      } else {
        look(*static_cast<Watched*>(events[i].data.ptr));
      }
    }
  }
}

void Watcher::look_at(int inotify_id) {
  for (auto& [folder, run] : runs_)
    if (run && run->inotify_id == inotify_id && !run->ended) look(*run);
}

bool Watcher::open_keeper(Watched& run) {
  if (run.keeper) return true;
  run.keeper = run.link.open_keeper();
  if (!run.keeper) return false;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &run;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, run.keeper.get(), &event);
  return true;
}

/// Reads everything anew; what woke us does not matter.
void Watcher::look(Watched& run) {
  if (run.ended) return;
  open_keeper(run);
  // Asked before the files are read: a keeper that is gone by then has written its last word.
  const bool kept = run.link.kept();
  const auto status = run.link.status();
  read_output(run);
  if (kept) {
    if (!status || status->state == "exited" || status->state == "setup_failed") return;
    return tell_running(run, status->state == "running" ? ProcessState::running : ProcessState::starting);
  }
  // Our own child must be asked for, or it stays a zombie. It is past its last word, so this does not wait.
  if (run.child > 0) ::waitpid(run.child, nullptr, 0);
  run.child = 0;
  run.keeper = File{};
  run.ended = true;
  if (!status) return;
  if (const auto known = read_end(run.link.folder()); known && known->attempt == status->attempt)
    return tell_end(run, *known);
  const bool left = !run.link.sweep();
  const auto end = judge_end(run);
  if (!left) write_end(run.link.folder(), end);
  tell_end(run, end);
}

void Watcher::read_output(Watched& run) {
  for (;;) {
    // What was dropped before it could be read is skipped.
    const auto part = run.link.log(run.output_read, kOutputStep);
    if (part.bytes.empty()) return;
    run.output_read = part.from + static_cast<std::int64_t>(part.bytes.size());
    run.stream.take(part.bytes);
  }
}

RunEnd Watcher::judge_end(Watched& run) const {
  RunEnd end;
  const auto status = run.link.status().value_or(run_folder::Status{});
  end.attempt = status.attempt;
  end.exit_code = status.code;
  end.tokens = run.stream.tokens();
  end.cost_micro_usd = run.stream.cost_micro_usd();
  end.limited_until = run.stream.limited_until();
  if (status.state != "exited" && status.state != "setup_failed") {
    end.verdict = {ProcessState::failed, "crashed", "its keeper was killed or the machine went down"};
    return end;
  }
  const auto preset = presets_.find(run.about.preset);
  end.verdict = judge(preset == presets_.end() ? Preset{} : preset->second, status, run.stream);
  return end;
}

SignOfLife Watcher::sign_of(const Watched& run) const {
  SignOfLife sign;
  sign.agent_id = run.about.agent_id;
  sign.run_id = run.about.run_id;
  const auto activity = run.link.activity();
  sign.at = instant(activity ? activity->heartbeat_at_ms : wall_ms());
  if (activity && activity->last_line_at_ms > 0) {
    sign.last_event_at = instant(activity->last_line_at_ms);
    sign.last_event_type = run.stream.last_event_type().empty() ? "output" : run.stream.last_event_type();
  }
  sign.active_tools = run.stream.active_tools();
  sign.tokens = run.stream.tokens();
  sign.cost_micro_usd = run.stream.cost_micro_usd();
  return sign;
}

void Watcher::tell_running(Watched& run, ProcessState state) {
  const auto status = run.link.status().value_or(run_folder::Status{});
  const bool new_state = run.told != status.state || run.told_attempt != status.attempt;
  run.told = status.state;
  run.told_attempt = status.attempt;
  Observation observation;
  observation.agent_id = run.about.agent_id;
  observation.run_id = run.about.run_id;
  observation.state = state;
  observation.sign = sign_of(run);
  tell(std::move(observation), new_state);
}

void Watcher::tell_end(Watched& run, const RunEnd& end) {
  ended_(run.about, end);
  Observation observation;
  observation.agent_id = run.about.agent_id;
  observation.run_id = run.about.run_id;
  observation.state = end.verdict.state;
  observation.exit_code = end.exit_code;
  observation.reason = end.verdict.reason;
  observation.detail = end.verdict.why;
  if (const auto tail = run.link.log_tail(kDetailBytes); !tail.empty())
    observation.detail += (observation.detail.empty() ? "" : "\n") + tail;
  observation.sign = sign_of(run);
  observation.sign.tokens = end.tokens;
  observation.sign.cost_micro_usd = end.cost_micro_usd;
  observation.limited_until = end.limited_until;
  tell(std::move(observation), true);
}

void Watcher::tell(Observation observation, bool wake) {
  std::function<void()> call;
  {
    const std::lock_guard lock{mutex_};
    const auto run = observation.run_id;
    changes_.insert_or_assign(run, std::move(observation));
    if (wake) call = wake_;
  }
  if (call) call();
}

}  // namespace townd
