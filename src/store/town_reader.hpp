#pragma once

#include "ports/store.hpp"
#include "store/sqlite.hpp"

namespace townd::sqlite {

expected<std::vector<TownId>> read_towns(Connection& db);
/// Everything that a town goes on from, as of one moment.
expected<LoadedTown> read_town(Connection& db, const TownId& town);

}  // namespace townd::sqlite
