#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "core/expected.hpp"
#include "store/sqlite.hpp"

namespace townd {

/// What group commit has done since the store was opened.
struct CommitCounters {
  std::int64_t groups = 0;   ///< transactions
  std::int64_t commits = 0;  ///< what was committed in them, towns and tokens alike
  std::int64_t syncs = 0;    ///< times a file was made durable (fdatasync), moving the WAL into the file included
  /// Times that the WAL could not be moved into the file; nothing is lost by it, but the WAL grows. And why.
  std::int64_t failed_moves = 0;
  std::string move_error;
};

}  // namespace townd

namespace townd::sqlite {

/// Group commit: whatever waits when the writer is free is written in one transaction and made durable with one sync.
/// Owns the only thread that writes through its connection.
class CommitQueue {
 public:
  /// Writes one job's rows into the open transaction; failures stay in the connection.
  using Write = std::function<void(Connection&)>;
  /// Called on the writer's thread when the job is durable, or with the reason why its whole group is not.
  using Done = std::function<void(const expected<void>&)>;

  /// Told on the writer's thread how many jobs a group held and how many seconds it took.
  using Written = std::function<void(std::size_t jobs, double seconds)>;

  CommitQueue(Connection& writer, int pages_before_move, Written written = {});
  /// Writes what still waits.
  ~CommitQueue();

  /// Not bounded here: who commits waits for the answer before it commits the same town again.
  void push(Write write, Done done);

  [[nodiscard]] CommitCounters counters() const;

 private:
  struct Job {
    Write write;
    Done done;
  };

  void run();
  std::deque<Job> next_group();
  expected<void> write_group(const std::deque<Job>& group);
  void move_into_file();

  Connection& db_;
  const int pages_before_move_;
  const Written written_;
  int pages_to_move_at_;
  int pages_in_wal_ = 0;  ///< as of the last commit; the writer's thread only
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Job> waiting_;
  bool closing_ = false;
  CommitCounters counters_;
  std::thread thread_;
};

}  // namespace townd::sqlite
