#include <fstream>
#include <iostream>
#include <iterator>

#include "codec/bundle.hpp"
#include "core/replay.hpp"

/// Decides a bundle again and says whether it comes out the same: exit 0 when it does.
int main(int argc, char** argv) {
  using namespace townd;
  std::ifstream file(argc > 1 ? argv[1] : "", std::ios::binary);
  const auto bundle = read_bundle(std::string{std::istreambuf_iterator<char>(file), {}});
  if (!bundle) {
    std::cout << bundle.error().what << "\n";
    return 2;
  }
  const auto source = [&](std::int64_t after) -> expected<std::vector<RecordedTick>> {
    return after == bundle->start_tick ? bundle->ticks : std::vector<RecordedTick>{};
  };
  const auto again = run_again({bundle->start_tick, bundle->start_at, town_of(bundle->start)}, source,
                               {bundle->start_at, bundle->until});
  if (again && !again->first_difference) {
    std::cout << "matches\n";
    return 0;
  }
  std::cout << (again ? "differs at tick " + std::to_string(again->first_difference->recorded.number)
                      : again.error().what)
            << "\n";
  return 1;
}
