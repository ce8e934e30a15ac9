#include "server/tls.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace townd {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

constexpr const char* kCertHint = "name a file in PEM with --tls-cert, or tls_cert in [server] of townd.toml";
constexpr const char* kKeyHint =
    "name the certificate's key in PEM with --tls-key, or tls_key in [server] of townd.toml";

/// What OpenSSL says about its first fault; its list is emptied.
std::string reason() {
  const char* text = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return text != nullptr ? text : "it is damaged";
}

/// A plain file, opened without waiting for anybody to write into a pipe.
expected<File> open_plain(const std::string& path, const std::string& what, const char* hint, struct stat& about) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail(Error::Code::invalid, "cannot read " + what + ": " + std::strerror(errno), hint);
  File file(::fdopen(fd, "r"), &std::fclose);
  if (!file || ::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
    return fail(Error::Code::invalid, "cannot read " + what + ": it is no plain file", hint);
  return file;
}

int no_password(char*, int, int, void*) { return -1; }

expected<Key> read_key(const std::string& path) {
  const std::string what = "the TLS key " + path;
  struct stat about {};
  const auto file = open_plain(path, what, kKeyHint, about);
  if (!file) return tl::unexpected(file.error());
  // Debian keeps keys of services in a group of root's (ssl-cert); any other group is other people.
  const mode_t open_to = about.st_mode & (about.st_uid == 0 ? S_IRWXO | S_IWGRP : S_IRWXO | S_IRWXG);
  if (open_to != 0)
    return fail(Error::Code::invalid, "will not use " + what + ": others can read or change it", "chmod 600 " + path);
  Key key(PEM_read_PrivateKey(file->get(), nullptr, &no_password, nullptr), &EVP_PKEY_free);
  if (!key)
    return fail(Error::Code::invalid, "cannot use " + what + ": it holds no key in PEM without a password", kKeyHint);
  return key;
}

expected<void> read_certificates(SSL_CTX* context, const std::string& path) {
  const std::string what = "the TLS certificate " + path;
  struct stat about {};
  if (const auto file = open_plain(path, what, kCertHint, about); !file) return tl::unexpected(file.error());
  if (SSL_CTX_use_certificate_chain_file(context, path.c_str()) != 1)
    return fail(Error::Code::invalid, "cannot use " + what + ": " + reason(), kCertHint);
  return {};
}

expected<void> valid_at(const X509* certificate, const std::string& path, Instant now) {
  std::time_t seconds = now.ms / 1000;
  if (X509_cmp_time(X509_get0_notAfter(certificate), &seconds) <= 0)
    return fail(Error::Code::invalid, "will not use the TLS certificate " + path + ": it has expired",
                "have it renewed, then start townd again");
  if (X509_cmp_time(X509_get0_notBefore(certificate), &seconds) > 0)
    return fail(Error::Code::invalid, "will not use the TLS certificate " + path + ": it is not valid yet",
                "see whether this machine's clock is right");
  return {};
}

}  // namespace

expected<TlsIdentity> TlsIdentity::read(const TlsFiles& files, Instant now) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1)
    return fail(Error::Code::internal, "cannot set up TLS: " + reason());
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (auto read = read_certificates(context.get(), files.cert); !read) return tl::unexpected(read.error());
  const auto key = read_key(files.key);
  if (!key) return tl::unexpected(key.error());
  const X509* certificate = SSL_CTX_get0_certificate(context.get());
  if (X509_check_private_key(certificate, key->get()) != 1)
    return fail(Error::Code::invalid, "the TLS key " + files.key + " is not the key of the certificate " + files.cert,
                kKeyHint);
  if (SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1)
    return fail(Error::Code::invalid, "cannot use the TLS key " + files.key + ": " + reason(), kKeyHint);
  if (auto valid = valid_at(certificate, files.cert, now); !valid) return tl::unexpected(valid.error());
  return TlsIdentity(std::move(context));
}

bool TlsIdentity::names(const std::string& host) const {
  X509* certificate = SSL_CTX_get0_certificate(context_.get());
  return X509_check_ip_asc(certificate, host.c_str(), 0) == 1 ||
         X509_check_host(certificate, host.c_str(), host.size(), 0, nullptr) == 1;
}

}  // namespace townd
