#include "server/workers.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

namespace townd {

struct Workers::State {
  explicit State(int threads) : pool(static_cast<std::size_t>(threads)) {}
  boost::asio::thread_pool pool;
};

Workers::Workers(int threads) : state_(std::make_unique<State>(threads)) {}
Workers::~Workers() { stop(); }

void Workers::post(std::function<void()> job) { boost::asio::post(state_->pool, std::move(job)); }
void Workers::stop() { state_->pool.join(); }

}  // namespace townd
