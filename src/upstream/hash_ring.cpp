#include "upstream/hash_ring.h"

#include <algorithm>
#include <array>
#include <string>

#include "upstream/crc32.h"

namespace weir::upstream {
namespace {

constexpr std::uint64_t kPointsPerWeight = 160;

// What the points are made of: host, a zero byte, port; of a Unix socket the path for a host.
std::string seed_of(std::string_view text) {
  constexpr std::string_view unix_prefix = "unix:";
  const auto same = [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); };
  if (text.size() >= unix_prefix.size() &&
      std::equal(unix_prefix.begin(), unix_prefix.end(), text.begin(), same)) {
    return std::string(text.substr(unix_prefix.size())) + '\0';
  }
  const auto digits = text.find_last_not_of("0123456789");
  std::string seed(text);
  if (digits != std::string_view::npos && text[digits] == ':') {
    seed[digits] = '\0';
    return seed;
  }
  return seed + '\0';
}

}  // namespace

// Each point is the CRC of the seed and the point before, as Cache::Memcached::Fast has it.
void HashRing::add(std::string_view text, std::uint32_t name, std::uint32_t weight) {
  const std::uint32_t base = crc32(0, seed_of(text));
  std::uint32_t hash = 0;
  for (std::uint64_t i = 0; i < kPointsPerWeight * weight; ++i) {
    const std::array<char, 4> before = {
        static_cast<char>(hash & 0xff), static_cast<char>(hash >> 8 & 0xff),
        static_cast<char>(hash >> 16 & 0xff), static_cast<char>(hash >> 24)};
    hash = crc32(base, {before.data(), before.size()});
    points_.push_back({hash, name});
  }
}

void HashRing::finish() {
  std::stable_sort(points_.begin(), points_.end(),
                   [](const Point& a, const Point& b) { return a.hash < b.hash; });
  points_.erase(std::unique(points_.begin(), points_.end(),
                            [](const Point& a, const Point& b) { return a.hash == b.hash; }),
                points_.end());
  points_.shrink_to_fit();
}

std::size_t HashRing::find(std::uint32_t hash) const {
  const auto found =
      std::lower_bound(points_.begin(), points_.end(), hash,
                       [](const Point& point, std::uint32_t value) { return point.hash < value; });
  return static_cast<std::size_t>(found - points_.begin());
}

}  // namespace weir::upstream
