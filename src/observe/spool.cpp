#include "observe/spool.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>

#include "observe/durable_file.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigits = 16;  ///< of the number that names begin with, so that they sort as they came
constexpr std::string_view kSpooled = ".json";

std::string spooled_name(std::uint64_t number, const std::string& id) {
  std::string digits = std::to_string(number);
  digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
  return digits + "-" + id + std::string(kSpooled);
}

}  // namespace

Spool::Spool(fs::path folder, std::size_t limit) : folder_(std::move(folder)), limit_(limit) {
  std::error_code ignored;
  fs::create_directories(folder_, ignored);
  fs::permissions(folder_, fs::perms::owner_all, ignored);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(kSpooled))
      names.push_back(name);
    else
      fs::remove(entry.path(), ignored);  // half written when the process ended
  }
  std::sort(names.begin(), names.end());
  for (std::string& name : names) {
    std::uint64_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    next_ = std::max(next_, number + 1);
    waiting_.push_back({std::move(name), std::nullopt});
  }
  while (waiting_.size() > limit_) drop_front();
}

expected<void> Spool::put(const Alert& alert) {
  while (waiting_.size() >= limit_) drop_front();
  Entry entry{spooled_name(next_++, alert.id), std::nullopt};
  auto written = write_durably(folder_ / entry.name, to_text(alert));
  if (!written) entry.alert = alert;
  waiting_.push_back(std::move(entry));
  return written;
}

void Spool::sync() const { sync_folder(folder_); }

std::optional<Spool::Waiting> Spool::front() {
  while (!waiting_.empty()) {
    if (auto alert = read(waiting_.front())) return Waiting{waiting_.front().name, std::move(*alert)};
    drop_front();
  }
  return std::nullopt;
}

std::vector<Spool::Waiting> Spool::all() {
  std::vector<Waiting> found;
  for (const Entry& entry : waiting_)
    if (auto alert = read(entry)) found.push_back({entry.name, std::move(*alert)});
  return found;
}

void Spool::remove(const std::string& name) {
  const auto gone = std::erase_if(waiting_, [&](const Entry& entry) { return entry.name == name; });
  std::error_code ignored;
  if (gone != 0) fs::remove(folder_ / name, ignored);
}

void Spool::postpone(const std::string& name) {
  if (waiting_.empty() || waiting_.front().name != name) return;
  waiting_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
}

void Spool::drop_front() {
  ++dropped_;
  remove(std::string(waiting_.front().name));
}

std::optional<Alert> Spool::read(const Entry& entry) const {
  if (entry.alert) return entry.alert;
  std::ifstream file(folder_ / entry.name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto alert = alert_from_text(text);
  if (!alert) return std::nullopt;
  return std::move(*alert);
}

}  // namespace townd
