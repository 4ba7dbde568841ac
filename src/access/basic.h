// The Basic scheme of HTTP authentication (RFC 7617), as nginx takes it. Pure functions; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::access {

struct Credentials {
  std::string user;  // never empty
  std::string password;
};

// Reads the value of Authorization (or Proxy-Authorization). nullopt: another scheme, no base64, no
// colon, or no name before it.
[[nodiscard]] std::optional<Credentials> parse_basic(std::string_view field);

// The value of WWW-Authenticate that asks for them. The realm is put in as it is configured.
[[nodiscard]] std::string basic_challenge(std::string_view realm);

}  // namespace weir::access
