#include "store/inspect.hpp"

#include <system_error>

#include "store/data_folder.hpp"
#include "store/schema.hpp"
#include "store/sqlite_store.hpp"
#include "store/town_reader.hpp"

namespace townd {

expected<std::vector<TownImage>> inspect_store(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / SqliteStore::kFileName;
  std::error_code problem;
  const bool there = std::filesystem::exists(file, problem);
  if (problem)
    return fail(Error::Code::forbidden, "cannot look into " + folder.string() + ": " + problem.message(),
                "Do it as the user that the daemon runs as.");
  if (!there)
    return fail(Error::Code::not_found, "there is no store in " + folder.string(),
                "Name the daemon's data folder with --data DIR.");
  const auto locked = DataFolder::lock(folder);  // nobody begins to write meanwhile
  if (!locked) return tl::unexpected<Error>(locked.error());
  const auto db = sqlite::Connection::open(file.string(), sqlite::Connection::Mode::read_only, {});
  if (!db) return tl::unexpected<Error>(db.error());
  if (const auto whole = sqlite::check_every_page(**db, file.string()); !whole)
    return tl::unexpected<Error>(whole.error());
  const auto towns = sqlite::read_towns(**db);
  if (!towns) return tl::unexpected<Error>(towns.error());
  std::vector<TownImage> images;
  for (const TownId& town : *towns) {
    auto loaded = sqlite::read_town(**db, town);
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    images.push_back(std::move(loaded->image));
  }
  return images;
}

}  // namespace townd
