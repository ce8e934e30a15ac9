#pragma once

#include "ports/store.hpp"
#include "store/sqlite.hpp"

namespace townd::sqlite {

/// Brings the tables of the current state in line with one changed row. Failures stay in the connection.
void write_row(Connection& db, const TownId& town, const RowChange& change);

}  // namespace townd::sqlite
