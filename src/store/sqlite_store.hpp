#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "ports/store.hpp"
#include "store/commit_queue.hpp"
#include "store/data_folder.hpp"
#include "store/sqlite.hpp"
#include "store/sync_counter.hpp"

namespace townd {

struct SqliteOptions {
  /// SQLite's layer to the operating system; empty is the default one. Tests put a failing disk here.
  std::string file_layer;
  /// The WAL is moved into the file when it has this many pages of 4 KiB: 4 MiB take some 5 ms.
  int pages_before_move = 1000;
  /// Told on the writer's thread what each group commit held and how long it took, its sync included.
  sqlite::CommitQueue::Written written = {};
};

/// All towns of a node in the file `townd.db` of a data folder that is locked as long as the store is open.
class SqliteStore final : public Store {
 public:
  static constexpr const char* kFileName = "townd.db";  ///< in the data folder

  static expected<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& folder, SqliteOptions options = {});
  /// Everything committed is written and answered first.
  ~SqliteStore() override;

  expected<std::vector<TownId>> towns() override;
  expected<LoadedTown> load(const TownId& town) override;
  void commit(TownCommit commit, Committed done) override;

  expected<std::vector<EventRow>> events(const TownId& town, const EventQuery& query) override;
  expected<std::vector<TickRow>> ticks(const TownId& town, const TickQuery& query) override;
  expected<std::vector<Event>> pending(const TownId& town) override;
  expected<std::vector<StoredEffect>> effects(const TownId& town, const std::vector<std::string>& keys) override;
  expected<std::vector<RecordedTick>> recorded(const TownId& town, std::int64_t after, int limit) override;
  expected<SnapshotMade> keep_snapshot(const TownId& town) override;
  expected<std::vector<SnapshotMade>> snapshots(const TownId& town) override;
  expected<KeptSnapshot> snapshot(const TownId& town, Instant latest) override;
  expected<std::vector<HistoryRow>> history(const TownId& town, const BeadId& bead, int limit) override;
  expected<std::optional<std::string>> text(const TownId& town, const Hash128& hash) override;

  expected<std::int64_t> add_agent_event(const TownId& town, const AgentId& agent, AgentEventRow row) override;
  expected<std::vector<AgentEventRow>> agent_events(const TownId& town, const AgentId& agent, std::int64_t after,
                                                    int limit) override;

  expected<void> put_token(const TokenRow& token) override;
  expected<std::vector<TokenRow>> tokens() override;

  expected<std::int64_t> prune(Instant before) override;

  [[nodiscard]] CommitCounters counters() const;
  /// Looks at every page of the file (some 300 MB a second). An error names the first thing that is wrong.
  expected<void> check();

 private:
  SqliteStore(DataFolder folder, std::unique_ptr<SyncCounter> file_layer);
  expected<void> connect(const std::string& path, SqliteOptions options);
  /// Runs `read` on the one connection for reading.
  template <class Read>
  auto reading(Read read);
  /// Runs `write` in a group of the writer and waits until it is durable.
  template <class Write>
  expected<void> writing(Write write);

  // In the order in which they are needed: the lock is let go of last.
  DataFolder folder_;
  std::unique_ptr<SyncCounter> file_layer_;
  std::unique_ptr<sqlite::Connection> writer_;
  std::mutex reading_;
  std::unique_ptr<sqlite::Connection> reader_;
  std::unique_ptr<sqlite::CommitQueue> queue_;
};

}  // namespace townd
