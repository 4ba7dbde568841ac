// The header of the PROXY protocol (versions 1 and 2) with which a proxy in front tells whose
// connection it passes on. A plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"

namespace weir::proxy {

struct ProxiedAddresses {
  // Of the header, all of its fields included: more is refused.
  static constexpr std::size_t kMaxHeader = 4096;

  IpAddress client;  // AF_UNSPEC: the header does not tell
  IpAddress server;
  // Type and value of version 2's further fields.
  std::vector<std::pair<std::uint8_t, std::string>> tlvs;

  enum class Status : std::uint8_t { more, complete, bad };
  struct Parsed;
  // Reads the header at the start of `bytes`.
  [[nodiscard]] static Parsed parse(std::string_view bytes);

  // $proxy_protocol_tlv_NAME: a number ("0x01", "1") or a name ("alpn",
  // "ssl_version", "ssl_verify", "ssl_0x21"); empty: none.
  [[nodiscard]] std::string tlv(std::string_view name) const;
};

struct ProxiedAddresses::Parsed {
  Status status = Status::more;
  std::size_t size = 0;  // of the header
  ProxiedAddresses addresses{};
};

}  // namespace weir::proxy
