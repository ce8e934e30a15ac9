#include "contract/store_contract.hpp"
#include "contract/store_listings_contract.hpp"
#include "contract/store_past_contract.hpp"
#include "sim/fake_store.hpp"

namespace townd {
namespace {

/// The store that the engine's tests and the simulator use is held to the same contract.
class FakeSubject {
 public:
  Store& store() { return store_; }
  void restart() {}  // what it holds is what survives

 private:
  sim::Complaints complaints_;
  sim::FakeStore store_{complaints_};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Fake, StoreContract, FakeSubject);
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, StoreListings, FakeSubject);
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, StorePast, FakeSubject);

}  // namespace
}  // namespace townd
