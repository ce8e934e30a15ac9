#include "http/signature.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace townd::http {

std::string signature(std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), sum.data(), &length);
  std::string made = "sha256=";
  for (unsigned i = 0; i < length; ++i) {
    made += "0123456789abcdef"[sum[i] >> 4];
    made += "0123456789abcdef"[sum[i] & 15];
  }
  return made;
}

bool signed_with(std::string_view secret, std::string_view text, std::string_view signature) {
  const std::string right = http::signature(secret, text);
  return signature.size() == right.size() && CRYPTO_memcmp(signature.data(), right.data(), right.size()) == 0;
}

bool knows(std::string_view secret, std::string_view said) {
  return signed_with(secret, said,
                     signature(secret, secret));  // sums of one length, whatever the length of what is said
}

}  // namespace townd::http
