#include "observe/event_file.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include <utility>

namespace townd {

struct EventFile::State {
  std::shared_ptr<spdlog::details::thread_pool> pool = std::make_shared<spdlog::details::thread_pool>(kEventLines, 1);
  std::shared_ptr<spdlog::async_logger> logger;
};

EventFile::EventFile(std::unique_ptr<State> state) : state_(std::move(state)) {}

expected<std::unique_ptr<EventFile>> EventFile::open(const EventFileSettings& settings,
                                                     std::function<void(const std::string&)> trouble) {
  auto state = std::make_unique<State>();
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(settings.path, settings.bytes, settings.kept);
    state->logger = std::make_shared<spdlog::async_logger>("events", std::move(sink), state->pool,
                                                           spdlog::async_overflow_policy::overrun_oldest);
  } catch (const spdlog::spdlog_ex& problem) {
    return fail(Error::Code::invalid, "cannot write events to " + settings.path + ": " + problem.what(),
                "set file under [events] of townd.toml to a file in a folder that there is");
  }
  state->logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n"));
  state->logger->set_error_handler(std::move(trouble));
  state->logger->flush_on(spdlog::level::trace);
  return std::unique_ptr<EventFile>(new EventFile(std::move(state)));  // NOLINT: private
}

EventFile::~EventFile() = default;

void EventFile::write(const std::string& line) { state_->logger->log(spdlog::level::info, "{}", line); }

std::size_t EventFile::lost() const { return state_->pool->overrun_counter(); }

}  // namespace townd
