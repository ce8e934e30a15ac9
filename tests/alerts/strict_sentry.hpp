#pragma once

#include <set>
#include <string>
#include <vector>

#include "codec/json.hpp"
#include "receiver.hpp"

namespace townd::test {

/// A Sentry that takes nothing but what the protocol's pages describe: path, headers, the envelope's and the item's
/// structure, lengths, ids, and no field that an event does not have.
class StrictSentry {
 public:
  StrictSentry(std::string key, std::string project) : key_(std::move(key)), project_(std::move(project)) {}

  /// Takes the event of a request, or says what is wrong with it.
  std::string take(const Received& request);

  std::vector<json::object> events;  ///< each once, by its id
  int doubles = 0;

 private:
  std::string head_trouble(const Received& request) const;
  std::string body_trouble(const std::string& body);

  const std::string key_;
  const std::string project_;
  std::set<std::string> ids_;
};

}  // namespace townd::test
