#include "contract/store_contract.hpp"
#include "contract/store_listings_contract.hpp"
#include "contract/store_past_contract.hpp"
#include "scratch_folder.hpp"
#include "store/sqlite_store.hpp"

namespace townd {
namespace {

class SqliteSubject {
 public:
  SqliteSubject() { restart(); }
  Store& store() { return *store_; }
  void restart() {
    store_.reset();
    store_ = std::move(SqliteStore::open(folder_.path()).value());
  }

 private:
  ScratchFolder folder_;
  std::unique_ptr<SqliteStore> store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreContract, SqliteSubject);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreListings, SqliteSubject);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StorePast, SqliteSubject);

}  // namespace
}  // namespace townd
