#include "observe/webhook.hpp"

#include "http/signature.hpp"

namespace townd {

std::string webhook_signature(std::string_view secret, std::string_view timestamp, std::string_view body) {
  return http::signature(secret, std::string(timestamp) + "." + std::string(body));
}

std::vector<std::string> webhook_headers(const Webhook& webhook, const Alert& alert, std::string_view body,
                                         std::string_view version, Instant now) {
  const std::string timestamp = std::to_string(now.ms / 1000);
  return {"Content-Type: application/json", "User-Agent: townd/" + std::string(version),
          "X-Townd-Timestamp: " + timestamp, "X-Townd-Delivery: " + alert.id,
          "X-Townd-Signature: " + webhook_signature(webhook.secret, timestamp, body)};
}

}  // namespace townd
