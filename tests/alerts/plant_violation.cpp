#include <sqlite3.h>

#include <cstdlib>
#include <iostream>

/// plant-violation DATABASE: an agent that holds nothing works from now on, which invariant 7 forbids. For end-to-end
/// tests, while no townd has the database.
int main(int argc, char** argv) {
  if (argc != 2) return 2;
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) return 1;
  char* problem = nullptr;
  sqlite3_exec(db,
               "UPDATE agents SET status = 'working', row = json_set(row, '$.status', 'working') WHERE rowid = "
               "(SELECT rowid FROM agents WHERE status = 'idle' AND role = 'polecat' LIMIT 1)",
               nullptr, nullptr, &problem);
  if (problem != nullptr) std::cerr << problem << "\n";
  const int changed = sqlite3_changes(db);
  sqlite3_close(db);
  if (changed == 1) return EXIT_SUCCESS;
  std::cerr << "there is no idle agent to be changed\n";
  return EXIT_FAILURE;
}
