#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/expected.hpp"
#include "core/time.hpp"
#include "http/web_address.hpp"
#include "observe/alert.hpp"

namespace townd {

/// Where Sentry takes events and who we are there: `https://KEY@HOST/PROJECT`.
struct Dsn {
  WebAddress at;
  std::string key;
  std::string secret;  ///< old ones have one
  std::string prefix;  ///< of the path, before the project
  std::string project;

  [[nodiscard]] std::string envelope_url() const;
  /// As it is told to Sentry in an envelope, without the secret.
  [[nodiscard]] std::string text() const;
};

/// No error repeats the text, as its key is a secret.
expected<Dsn> read_dsn(std::string_view text);

/// Headers for one envelope.
std::vector<std::string> sentry_headers(const Dsn& dsn, std::string_view version);

/// The event alone in an envelope (develop.sentry.dev/sdk/foundations/transport/envelopes).
std::string sentry_envelope(const Dsn& dsn, const Alert& alert, std::string_view version, Instant sent_at);

/// How long no error may be sent by the header X-Sentry-Rate-Limits, `60:error;default:key, 2700::organization`.
Duration rate_limit(std::string_view header);

}  // namespace townd
