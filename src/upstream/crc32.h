// CRC-32 as zlib counts it (ISO 3309), the hash of nginx's `hash`. Pure.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string_view>

namespace weir::upstream {

// Of all bytes so far; `before`: the CRC of those before `bytes`, 0 at the start.
inline std::uint32_t crc32(std::uint32_t before, std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace weir::upstream
