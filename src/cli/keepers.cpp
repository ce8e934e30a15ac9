#include "cli/keepers.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <utility>
#include <vector>

#include "runtime/keeper_link.hpp"

namespace townd::cli {

namespace {

constexpr int kEndWithinMs = 30'000;

}  // namespace

expected<int> stop_keepers(const std::string& data) {
  std::vector<File> keepers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(data + "/runs", error)) {
    const KeeperLink link(entry.path().string());
    if (!link.kept()) continue;  // over, or the copy of another folder's run
    File keeper = link.open_keeper();
    if (!keeper) continue;
    syscall(SYS_pidfd_send_signal, keeper.get(), SIGTERM, nullptr, 0);
    keepers.push_back(std::move(keeper));
  }
  int late = 0;
  for (const File& keeper : keepers) {
    pollfd ended{keeper.get(), POLLIN, 0};
    int polled = 0;
    do polled = poll(&ended, 1, kEndWithinMs);
    while (polled < 0 && errno == EINTR);
    if (polled == 0) ++late;
  }
  if (late > 0)
    return fail(Error::Code::internal, std::to_string(late) + " agents have not ended within half a minute",
                "Their keepers are the townd-shim processes of " + data + "/runs");
  return static_cast<int>(keepers.size());
}

}  // namespace townd::cli
