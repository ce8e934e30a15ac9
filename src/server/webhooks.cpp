#include "server/webhooks.hpp"

#include "http/signature.hpp"

namespace townd {
namespace {

bool proves(const WebhookSender& sender, std::string_view proof, std::string_view body) {
  return sender.proof == WebhookProof::token ? http::knows(sender.secret, proof)
                                             : http::signed_with(sender.secret, body, proof);
}

}  // namespace

expected<bool> Webhooks::take(const std::string& forge, const std::string& rig, std::string_view proof,
                              std::string_view body, const std::string& delivery, Instant now) {
  const auto sender = senders_.find(forge);
  if (sender == senders_.end() || sender->second.secret.empty())
    return fail(Error::Code::forbidden, "no webhook of " + forge + " is set up",
                "give its webhook_secret in townd.toml and start townd again");
  if (!proves(sender->second, proof, body))
    return fail(Error::Code::forbidden, "its signature or token is not right",
                "give the forge the secret that townd.toml has");
  if (!rates_.take(forge, now))
    return fail(Error::Code::too_many, "more than " + std::to_string(kPerSecond) + " deliveries in a second",
                "what it is about is noticed by polling");
  constexpr std::size_t kLongestId = 200;
  if (delivery.empty() || delivery.size() > kLongestId)
    return fail(Error::Code::invalid, "the delivery has no id by which it would be known again");
  const std::lock_guard lock(mutex_);
  // The id is not signed: what was sent before is known by its signature, too. Who knows the token needs no old ones.
  const std::string to = forge + " " + rig + " ";
  const bool has_signature = sender->second.proof == WebhookProof::signature;
  const std::string first = to + delivery, second = has_signature ? to + std::string(proof) : first;
  if (known_.contains(first) || known_.contains(second)) return false;
  known_.insert({first, second});
  order_.push_back(first);
  order_.push_back(second);
  while (order_.size() > 2 * kRemembered) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

}  // namespace townd
