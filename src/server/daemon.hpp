#pragma once

#include <memory>

#include "core/expected.hpp"
#include "observe/log.hpp"
#include "server/daemon_options.hpp"

namespace townd {

/// A node put together: store, runtime, forge, engine, and the doors in front of them.
class Daemon {
 public:
  /// Everything is open, listening and working when this answers. The error says in a sentence what to do.
  static expected<std::unique_ptr<Daemon>> start(const DaemonOptions& options);
  /// Stops cleanly: answers what was asked, commits what was accepted, leaves agents running.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace townd
