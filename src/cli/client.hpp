#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/place.hpp"
#include "cli/transport.hpp"
#include "codec/json.hpp"
#include "core/expected.hpp"

namespace townd::cli {

/// One item of the live stream.
struct StreamEvent {
  std::string id;    ///< for Last-Event-ID
  std::string kind;  ///< `tick bead agent alert`
  std::string data;
};

/// The daemon's operations by name. Method and path come from the server's own table (server/operations.hpp), so that
/// there is one truth about them.
class Client {
 public:
  explicit Client(Place place);

  /// The values of the path's parameters, such as {{"town", id}, {"bead", id}}.
  using Path = std::vector<std::pair<std::string, std::string>>;

  /// Calls an operation. `fields` become the query of a GET and the JSON body of everything else. Answers the `data`
  /// of the envelope; what the daemon refuses is an Error with its words. An agent's call waits for a daemon that is
  /// being restarted, under one idempotency key.
  expected<json::value> call(std::string_view operation, const Path& path, json::object fields = {});

  /// The body of an operation that answers without the envelope.
  expected<std::string> fetch(std::string_view operation, const Path& path, const json::object& query = {});

  /// Follows an operation's stream until `take` says false or the daemon closes it. `last_event_id` resumes behind
  /// that item; empty: from now on.
  expected<void> follow(std::string_view operation, const Path& path, json::object query,
                        const std::function<bool(const StreamEvent&)>& take, const std::string& last_event_id = {},
                        const Meanwhile& meanwhile = {});

  /// The same for an operation that answers plain text as it comes.
  expected<void> follow_text(std::string_view operation, const Path& path, json::object query,
                             const std::function<bool(std::string_view)>& take);

  [[nodiscard]] const Place& place() const { return place_; }

 private:
  Place place_;
  Transport transport_;
};

}  // namespace townd::cli
