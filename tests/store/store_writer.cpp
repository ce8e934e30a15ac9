#include <unistd.h>

#include <cstdio>

#include "scripted_history.hpp"
#include "store/sqlite_store.hpp"

/// Goes on with the scripted history in the folder named by its argument until it is killed; after each round it says
/// how far it was acknowledged.
int main(int argc, char** argv) {
  using namespace townd;
  if (argc != 2) return 2;
  const auto store = SqliteStore::open(argv[1]);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().what.c_str());
    return 1;
  }
  Progress progress = found_in(**store);
  for (;;) {
    const Played played = play(**store, progress, 1);
    if (!played.failure.empty()) {
      std::fprintf(stderr, "%s\n", played.failure.c_str());
      return 1;
    }
    progress = played.acknowledged;
    std::printf("%lld %lld\n", static_cast<long long>(progress.a), static_cast<long long>(progress.b));
    std::fflush(stdout);
  }
}
