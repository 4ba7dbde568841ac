// nginx's `secure_link`: links that only who knows a secret can make, for a time. Pure functions;
// any thread.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

namespace weir::access {

enum class LinkVerdict : std::uint8_t {
  invalid,  // $secure_link is empty
  expired,  // "0"
  valid,    // "1"
};

struct LinkCheck {
  LinkVerdict verdict = LinkVerdict::invalid;
  // $secure_link_expires: as it stands in the link, also in one that is not valid.
  std::optional<std::string_view> expires = {};
};

// `value`: of `secure_link`, an MD5 sum in base64url, then perhaps a comma and the time until which
// the link is good, in seconds since 1970. `text`: of `secure_link_md5`, what must have this sum.
[[nodiscard]] LinkCheck check_link(std::string_view value, std::string_view text, std::time_t now);

// `secure_link_secret`, the old way: /PREFIX/SUM/LINK, where SUM is the MD5 sum, hexadecimal, of
// LINK and the secret. `target`: the request target as it came, its arguments included. Returns
// LINK, which $secure_link is then; nullopt: the sum is wrong, or the target has not this form.
[[nodiscard]] std::optional<std::string_view> check_secret_link(std::string_view target,
                                                                std::string_view secret);

}  // namespace weir::access
