#include "shim/redactor.hpp"

#include <algorithm>
#include <array>

namespace townd::shim {
namespace {

constexpr std::size_t kShortestSecret = 8;  // what is shorter is a word that may stand anywhere
constexpr std::size_t kShownOfSecret = 4;

bool named_as_a_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kWords{"TOKEN", "KEY", "SECRET", "PASSWORD"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](auto word) { return name.find(word) != std::string_view::npos; });
}

}  // namespace

Redactor::Redactor(const char* const* environment) {
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry{*environment};
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos || !named_as_a_secret(entry.substr(0, equals))) continue;
    const std::string value{entry.substr(equals + 1)};
    if (value.size() >= kShortestSecret && std::find(secrets_.begin(), secrets_.end(), value) == secrets_.end())
      secrets_.push_back(value);
  }
}

std::string Redactor::take(std::string_view bytes) {
  std::string text = std::exchange(kept_, {});
  text += bytes;
  for (const std::string& secret : secrets_)
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
      text.replace(at, secret.size(), "****" + secret.substr(secret.size() - kShownOfSecret));
  std::size_t longest = 0;
  for (const std::string& secret : secrets_)
    for (std::size_t length = std::min(secret.size() - 1, text.size()); length > longest; --length)
      if (text.ends_with(std::string_view{secret}.substr(0, length))) longest = length;
  kept_ = text.substr(text.size() - longest);
  text.resize(text.size() - longest);
  return text;
}

}  // namespace townd::shim
