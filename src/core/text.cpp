#include "core/text.hpp"

namespace townd {

std::string lower(std::string_view text) {
  std::string low(text);
  for (char& c : low) c = lower(c);
  return low;
}

std::string at_most(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return std::string(text.substr(0, bytes));
}

std::string shortened(std::string_view text, std::size_t bytes) {
  return text.size() <= bytes ? std::string(text) : at_most(text, bytes) + "…";
}

}  // namespace townd
