#include "observe/process_numbers.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace townd {
namespace {

/// When this machine was started, in seconds since 1970.
double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;)
    if (double at = 0; word == "btime" && file >> at) return at;
  return 0;
}

}  // namespace

ProcessNumbers read_process() {
  ProcessNumbers numbers;
  std::ifstream file("/proc/self/stat");
  std::string stat;
  std::getline(file, stat);
  // proc(5): the name stands in brackets and may hold anything; the fields after it begin with the third.
  if (const auto name_ends = stat.rfind(") "); name_ends != std::string::npos) {
    std::istringstream rest(stat.substr(name_ends + 2));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
    const auto field = [&](std::size_t number) {
      return number - 3 < fields.size() ? std::strtod(fields.at(number - 3).c_str(), nullptr) : 0.0;
    };
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    numbers.cpu_seconds = (field(14) + field(15)) / ticks;
    numbers.started_at = boot_time() + field(22) / ticks;
    numbers.resident_bytes = field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }
  std::error_code problem;
  for (auto fd = std::filesystem::directory_iterator("/proc/self/fd", problem);
       !problem && fd != std::filesystem::directory_iterator(); fd.increment(problem))
    ++numbers.open_fds;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) numbers.max_fds = static_cast<double>(limit.rlim_cur);
  return numbers;
}

}  // namespace townd
