#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/expected.hpp"
#include "git/spawn.hpp"

namespace townd {

/// Runs one gate after another in `folder` by `sh -c`, as interfaces.md "Security" has it.
class GateRunner {
 public:
  enum class Wrapper { none, own_processes, covered_processes };

  GateRunner(std::string folder, std::chrono::milliseconds timeout);

  /// The tail of its output, both streams, is in `out`; `echo` gets all of it, as it comes.
  [[nodiscard]] expected<Finished> run_gate(const std::string& gate,
                                            const std::function<void(std::string_view)>& echo = {}) const;
  /// Whether gates have a network of their own with loopback only, and see no process of ours.
  [[nodiscard]] bool confined() const { return wrapper_ != Wrapper::none; }

 private:
  std::string folder_;
  std::chrono::milliseconds timeout_;
  std::vector<std::string> env_;
  Wrapper wrapper_;
};

/// Valid UTF-8 without control characters other than line break and tab: what a gate printed, made fit to be sent.
std::string clean_text(const std::string& output);

}  // namespace townd
