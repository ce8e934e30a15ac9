#include "observe/spool.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "observe/quiet_hours.hpp"
#include "observe/repeats.hpp"
#include "store/scratch_folder.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;
constexpr Instant kNow{1'700'000'000'000};

Alert numbered(int number) {
  Alarm alarm;
  alarm.kind = "escalation";
  alarm.subject = std::to_string(number);
  return make_alert(alarm, kNow, "", "node");
}

std::string subjects(Spool& spool) {
  std::string all;
  for (const Spool::Waiting& one : spool.all()) all += one.alert.subject + " ";
  return all;
}

TEST(Spools, keep_what_waits_over_a_restart_in_its_order) {
  const ScratchFolder folder;
  {
    Spool spool(folder.path() / "sink", 10);
    for (int i = 1; i <= 3; ++i) EXPECT_TRUE(spool.put(numbered(i)));
    spool.remove(spool.front()->name);
  }
  std::ofstream(folder.path() / "sink" / "0000000000000009-x.json.part") << "half";
  Spool spool(folder.path() / "sink", 10);
  EXPECT_EQ(subjects(spool), "2 3 ");
  EXPECT_TRUE(spool.put(numbered(4)));
  EXPECT_EQ(subjects(spool), "2 3 4 ");
  EXPECT_EQ(spool.dropped(), 0);
  EXPECT_FALSE(fs::exists(folder.path() / "sink" / "0000000000000009-x.json.part"));
  struct stat about {};
  ASSERT_EQ(::stat((folder.path() / "sink").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
}

TEST(Spools, take_as_many_as_fit_and_drop_the_oldest_for_one_more) {
  const ScratchFolder folder;
  Spool spool(folder.path() / "sink", 3);
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(spool.put(numbered(i)));
  EXPECT_EQ(spool.dropped(), 0);
  const std::string oldest = spool.front()->name;
  EXPECT_TRUE(spool.put(numbered(4)));
  EXPECT_EQ(spool.dropped(), 1);
  EXPECT_EQ(subjects(spool), "2 3 4 ");
  spool.remove(oldest);  // it was on its way meanwhile
  EXPECT_EQ(spool.size(), 3u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path() / "sink"), {}), 3);
  Spool smaller(folder.path() / "sink", 1);
  EXPECT_EQ(subjects(smaller), "4 ");
  EXPECT_EQ(smaller.dropped(), 2);
}

TEST(Spools, drop_and_count_what_was_damaged) {
  const ScratchFolder folder;
  {
    Spool spool(folder.path() / "sink", 10);
    for (int i = 1; i <= 2; ++i) EXPECT_TRUE(spool.put(numbered(i)));
    std::ofstream(folder.path() / "sink" / spool.front()->name, std::ios::trunc) << "{";
  }
  Spool spool(folder.path() / "sink", 10);
  EXPECT_EQ(spool.front()->alert.subject, "2");
  EXPECT_EQ(spool.dropped(), 1);
}

TEST(Spools, keep_in_memory_what_the_disk_does_not_take) {
  const ScratchFolder folder;
  std::ofstream(folder.path() / "sink") << "no folder";
  Spool spool(folder.path() / "sink", 10);
  EXPECT_FALSE(spool.put(numbered(1)));
  EXPECT_EQ(spool.front()->alert.subject, "1");
  spool.remove(spool.front()->name);
  EXPECT_EQ(spool.size(), 0u);
}

TEST(RepeatsOfATrouble, are_told_once_in_a_while_and_after_a_restart_too) {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "told.json";
  {
    Repeats repeats(file, hours(1));
    EXPECT_TRUE(repeats.fresh("a", kNow));
    EXPECT_FALSE(repeats.fresh("a", kNow + minutes(59)));
    EXPECT_TRUE(repeats.fresh("b", kNow));
    repeats.save();
  }
  Repeats repeats(file, hours(1));
  EXPECT_FALSE(repeats.fresh("a", kNow + minutes(59)));
  EXPECT_TRUE(repeats.fresh("a", kNow + hours(1)));
  EXPECT_FALSE(repeats.fresh("a", kNow + hours(1)));
  EXPECT_TRUE(repeats.fresh("a", kNow)) << "the clock was put back";
}

TEST(RepeatsOfATrouble, are_forgotten_beyond_a_bound) {
  const ScratchFolder folder;
  Repeats repeats("/dev/null/told.json", hours(1));
  for (std::size_t i = 0; i < Repeats::kRemembered; ++i)
    EXPECT_TRUE(repeats.fresh(std::to_string(i), kNow + Duration{static_cast<std::int64_t>(i)}));
  const Instant later = kNow + minutes(1);
  EXPECT_FALSE(repeats.fresh("0", later));
  EXPECT_TRUE(repeats.fresh("one more", later));
  EXPECT_TRUE(repeats.fresh("0", later));
}

class Quiet : public testing::Test {
 protected:
  Quiet() {
    ::setenv("TZ", "UTC-2", 1);  // two hours east
    ::tzset();
  }
  ~Quiet() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST_F(Quiet, hours_are_those_of_the_clock_on_the_wall) {
  const QuietHours night = *read_quiet_hours("22:00-07:00");
  const Instant midnight{1'699'912'800'000};  // 2023-11-14T00:00+02:00
  const auto at = [&](int hour, int minute) { return midnight + hours(hour) + minutes(minute); };
  ASSERT_EQ(minute_of_day(midnight), 0);
  EXPECT_EQ(quiet_for(night, at(21, 59)), Duration{});
  EXPECT_EQ(quiet_for(night, at(22, 0)), hours(9));
  EXPECT_EQ(quiet_for(night, at(0, 0)), hours(7));
  EXPECT_EQ(quiet_for(night, at(6, 59) + seconds(30)), seconds(30));
  EXPECT_EQ(quiet_for(night, at(7, 0)), Duration{});
  const QuietHours noon = *read_quiet_hours("12:00-13:30");
  EXPECT_EQ(quiet_for(noon, at(13, 0)), minutes(30));
  EXPECT_EQ(quiet_for(noon, at(14, 0)), Duration{});
}

TEST_F(Quiet, hours_that_are_none_are_refused) {
  for (const char* text : {"", "22:00", "22:00-", "22-07", "24:00-07:00", "22:60-07:00", "07:00-07:00", "2:00-7:00",
                           "22:00-07:00 ", "aa:bb-cc:dd"})
    EXPECT_FALSE(read_quiet_hours(text)) << text;
}

}  // namespace
}  // namespace townd
