#pragma once

#include <memory>
#include <string>

#include "core/expected.hpp"
#include "core/time.hpp"

struct ssl_ctx_st;

namespace townd {

/// Files in PEM: the certificate, followed by those between it and its authority, and its key.
struct TlsFiles {
  std::string cert;
  std::string key;
};

/// Who the daemon is to those who connect with TLS: a certificate and its key, and the protocol's least version, 1.2.
/// Read once; a renewed certificate is taken up by a restart.
class TlsIdentity {
 public:
  /// An error (`invalid`) says which file cannot be used and why: unreadable, no PEM, a key that others may read, not
  /// the certificate's key, not valid at `now`.
  static expected<TlsIdentity> read(const TlsFiles& files, Instant now);

  /// Whether the certificate is for this name or address.
  [[nodiscard]] bool names(const std::string& host) const;
  /// OpenSSL's context, for the transport.
  [[nodiscard]] ssl_ctx_st* context() const { return context_.get(); }

 private:
  explicit TlsIdentity(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace townd
