// MD5 and SHA-1, which old password files and signed links ask for, and comparing of secrets.
// Pure functions; any thread.
#pragma once

#include <initializer_list>
#include <string_view>

namespace weir::access {

inline constexpr std::size_t kMd5Size = 16;
inline constexpr std::size_t kSha1Size = 20;

// The digest of the parts behind each other, written to `out` (kMd5Size or kSha1Size bytes). False:
// the TLS library does not do this one (as under FIPS).
[[nodiscard]] bool md5(std::initializer_list<std::string_view> parts, char* out);
[[nodiscard]] bool sha1(std::initializer_list<std::string_view> parts, char* out);

// Takes as long for texts that differ at once as for such that differ late; their sizes show.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace weir::access
