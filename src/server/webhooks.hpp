#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "core/expected.hpp"
#include "server/rates.hpp"

namespace townd {

/// How a forge shows that a webhook is its own.
enum class WebhookProof {
  signature,  ///< of the body, with the secret
  token,      ///< the secret itself
};

struct WebhookSender {
  WebhookProof proof = WebhookProof::signature;
  std::string secret;  ///< empty: it tells nothing
};

/// Who may tell townd of its own accord that a pull request has changed: forges that prove that they know their secret,
/// each delivery once, a few in a second.
class Webhooks {
 public:
  static constexpr int kPerSecond = 10;
  static constexpr std::size_t kRemembered = 10'000;  ///< deliveries

  /// By forge, such as `github`.
  explicit Webhooks(std::map<std::string, WebhookSender> senders) : senders_(std::move(senders)) {}

  /// Whether this delivery for a rig is to be believed and new; an error is what its sender is told.
  expected<bool> take(const std::string& forge, const std::string& rig, std::string_view proof, std::string_view body,
                      const std::string& delivery, Instant now);

 private:
  const std::map<std::string, WebhookSender> senders_;
  Rates rates_{kPerSecond};
  std::mutex mutex_;  ///< of what follows
  std::set<std::string> known_;
  std::deque<std::string> order_;
};

}  // namespace townd
