#include "base/siphash.h"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("hashes are those of the published vectors") {
  // The key is the bytes 0 to 15, the text the bytes 0 to its size - 1.
  const weir::HashSeed seed{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  struct Row {
    std::size_t size;
    std::uint64_t want;
  };
  const Row rows[] = {{0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137},
                      {8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5}, {63, 0x958a324ceb064572}};
  for (const auto& row : rows) {
    CAPTURE(row.size);
    std::string text;
    for (std::size_t i = 0; i < row.size; ++i) text.push_back(static_cast<char>(i));
    CHECK(weir::siphash(text, seed) == row.want);
  }
}

TEST_CASE("another seed is another hash") {
  CHECK(weir::siphash("10.0.0.1", {1, 2}) != weir::siphash("10.0.0.1", {1, 3}));
}
