#include "server/log_tails.hpp"

#include <atomic>
#include <chrono>

#include "engine/engine.hpp"
#include "ports/runtime.hpp"

namespace townd {
namespace {

constexpr std::chrono::milliseconds kLookEvery{200};
constexpr std::int64_t kPiece = 64 * 1024;
/// A reader that has this much to read yet gets the rest later.
constexpr std::size_t kEnough = LiveStream::kBacklog / 2;

}  // namespace

struct LogTails::Tail : std::enable_shared_from_this<Tail> {
  TownId town;
  RunId run;
  std::int64_t offset = 0;
  std::shared_ptr<LiveStream> stream;
  std::atomic<bool> run_over = false;
};

LogTails::LogTails(StreamSeats& seats, Engine& engine, Runtime& runtime)
    : seats_(seats), engine_(engine), runtime_(runtime), thread_([this] { watch(); }) {}

LogTails::~LogTails() { stop(); }

std::shared_ptr<LiveStream> LogTails::follow(const TownId& town, const RunId& run, std::int64_t offset) {
  auto stream = seats_.take();
  if (!stream) return nullptr;
  const auto tail = std::make_shared<Tail>();
  tail->town = town;
  tail->run = run;
  tail->offset = offset;
  tail->stream = stream;
  const std::lock_guard lock(mutex_);
  tails_.push_back(tail);
  changed_.notify_one();
  return stream;
}

void LogTails::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void LogTails::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (tails_.empty()) {
      changed_.wait(lock, [this] { return stopping_ || !tails_.empty(); });
      continue;
    }
    const std::vector<std::shared_ptr<Tail>> now = tails_;
    lock.unlock();
    std::vector<std::shared_ptr<Tail>> ended;
    for (const auto& tail : now)
      if (!advance(*tail)) ended.push_back(tail);
    lock.lock();
    for (const auto& tail : ended) std::erase(tails_, tail);
    changed_.wait_for(lock, kLookEvery, [this] { return stopping_; });
  }
  for (const auto& tail : tails_) tail->stream->finish();
  tails_.clear();
}

/// Hands on what is new; false when nothing more will come or nobody reads it.
bool LogTails::advance(Tail& tail) {
  const bool over = tail.run_over;  // asked before reading, so that the last words are read after it
  bool all_read = false;
  while (!all_read && tail.stream->waiting() < kEnough) {
    const auto bytes = runtime_.log(tail.run, tail.offset, kPiece);
    all_read = !bytes || bytes->empty();
    if (all_read) break;
    tail.offset += static_cast<std::int64_t>(bytes->size());
    if (!tail.stream->push(*bytes)) return false;
  }
  if (over && all_read) tail.stream->finish();
  if (tail.stream->over()) return false;
  const std::weak_ptr<Tail> weak = tail.weak_from_this();
  engine_.look(
      tail.town,
      [weak, run = tail.run](const Engine::View& view) {
        const Run* known = view.town.run(run);
        if (const auto there = weak.lock()) there->run_over = !known || known->state == RunState::ended;
      },
      [weak] {
        if (const auto there = weak.lock()) there->run_over = true;
      });
  return true;
}

}  // namespace townd
