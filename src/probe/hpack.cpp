#include "probe/hpack.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace weir::probe {
namespace {

// Bits of the code of each byte (RFC 7541 appendix B). The codes follow from them: shorter ones
// first, those of one length in the order of the bytes.
constexpr std::array<std::uint8_t, 256> kBits = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,  //
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,  //
    6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,   //
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10,  //
    13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,   //
    7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,   //
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,   //
    6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28,  //
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,  //
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,  //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,  //
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,  //
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,  //
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,  //
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,  //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,  //
};
constexpr std::size_t kMostBits = 30;

// The bytes in the order of their codes, and of each length the first code and where it stands.
struct Codes {
  std::array<std::uint8_t, 256> order{};
  std::array<std::uint32_t, kMostBits + 1> first{};
  std::array<std::uint32_t, kMostBits + 1> count{};
  std::array<std::uint32_t, kMostBits + 1> at{};

  Codes() {
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint8_t>(i);
    std::stable_sort(order.begin(), order.end(),
                     [](std::uint8_t a, std::uint8_t b) { return kBits[a] < kBits[b]; });
    for (const auto bits : kBits) ++count[bits];
    std::uint32_t code = 0;
    std::uint32_t place = 0;
    for (std::size_t bits = 1; bits <= kMostBits; ++bits) {
      code <<= 1;
      first[bits] = code;
      at[bits] = place;
      code += count[bits];
      place += count[bits];
    }
  }
};

// An integer whose first byte has `bits` bits of it (section 5.1); none: cut off, or too large.
std::optional<std::uint32_t> take_integer(std::string_view& in, unsigned bits) {
  if (in.empty()) return std::nullopt;
  const std::uint32_t most = (1u << bits) - 1;
  std::uint32_t value = static_cast<unsigned char>(in.front()) & most;
  in.remove_prefix(1);
  if (value < most) return value;
  for (unsigned shift = 0; shift <= 21; shift += 7) {
    if (in.empty()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value += (byte & 0x7fu) << shift;
    if ((byte & 0x80u) == 0) return value;
  }
  return std::nullopt;
}

bool take_string(std::string_view& in, std::string& out) {
  if (in.empty()) return false;
  const bool packed = (static_cast<unsigned char>(in.front()) & 0x80u) != 0;
  const auto size = take_integer(in, 7);
  if (!size || *size > in.size()) return false;
  const auto bytes = in.substr(0, *size);
  in.remove_prefix(*size);
  if (packed) return huffman_read(bytes, out);
  out = bytes;
  return true;
}

// Entries of the static table (appendix A) that say a status.
constexpr std::uint32_t kStaticSize = 61;
constexpr std::uint32_t kFirstStatus = 8;
constexpr std::array<const char*, 7> kStatuses = {"200", "204", "206", "304", "400", "404", "500"};

bool is_status(std::uint32_t index) {
  return index >= kFirstStatus && index < kFirstStatus + kStatuses.size();
}

void add_string(std::string& out, std::string_view text) {
  constexpr std::size_t most = 127;  // the 7 bits of a length
  std::size_t size = text.size();
  out += static_cast<char>(std::min(size, most));
  if (size >= most) {
    for (size -= most; size >= 0x80; size >>= 7) out += static_cast<char>(size % 0x80 + 0x80);
    out += static_cast<char>(size);
  }
  out += text;
}

}  // namespace

bool huffman_read(std::string_view bytes, std::string& out) {
  static const Codes codes;
  out.clear();
  std::uint32_t code = 0;
  std::size_t bits = 0;
  bool ones = true;  // all bits of `code`
  for (const char c : bytes) {
    for (int i = 7; i >= 0; --i) {
      const auto bit = static_cast<std::uint32_t>(c >> i & 1);
      code = code << 1 | bit;
      ones = ones && bit == 1;
      if (++bits > kMostBits) return false;
      const auto place = code - codes.first[bits];
      if (code < codes.first[bits] || place >= codes.count[bits]) continue;
      out += static_cast<char>(codes.order[codes.at[bits] + place]);
      code = 0;
      bits = 0;
      ones = true;
    }
  }
  return bits < 8 && ones;  // the rest is padding: the start of the longest code
}

void hpack_add(std::string& out, std::string_view name, std::string_view value) {
  out += '\x10';
  add_string(out, name);
  add_string(out, value);
}

bool hpack_read(std::string_view block, std::vector<HpackField>& out) {
  while (!block.empty()) {
    const auto first = static_cast<unsigned char>(block.front());
    HpackField field;
    if ((first & 0x80u) != 0) {  // an entry of the table
      const auto index = take_integer(block, 7);
      if (!index || *index == 0 || *index > kStaticSize) return false;
      if (!is_status(*index)) continue;
      out.push_back({":status", kStatuses[*index - kFirstStatus]});
      continue;
    }
    if ((first & 0xe0u) == 0x20u) {  // the size of the table: it has none
      const auto size = take_integer(block, 5);
      if (!size || *size != 0) return false;
      continue;
    }
    // A literal: to be indexed (which does nothing to a table of size 0), or not.
    const auto index = take_integer(block, (first & 0x40u) != 0 ? 6 : 4);
    if (!index || *index > kStaticSize) return false;
    if (*index == 0) {
      if (!take_string(block, field.name)) return false;
    } else if (is_status(*index)) {
      field.name = ":status";
    }
    if (!take_string(block, field.value)) return false;
    out.push_back(std::move(field));
  }
  return true;
}

}  // namespace weir::probe
