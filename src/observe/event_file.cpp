#include "observe/event_file.hpp"

#include <fcntl.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

namespace townd {
namespace {

using steady = std::chrono::steady_clock;

std::chrono::milliseconds length_of(Duration time) { return std::chrono::milliseconds(time.ms); }

/// The last line was cut short: the disk was full, or the machine went down.
bool ends_within_a_line(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char last = '\n';
  const off_t end = ::lseek(file, 0, SEEK_END);
  const bool torn = end > 0 && ::pread(file, &last, 1, end - 1) == 1 && last != '\n';
  ::close(file);
  return torn;
}

}  // namespace

namespace event_file {

/// spdlog's file that rotates, made anew after it failed and when somebody took it away or put another in its place.
class LastingSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LastingSink(EventFileSettings settings, std::function<void(const std::string&)> trouble)
      : settings_(std::move(settings)), trouble_(std::move(trouble)), wait_(settings_.first_wait) {
    open();
  }

  /// Lines that came too fast for the disk; told with the others.
  void overrun_is(std::function<std::size_t()> overrun) { overrun_ = std::move(overrun); }
  [[nodiscard]] std::size_t lost() const { return lost_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& line) override {
    const auto now = steady::now();
    if (!file_ && now < open_at_) return lose(now, {});
    try {
      if (!file_ || gone(now)) open();
      file_->log(line);
      file_->flush();
      wait_ = settings_.first_wait;
      if (all_lost() > told_lost_) tell(now, "it is written again, or more came at once than the disk takes");
    } catch (const spdlog::spdlog_ex& problem) {
      // After one failure spdlog's file is of no more use.
      file_.reset();
      open_at_ = now + length_of(wait_);
      wait_ = std::min(wait_ * 2, settings_.longest_wait);
      lose(now, problem.what());
    }
  }
  void flush_() override {}  // each line is flushed as it is written, where its failure is seen

 private:
  void open() {
    file_.reset();
    spdlog::file_event_handlers events;
    // It tells what people work on: for its owner alone, unless the owner says otherwise of the file that is there.
    events.before_open = [](const spdlog::filename_t& path) {
      if (const int made = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600); made >= 0) ::close(made);
    };
    events.after_open = [this](const spdlog::filename_t&, std::FILE* file) { ::fstat(::fileno(file), &opened_); };
    const bool torn = ends_within_a_line(settings_.path);
    file_ = std::make_unique<spdlog::sinks::rotating_file_sink_st>(settings_.path, settings_.bytes, settings_.kept,
                                                                   false, events);
    file_->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n"));
    if (torn) file_->log(spdlog::details::log_msg("events", spdlog::level::info, ""));
  }

  /// Somebody has deleted or moved the file: what is written to it reaches nobody.
  bool gone(steady::time_point now) {
    if (now - looked_at_ < length_of(settings_.look_every)) return false;
    looked_at_ = now;
    struct stat there {};
    return ::stat(settings_.path.c_str(), &there) != 0 || there.st_dev != opened_.st_dev ||
           there.st_ino != opened_.st_ino;
  }

  void lose(steady::time_point now, const std::string& problem) {
    ++lost_;
    if (!problem.empty()) problem_ = problem;
    tell(now, problem_);
  }

  [[nodiscard]] std::size_t all_lost() const { return lost_ + (overrun_ ? overrun_() : 0); }

  void tell(steady::time_point now, const std::string& what) {
    if (told_at_ != steady::time_point{} && now - told_at_ < length_of(settings_.tell_every)) return;
    told_at_ = now;
    told_lost_ = all_lost();
    trouble_(settings_.path + ": " + what + "; lines lost so far: " + std::to_string(told_lost_));
  }

  const EventFileSettings settings_;
  const std::function<void(const std::string&)> trouble_;
  std::function<std::size_t()> overrun_;
  std::unique_ptr<spdlog::sinks::rotating_file_sink_st> file_;  // null after a failure
  struct stat opened_ {};
  Duration wait_;
  steady::time_point open_at_;
  steady::time_point looked_at_;
  steady::time_point told_at_;
  std::string problem_;
  std::size_t told_lost_ = 0;
  std::atomic<std::size_t> lost_ = 0;
};

}  // namespace event_file

struct EventFile::State {
  std::shared_ptr<spdlog::details::thread_pool> pool = std::make_shared<spdlog::details::thread_pool>(kEventLines, 1);
  std::shared_ptr<event_file::LastingSink> sink;
  std::shared_ptr<spdlog::async_logger> logger;
};

EventFile::EventFile(std::unique_ptr<State> state) : state_(std::move(state)) {}

expected<std::unique_ptr<EventFile>> EventFile::open(const EventFileSettings& settings,
                                                     std::function<void(const std::string&)> trouble) {
  auto state = std::make_unique<State>();
  try {
    state->sink = std::make_shared<event_file::LastingSink>(settings, trouble);
    state->sink->overrun_is([pool = state->pool.get()] { return pool->overrun_counter(); });
    state->logger = std::make_shared<spdlog::async_logger>("events", state->sink, state->pool,
                                                           spdlog::async_overflow_policy::overrun_oldest);
  } catch (const spdlog::spdlog_ex& problem) {
    return fail(Error::Code::invalid, "cannot write events to " + settings.path + ": " + problem.what(),
                "set file under [events] of townd.toml to a file in a folder that there is");
  }
  state->logger->set_error_handler(std::move(trouble));
  return std::unique_ptr<EventFile>(new EventFile(std::move(state)));  // NOLINT: private
}

EventFile::~EventFile() = default;

void EventFile::write(const std::string& line) { state_->logger->log(spdlog::level::info, "{}", line); }

std::size_t EventFile::lost() const { return state_->sink->lost() + state_->pool->overrun_counter(); }

}  // namespace townd
