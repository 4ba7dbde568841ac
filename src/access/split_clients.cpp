#include "access/split_clients.h"

#include <utility>

namespace weir::access {
namespace {

constexpr std::uint32_t kWhole = 10000;

}  // namespace

std::uint32_t murmur_hash2(std::string_view text) {
  constexpr std::uint32_t factor = 0x5bd1e995;
  const auto byte = [&text](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(text[i]);
  };
  auto hash = static_cast<std::uint32_t>(text.size());
  for (; text.size() >= 4; text.remove_prefix(4)) {
    std::uint32_t word = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
    word *= factor;
    word ^= word >> 24;
    word *= factor;
    hash = hash * factor ^ word;
  }
  if (!text.empty()) {
    for (std::size_t i = 0; i < text.size(); ++i) hash ^= byte(i) << (8 * i);
    hash *= factor;
  }
  hash ^= hash >> 13;
  hash *= factor;
  return hash ^ hash >> 15;
}

std::optional<std::uint32_t> SplitClients::parse_share(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  std::uint64_t share = 0;
  int decimals = -1;  // before the point
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9' || decimals == 2 || share > kWhole) return std::nullopt;
    share = share * 10 + static_cast<std::uint64_t>(c - '0');
    if (decimals >= 0) ++decimals;
  }
  for (; decimals < 2; ++decimals) {
    if (decimals >= 0) share *= 10;
  }
  return share == 0 || share > 0xffffffff ? std::nullopt
                                          : std::optional(static_cast<std::uint32_t>(share));
}

std::optional<SplitClients> SplitClients::make(std::vector<Part> parts) {
  SplitClients split;
  std::uint64_t sum = 0;
  std::uint32_t below = 0;
  for (auto& part : parts) {
    sum = part.share ? sum + *part.share : std::max<std::uint64_t>(sum, kWhole);
    if (sum > kWhole) return std::nullopt;
    if (sum == kWhole) {
      split.limits_.push_back({std::nullopt, std::move(part.value)});
      continue;
    }
    below += static_cast<std::uint32_t>(*part.share * std::uint64_t{0xffffffff} / kWhole);
    split.limits_.push_back({below, std::move(part.value)});
  }
  return split;
}

std::string_view SplitClients::find(std::string_view text) const {
  const auto hash = murmur_hash2(text);
  for (const auto& limit : limits_) {
    if (!limit.below || hash < *limit.below) return limit.value;
  }
  return {};
}

}  // namespace weir::access
