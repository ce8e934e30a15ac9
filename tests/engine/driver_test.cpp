#include "engine/driver.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "engine/pool.hpp"
#include "tests/engine/node.hpp"

namespace townd {
namespace {

/// The one test here with threads: its clock moves only by hand, so only submissions wake it.
TEST(DriverTest, ItAnswersFromItsOwnThreadAndStopsWithEverythingAnswered) {
  sim::Complaints complaints;
  sim::FakeClock clock;
  sim::FakeStore store(complaints);
  sim::FakeForge forge(complaints);
  sim::FakeRuntime runtime(clock, forge, complaints, 1);
  Told told;
  Engine engine(Ports{store, runtime, forge, told, clock}, {});
  Driver driver(engine, clock);
  ASSERT_TRUE(engine.open());
  driver.start();

  std::promise<expected<Receipt>> made;
  TownRow row;
  row.town_id = TownId("town");
  engine.create_town(row, [&](expected<Receipt> receipt) { made.set_value(std::move(receipt)); });
  ASSERT_TRUE(made.get_future().get());

  std::atomic<int> answers = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        events::BeadCreated bead;
        bead.title = "a bead";
        engine.submit(TownId("town"), std::move(bead), [&](const expected<Receipt>& receipt) {
          if (receipt) ++answers;
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  driver.stop();
  EXPECT_EQ(answers, 200);
  driver.stop();
  EXPECT_TRUE(complaints.all().empty());
}

TEST(PoolTest, StopWaitsForWhatWasHandedIn) {
  std::atomic<int> done = 0;
  {
    Pool pool(3);
    for (int i = 0; i < 100; ++i) pool.run([&] { ++done; });
  }
  EXPECT_EQ(done, 100);
}

TEST(PoolTest, ASlowJobDoesNotKeepAnotherWaiting) {
  Pool pool(2);
  std::promise<void> second_ran;
  pool.run([&] { second_ran.get_future().wait(); });
  pool.run([&] { second_ran.set_value(); });
  pool.stop();
}

}  // namespace
}  // namespace townd
