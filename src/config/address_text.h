// Host, port and URI in the text of `listen`, `server` and `proxy_pass`. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/model.h"

namespace weir::config {

struct AddressText {
  HostPort where;
  bool has_port = false;
  std::uint16_t last_port = 0;  // of a range of ports; 0: it is one
  std::string port_text;        // as written
  std::string host_text;        // as written, brackets included
  std::string uri;              // from the first '/' or '?', if allowed
};

struct AddressRules {
  std::uint16_t default_port = 80;
  bool uri = false;        // a URI may follow (proxy_pass)
  bool lone_port = false;  // "8080" is a port, "*" any address, "80-90" ports (listen)
};

// On failure `error` says what is wrong.
[[nodiscard]] std::optional<AddressText> parse_address(std::string_view text,
                                                       const AddressRules& rules,
                                                       std::string& error);

}  // namespace weir::config
