#include "forge/app_token.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <vector>

#include "codec/json.hpp"

namespace townd {
namespace {

constexpr Duration kClocksDiffer = seconds(60);
constexpr Duration kLasts = minutes(9);  ///< GitHub takes ten minutes at most

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};

/// The alphabet of URLs, without padding.
std::string base64url(const std::string& bytes) {
  std::string coded = base64(bytes);
  while (!coded.empty() && coded.back() == '=') coded.pop_back();
  for (char& c : coded) c = c == '+' ? '-' : (c == '/' ? '_' : c);
  return coded;
}

}  // namespace

std::string base64(const std::string& bytes) {
  std::vector<unsigned char> coded((bytes.size() + 2) / 3 * 4 + 1);
  const int length = EVP_EncodeBlock(coded.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  return {coded.begin(), coded.begin() + length};
}

expected<std::string> app_token(const std::string& app_id, const std::string& key, Instant now) {
  const std::unique_ptr<BIO, FreeBio> text(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  char no_password[] = "";
  const std::unique_ptr<EVP_PKEY, FreeKey> pair(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, no_password));
  if (!pair || EVP_PKEY_base_id(pair.get()) != EVP_PKEY_RSA)
    return fail(Error::Code::invalid, "the app's key is no private RSA key in PEM", "make one on the app's page");
  const json::object claims{
      {"iat", (now - kClocksDiffer).ms / 1000}, {"exp", (now + kLasts).ms / 1000}, {"iss", app_id}};
  const std::string said = base64url(R"({"alg":"RS256","typ":"JWT"})") + "." + base64url(json::serialize(claims));
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(said.data());
  std::size_t length = 0;
  std::string signature;
  bool signed_well = EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, pair.get()) == 1 &&
                     EVP_DigestSign(digest.get(), nullptr, &length, bytes, said.size()) == 1;
  signature.resize(length);
  signed_well = signed_well && EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                                              bytes, said.size()) == 1;
  if (!signed_well) return fail(Error::Code::internal, "the app's token cannot be signed");
  signature.resize(length);
  return said + "." + base64url(signature);
}

}  // namespace townd
