#include "store/commit_queue.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace townd::sqlite {

namespace {

/// Jobs in one transaction. Larger groups gain nothing any more (stack.md: 1,000 rows share one sync at 500,000 rows/s)
/// and would make the first job wait for the last.
constexpr std::size_t kGroupLimit = 1024;

}  // namespace

CommitQueue::CommitQueue(Connection& writer, int pages_before_move, Written written)
    : db_(writer),
      pages_before_move_(pages_before_move),
      written_(std::move(written)),
      pages_to_move_at_(pages_before_move) {
  const auto note_pages = [](void* queue, sqlite3*, const char*, int pages) {
    static_cast<CommitQueue*>(queue)->pages_in_wal_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(db_.raw(), note_pages, this);
  thread_ = std::thread([this] { run(); });
}

CommitQueue::~CommitQueue() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  filled_.notify_one();
  thread_.join();
  sqlite3_wal_hook(db_.raw(), nullptr, nullptr);
}

void CommitQueue::push(Write write, Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(write), std::move(done)});
  }
  filled_.notify_one();
}

void CommitQueue::run() {
  for (std::deque<Job> group = next_group(); !group.empty(); group = next_group()) {
    const auto began = std::chrono::steady_clock::now();
    const expected<void> written = write_group(group);
    if (written) {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      if (written_) written_(group.size(), took.count());
      const std::lock_guard lock(mutex_);
      ++counters_.groups;
      counters_.commits += static_cast<std::int64_t>(group.size());
    }
    for (const Job& job : group) job.done(written);
    if (written) move_into_file();
  }
}

std::deque<CommitQueue::Job> CommitQueue::next_group() {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
  std::deque<Job> group;
  if (waiting_.size() <= kGroupLimit) {
    group.swap(waiting_);
    return group;
  }
  for (std::size_t i = 0; i < kGroupLimit; ++i) {
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return group;
}

expected<void> CommitQueue::write_group(const std::deque<Job>& group) {
  db_.run("BEGIN IMMEDIATE");
  for (const Job& job : group) {
    if (!db_.ok()) break;
    job.write(db_);
  }
  db_.run("COMMIT");
  if (auto failure = db_.take_failure()) {
    db_.roll_back();
    return tl::unexpected<Error>(std::move(*failure));
  }
  return {};
}

/// After the answers, so that nobody waits for it who has committed already.
void CommitQueue::move_into_file() {
  if (pages_in_wal_ < pages_to_move_at_) return;
  const int code = sqlite3_wal_checkpoint_v2(db_.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  pages_to_move_at_ = pages_before_move_;
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) return;
  // The WAL still has everything. It is tried again when as many pages more have come.
  pages_to_move_at_ = pages_in_wal_ + pages_before_move_;
  const std::lock_guard lock(mutex_);
  ++counters_.failed_moves;
  counters_.move_error = describe(db_.raw(), code, "Moving the WAL into the file", "the store").what;
}

CommitCounters CommitQueue::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace townd::sqlite
