#include "base/siphash.h"

#include <bit>
#include <cstring>

namespace weir {
namespace {

struct State {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
};

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

std::uint64_t load(const char* bytes, std::size_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  return word;
}

}  // namespace

std::uint64_t siphash(std::string_view text, HashSeed seed) {
  State state{0x736f6d6570736575 ^ seed.first, 0x646f72616e646f6d ^ seed.second,
              0x6c7967656e657261 ^ seed.first, 0x7465646279746573 ^ seed.second};
  const auto size = static_cast<std::uint64_t>(text.size());
  for (; text.size() >= 8; text.remove_prefix(8)) state.take(load(text.data(), 8));
  state.take(size << 56 | (text.empty() ? 0 : load(text.data(), text.size())));
  state.c ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace weir
