#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/time.hpp"
#include "server/message.hpp"
#include "server/operation.hpp"

namespace townd {

/// The fields of a request, each already of the kind that the table says and within its limits.
class Arguments {
 public:
  Arguments() = default;
  explicit Arguments(json::object given) : given_(std::move(given)) {}

  [[nodiscard]] bool has(std::string_view name) const { return given_.contains(name); }
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise = {}) const;
  [[nodiscard]] std::optional<std::string> maybe_text(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise = 0) const;
  [[nodiscard]] bool truth(std::string_view name) const;
  [[nodiscard]] MaybeInstant time(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name) const;
  [[nodiscard]] std::vector<Arguments> objects(std::string_view name) const;
  /// The canonical text of an object or of any JSON; `otherwise` when it was not given.
  [[nodiscard]] std::string canonical(std::string_view name, std::string_view otherwise = {}) const;
  /// Null when it was not given.
  [[nodiscard]] const json::value& value(std::string_view name) const;
  [[nodiscard]] const json::object& all() const { return given_; }

 private:
  json::object given_;
};

/// What was read from a request, or everything that is wrong with it.
struct Decoded {
  Arguments arguments;
  int status = 0;  ///< 0: right; else 400, or 413 when something is only too large
  std::string error;
  std::string hint;
  std::vector<JsonIssue> issues;
};

/// Reads the query of a GET, the body of everything else.
Decoded decode(const Operation& operation, const Request& request);

}  // namespace townd
