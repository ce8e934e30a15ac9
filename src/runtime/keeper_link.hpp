#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/expected.hpp"
#include "core/time.hpp"
#include "ports/run_folder.hpp"
#include "runtime/files.hpp"

namespace townd {

/// townd's side of a run's folder: who keeps the run, what it said last, and how it is ended. Every call looks anew;
/// nothing is remembered, so that a restarted daemon sees what the one before it saw.
class KeeperLink {
 public:
  explicit KeeperLink(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] bool exists() const;
  [[nodiscard]] std::optional<run_folder::Spec> spec() const;
  [[nodiscard]] std::optional<run_folder::Status> status() const;
  [[nodiscard]] std::optional<run_folder::Activity> activity() const;

  /// Not to be started any more; survives everything.
  expected<void> put_tombstone() const;
  [[nodiscard]] bool has_tombstone() const;

  /// A keeper holds the run: its lock cannot be taken.
  [[nodiscard]] bool kept() const;
  /// What is said in here is about this folder. False for the copy of a data folder whose original is there: keeper,
  /// groups and processes that it names are the original's.
  [[nodiscard]] bool own() const;
  /// The keeper's process, when the folder is its own and it is the one that the status names by pid, start time, boot
  /// and run id; else none.
  [[nodiscard]] File open_keeper() const;

  /// Starts `shim` on the folder with exactly this environment. Its pid.
  expected<int> spawn(const std::string& shim, const std::map<std::string, std::string>& environment) const;

  /// Asks the keeper to end its run and waits; ends it by force when it does not answer within `patience`, and then
  /// whatever it left. `unavailable` when something is left all the same.
  expected<void> end(Duration patience) const;
  /// Ends processes whose keeper was killed: members of its groups, and those that carry the run's id in their
  /// environment. True when none is left. A copy's are nobody's here.
  [[nodiscard]] bool sweep() const;

  struct LogPart {
    std::int64_t from = 0;
    std::string bytes;
  };
  /// At most `limit` bytes of the output from `offset`; from the oldest kept byte when that is gone.
  [[nodiscard]] LogPart log(std::int64_t offset, std::int64_t limit) const;
  /// Its last bytes, beginning with a whole line.
  [[nodiscard]] std::string log_tail(std::int64_t bytes) const;
  /// Offset of the byte after the last.
  [[nodiscard]] std::int64_t log_end() const;

 private:
  [[nodiscard]] std::vector<std::int64_t> log_offsets() const;
  [[nodiscard]] std::vector<int> orphans() const;

  std::string folder_;
};

}  // namespace townd
