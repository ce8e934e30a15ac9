#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "ports/run_folder.hpp"
#include "shim/files.hpp"
#include "shim/keeper.hpp"

namespace {

// Exit codes that townd reads when no status was written.
constexpr int kUsage = 2;
constexpr int kAlreadyKept = 3;  // another keeper holds the run
constexpr int kStopped = 4;      // the run has a tombstone: it is not to be started any more
constexpr int kBadSpec = 5;

}  // namespace

int main(int argc, char** argv) {
  using namespace townd;
  if (argc != 2) {
    std::fputs("usage: townd-shim RUN_FOLDER\ntownd starts it; there is nothing to do with it by hand.\n", stderr);
    return kUsage;
  }
  const std::string folder = argv[1];
  // Held for as long as the keeper lives, so that a lock taken by another proves that no keeper is left.
  const shim::Fd lock{::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  struct flock whole {};
  whole.l_type = F_WRLCK;
  if (!lock || ::fcntl(lock.get(), F_OFD_SETLK, &whole) != 0) return kAlreadyKept;
  if (::access((folder + "/tombstone").c_str(), F_OK) == 0) return kStopped;
  const auto text = shim::read_file(folder + "/spec");
  const auto spec = text ? run_folder::read_spec(*text) : std::nullopt;
  if (!spec || spec->command.empty()) {
    std::fprintf(stderr, "townd-shim: %s/spec cannot be read or is of another version\n", folder.c_str());
    return kBadSpec;
  }
  return shim::Keeper{folder, *spec}.run();
}
