#pragma once

#include <cstdint>
#include <string>

#include "codec/json.hpp"
#include "core/ids.hpp"
#include "server/arguments.hpp"

namespace townd {

inline constexpr std::int64_t kPageDefault = 100;

/// One page of a list in id order: what comes behind `after`, without the first `offset`, at most `limit`.
class Page {
 public:
  explicit Page(const Arguments& given)
      : after_(given.text("after")), offset_(given.integer("offset")), limit_(given.integer("limit", kPageDefault)) {}

  /// Whether the row of this id belongs on the page; it has passed every filter.
  template <class Tag>
  bool take(const Id<Tag>& id) {
    if (!after_.empty() && id <= Id<Tag>(after_)) return false;
    if (offset_ > 0) return --offset_, false;
    return static_cast<std::int64_t>(rows_.size()) < limit_;
  }
  void add(json::value row) { rows_.push_back(std::move(row)); }
  json::array rows() { return std::move(rows_); }

 private:
  std::string after_;
  std::int64_t offset_;
  std::int64_t limit_;
  json::array rows_;
};

}  // namespace townd
