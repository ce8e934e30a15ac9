#include "server/incidents.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "codec/bundle.hpp"
#include "engine/past.hpp"
#include "server/version.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

constexpr Duration kOncePer = hours(24);

void remove_oldest(const fs::path& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> bundles;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".bundle") bundles.emplace_back(entry.last_write_time(ignored), entry.path());
  std::sort(bundles.begin(), bundles.end());
  for (std::size_t i = 0; i + kIncidentsKept < bundles.size(); ++i) fs::remove(bundles[i].second, ignored);
}

expected<void> write_incident(Store& store, const TownId& town, const TickRecord& record, const std::string& about,
                              const fs::path& folder) {
  auto bundle = bundle_of(store, town, {record.at, record.at});
  if (!bundle) return tl::unexpected(bundle.error());
  bundle->about = about;
  bundle->build = kVersion;
  const std::string bytes = write_bundle(*bundle);
  std::error_code problem;
  fs::create_directories(folder, problem);
  fs::permissions(folder, fs::perms::owner_all, problem);
  const fs::path path = folder / incident_file(town, record.number);
  const fs::path part = path.string() + ".part";
  std::ofstream file(part, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) fs::rename(part, path, problem);
  if (!file || problem)
    return fail(Error::Code::internal, "cannot write " + path.string(), "see whether the disk is full");
  remove_oldest(folder);
  return {};
}

}  // namespace

std::string incident_file(const TownId& town, std::int64_t tick) {
  return town.text + "-tick-" + std::to_string(tick) + ".bundle";
}

Incidents::Incidents(Observer& told, Store& store, Workers& workers, const Clock& clock, const std::string& data)
    : told_(told), store_(store), workers_(workers), clock_(clock), folder_(data + "/bundles") {}

void Incidents::ticked(const Ticked& tick) {
  const TownId& town = tick.town.row().town_id;
  const TickRecord& record = tick.record;
  std::string troubles;
  for (const Violation& violation : record.violations) {
    const std::string trouble = "invariant " + std::to_string(violation.invariant) + " " + violation.rule;
    if (fresh(town, trouble)) troubles += (troubles.empty() ? "" : ", ") + trouble;
  }
  if (!troubles.empty()) keep(town, record, troubles);
}

void Incidents::differs(const TownId& town, const Difference& difference) {
  const std::string trouble = "decided again otherwise: " + difference.what;
  if (fresh(town, trouble)) keep(town, difference.recorded, trouble);
}

bool Incidents::fresh(const TownId& town, const std::string& trouble) {
  const Instant now = clock_.now();
  const auto [known, first] = kept_.try_emplace(town.text + " " + trouble, now);
  if (!first && now - known->second < kOncePer) return false;
  known->second = now;
  return true;
}

/// Called on the engine's thread; the bundle is made on a worker's, which has the commit of this tick to read.
void Incidents::keep(const TownId& town, const TickRecord& record, const std::string& trouble) {
  workers_.post([this, town, record, about = "tick " + std::to_string(record.number) + ": " + trouble] {
    try {
      if (const auto written = write_incident(store_, town, record, about, folder_); !written)
        told_.alarm({"bundle_failed", town, written.error().what});
    } catch (const std::exception& thrown) {
      told_.alarm({"bundle_failed", town, thrown.what()});
    }
  });
}

}  // namespace townd
