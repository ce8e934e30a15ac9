#pragma once

#include <optional>
#include <string>

#include "core/bundle.hpp"
#include "core/expected.hpp"
#include "core/replay.hpp"

namespace townd::cli {

/// A bundle (town-bundle/1) or a snapshot (town-snapshot/1) in a file: a town's past with no daemon.
class PastFile {
 public:
  static expected<PastFile> open(const std::string& path);

  /// A moment as it is given on the command line; the file's end when it is not.
  [[nodiscard]] expected<Instant> moment(const std::optional<std::string>& text) const;
  /// One of the file's past: not later than its end.
  [[nodiscard]] expected<Instant> past_moment(const std::optional<std::string>& text) const;
  [[nodiscard]] expected<Rerun> run_again(const Window& window, Variation variation = {}) const;
  /// Facts that had arrived by then and that no tick had taken.
  [[nodiscard]] std::vector<Event> pending_at(Instant at) const;
  [[nodiscard]] const Bundle& bundle() const { return bundle_; }

 private:
  explicit PastFile(Bundle bundle) : bundle_(std::move(bundle)) {}
  Bundle bundle_;
};

}  // namespace townd::cli
