#include "observe/webhook.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace townd {

std::string webhook_signature(std::string_view secret, std::string_view timestamp, std::string_view body) {
  const std::string text = std::string(timestamp) + "." + std::string(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), sum.data(), &length);
  std::string signature = "sha256=";
  for (unsigned i = 0; i < length; ++i) {
    signature += "0123456789abcdef"[sum[i] >> 4];
    signature += "0123456789abcdef"[sum[i] & 15];
  }
  return signature;
}

std::vector<std::string> webhook_headers(const Webhook& webhook, const Alert& alert, std::string_view body,
                                         std::string_view version, Instant now) {
  const std::string timestamp = std::to_string(now.ms / 1000);
  return {"Content-Type: application/json", "User-Agent: townd/" + std::string(version),
          "X-Townd-Timestamp: " + timestamp, "X-Townd-Delivery: " + alert.id,
          "X-Townd-Signature: " + webhook_signature(webhook.secret, timestamp, body)};
}

}  // namespace townd
