#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace townd {

/// 128 bits, added modulo 2^128 when rows are summed into a digest.
struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const Hash128&, const Hash128&) = default;
  Hash128& operator+=(const Hash128& other);
  Hash128& operator-=(const Hash128& other);
  /// 32 hexadecimal digits, high half first.
  [[nodiscard]] std::string hex() const;
  /// The zero hash when `text` is not 32 hexadecimal digits.
  static Hash128 from_hex(std::string_view text);
};

/// SipHash-2-4 with 128-bit output and the key 00 01 … 0f (Aumasson and Bernstein; vectors in tests/unit).
Hash128 siphash128(std::string_view bytes);

/// A text kept outside the value (bodies, checkpoints, mail): core knows only its hash.
struct TextRef {
  Hash128 hash;
  [[nodiscard]] bool empty() const { return hash == Hash128{}; }
  friend bool operator==(const TextRef&, const TextRef&) = default;
  /// Empty text gives the empty reference.
  static TextRef of(std::string_view text);
};

}  // namespace townd
