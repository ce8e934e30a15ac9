#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/expected.hpp"
#include "core/time.hpp"
#include "ports/observer.hpp"

namespace townd {

enum class AlertLevel { warning, error };
BOOST_DESCRIBE_ENUM(AlertLevel, warning, error)

/// An alarm on its way to people. This as JSON is what waits on disk, what a webhook gets and what a command reads.
struct Alert {
  std::string id;  ///< 32 hexadecimal digits; the same at each try, so that a receiver can tell doubles
  Instant at;
  AlertLevel level = AlertLevel::warning;
  std::string kind;
  std::string town;
  std::string message;
  std::string subject;
  int invariant = 0;
  std::string rule;
  std::int64_t tick = 0;
  std::string bundle;  ///< the file that holds what happened, for a violation
  std::string node;    ///< the machine's name
  int count = 1;       ///< how many of its kind it stands for
};
BOOST_DESCRIBE_STRUCT(Alert, (),
                      (id, at, level, kind, town, message, subject, invariant, rule, tick, bundle, node, count))

/// Longer messages are cut: Sentry keeps no more than this of one, and a spool must have a bound.
inline constexpr std::size_t kAlertMessage = 8192;

/// An alarm with an id of its own; texts are made valid UTF-8. `bundles` is the folder of incidents' bundles.
Alert make_alert(const Alarm& alarm, Instant at, const std::string& bundles, const std::string& node);

/// One alert for those of one kind that were held back. The same alerts give the same id.
Alert digest_of(const std::vector<Alert>& held, Instant at);

/// What makes two alerts one trouble: for a violation the invariant and the rule, otherwise kind, town and subject.
std::vector<std::string> fingerprint(const Alert& alert);

std::string to_text(const Alert& alert);
expected<Alert> alert_from_text(const std::string& text);

}  // namespace townd
