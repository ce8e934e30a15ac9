#include <gtest/gtest.h>

#include "core/hash.hpp"

namespace townd {
namespace {

/// The first vectors of the reference implementation of SipHash-2-4 with 128 bits of output: the message is the bytes
/// 00 01 02 …, the key 00 01 … 0f. Its output is little-endian.
TEST(Hash, IsSipHash24WithTheReferencesVectors) {
  EXPECT_EQ(siphash128({}).hex(), "930255c71472f66de6a825ba047f81a3");
  EXPECT_EQ(siphash128(std::string(1, 0)).hex(), "45fc229b1159763444af996bd8c187da");
  EXPECT_EQ(siphash128(std::string("\0\1", 2)).hex(), "e4ff0af6de8ba3fcc75da4a48d227781");
}

TEST(Hash, SumsAreModuloTwoToThe128) {
  const Hash128 most{~0ull, ~0ull};
  Hash128 sum = most;
  sum += Hash128{0, 1};
  EXPECT_EQ(sum, Hash128{});
  sum -= Hash128{0, 1};
  EXPECT_EQ(sum, most);
  Hash128 carried{0, ~0ull};
  carried += Hash128{0, 1};
  EXPECT_EQ(carried, (Hash128{1, 0}));
}

TEST(Hash, TheOrderOfRowsDoesNotMatter) {
  Hash128 one, other;
  one += siphash128("a"), one += siphash128("b"), one -= siphash128("a");
  other += siphash128("b");
  EXPECT_EQ(one, other);
}

TEST(Hash, HexIsReadBackAndAnythingElseIsNot) {
  const Hash128 hash = siphash128("townd");
  EXPECT_EQ(Hash128::from_hex(hash.hex()), hash);
  EXPECT_EQ(Hash128::from_hex("930255c71472f66de6a825ba047f81a"), Hash128{});
  EXPECT_EQ(Hash128::from_hex("930255c71472f66de6a825ba047f81ag"), Hash128{});
}

}  // namespace
}  // namespace townd
