#pragma once

#include <span>
#include <string>

#include "store/sqlite.hpp"

namespace townd::sqlite {

/// The scripts of src/store/migrations, in order: the file's version is how many of them have run.
std::span<const char* const> migrations();

/// Makes the file one that this program can use: refuses what is not townd's or was written by a newer townd, sets how
/// it is written, and runs the migrations that it lacks, all of them or none. A refused file is not changed.
expected<void> bring_up_to_date(Connection& db, const std::string& path, std::span<const char* const> scripts);

/// Looks at every page of the file; the error names the first thing that is wrong.
expected<void> check_every_page(Connection& db, const std::string& path);

}  // namespace townd::sqlite
