#include "cli/command.hpp"

#include <charconv>

namespace townd::cli {

Exit exit_of(Error::Code code) {
  switch (code) {
    case Error::Code::invalid:
    case Error::Code::too_large: return kUsage;
    case Error::Code::not_found: return kNotFound;
    case Error::Code::conflict:
    case Error::Code::forbidden:
    case Error::Code::too_many: return kRefused;
    case Error::Code::unavailable: return kUnreachable;
    case Error::Code::internal: return kFailed;
  }
  return kFailed;
}

void Values::put(std::string_view name, std::vector<std::string> given) {
  given_.insert_or_assign(std::string(name), std::move(given));
}

bool Values::has(std::string_view name) const { return given_.contains(name); }

std::string Values::text(std::string_view name, std::string_view otherwise) const {
  const auto found = given_.find(name);
  return found == given_.end() || found->second.empty() ? std::string(otherwise) : found->second.back();
}

std::vector<std::string> Values::list(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? std::vector<std::string>{} : found->second;
}

std::optional<long long> Values::number(std::string_view name) const {
  const std::string given = text(name);
  long long value = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (error != std::errc{} || end != given.data() + given.size() || given.empty()) return std::nullopt;
  return value;
}

Param flag(std::string name, std::string help) { return {std::move(name), Param::Kind::flag, std::move(help)}; }
Param option(std::string name, std::string help) { return {std::move(name), Param::Kind::text, std::move(help)}; }
Param number(std::string name, std::string help) { return {std::move(name), Param::Kind::number, std::move(help)}; }
Param options(std::string name, std::string help) { return {std::move(name), Param::Kind::list, std::move(help)}; }
Param word(std::string name, std::string help) { return {std::move(name), Param::Kind::text, std::move(help), true}; }
Param maybe(std::string name, std::string help) { return {std::move(name), Param::Kind::text, std::move(help)}; }
Param words(std::string name, std::string help) { return {std::move(name), Param::Kind::list, std::move(help), true}; }

std::string key_of(const Param& param) {
  const auto comma = param.name.rfind(',');
  return comma == std::string::npos ? param.name : param.name.substr(comma + 1);
}

bool positional(const Param& param) { return !param.name.starts_with('-'); }

}  // namespace townd::cli
