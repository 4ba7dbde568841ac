#include "proxy/proxied_addresses.h"

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

namespace weir::proxy {
namespace {

constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixed2 = 16;        // signature, version, family, length
constexpr std::size_t kLongestLine = 107;  // of version 1, its CRLF included
constexpr std::uint8_t kTlvSsl = 0x20;

struct TlvName {
  std::string_view name;
  std::uint8_t type;
};
constexpr std::array<TlvName, 4> kNames = {
    {{"alpn", 0x01}, {"authority", 0x02}, {"unique_id", 0x05}, {"netns", 0x30}}};
constexpr std::array<TlvName, 5> kSslNames = {
    {{"version", 0x21}, {"cn", 0x22}, {"cipher", 0x23}, {"sig_alg", 0x24}, {"key_alg", 0x25}}};

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

std::size_t number_at(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

std::string_view next_word(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

bool read_address(std::string_view host, std::string_view port, bool v6, IpAddress& out) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size()) return false;
  const auto address = IpAddress::parse(host, number);
  if (!address || address->is_v6() != v6) return false;
  out = *address;
  return true;
}

// "PROXY TCP4 10.0.0.1 10.0.0.2 1234 80\r\n"
ProxiedAddresses::Parsed parse_line(std::string_view bytes) {
  using Status = ProxiedAddresses::Status;
  ProxiedAddresses::Parsed result;
  const auto end = bytes.substr(0, kLongestLine).find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= kLongestLine) result.status = Status::bad;
    return result;
  }
  result.size = end + 2;
  result.status = Status::bad;
  auto line = bytes.substr(6, end - 6);
  const auto family = next_word(line);
  if (family == "UNKNOWN") {
    result.status = Status::complete;
    return result;
  }
  if (family != "TCP4" && family != "TCP6") return result;
  const auto client = next_word(line);
  const auto server = next_word(line);
  const auto client_port = next_word(line);
  const bool v6 = family == "TCP6";
  if (read_address(client, client_port, v6, result.addresses.client) &&
      read_address(server, line, v6, result.addresses.server)) {
    result.status = Status::complete;
  }
  return result;
}

IpAddress raw_address(std::string_view bytes, std::size_t at, bool v6, std::size_t port_at) {
  sockaddr_storage storage{};
  if (v6) {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    std::memcpy(&address.sin6_addr, bytes.data() + at, 16);
    std::memcpy(&address.sin6_port, bytes.data() + port_at, 2);
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    std::memcpy(&address.sin_addr, bytes.data() + at, 4);
    std::memcpy(&address.sin_port, bytes.data() + port_at, 2);
  }
  return IpAddress(reinterpret_cast<const sockaddr*>(&storage));
}

// Type, length, value, one after the other. False: one runs over the end.
bool read_tlvs(std::string_view bytes, std::vector<std::pair<std::uint8_t, std::string>>& out) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const auto size = number_at(bytes, 1);
    if (bytes.size() < 3 + size) return false;
    out.emplace_back(static_cast<std::uint8_t>(byte_at(bytes, 0)), bytes.substr(3, size));
    bytes.remove_prefix(3 + size);
  }
  return true;
}

// By name, or by number: "0x21", "33".
template <class Names>
std::optional<unsigned> type_of(const Names& names, std::string_view name) {
  for (const auto& known : names) {
    if (known.name == name) return known.type;
  }
  unsigned type = 0;
  const bool hexadecimal = name.starts_with("0x");
  const auto digits = hexadecimal ? name.substr(2) : name;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), type, hexadecimal ? 16 : 10);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return type;
}

ProxiedAddresses::Parsed parse_binary(std::string_view bytes) {
  using Status = ProxiedAddresses::Status;
  ProxiedAddresses::Parsed result;
  if (bytes.size() < kFixed2) return result;
  const auto version = byte_at(bytes, 12);
  const auto family = byte_at(bytes, 13);
  result.size = kFixed2 + number_at(bytes, 14);
  if (version >> 4 != 2 || (version & 15) > 1 || result.size > ProxiedAddresses::kMaxHeader) {
    result.status = Status::bad;
    return result;
  }
  if (bytes.size() < result.size) return result;
  result.status = Status::complete;
  auto body = bytes.substr(kFixed2, result.size - kFixed2);
  const bool local = (version & 15) == 0;  // the proxy speaks for itself
  const bool v4 = family == 0x11;
  const bool v6 = family == 0x21;
  if (local || (!v4 && !v6)) return result;
  const std::size_t width = v4 ? 4 : 16;
  const std::size_t addresses = 2 * width + 4;
  if (body.size() < addresses) {
    result.status = Status::bad;
    return result;
  }
  result.addresses.client = raw_address(body, 0, v6, 2 * width);
  result.addresses.server = raw_address(body, width, v6, 2 * width + 2);
  if (!read_tlvs(body.substr(addresses), result.addresses.tlvs)) result.status = Status::bad;
  return result;
}

}  // namespace

ProxiedAddresses::Parsed ProxiedAddresses::parse(std::string_view bytes) {
  constexpr std::string_view kLine = "PROXY ";
  const auto agrees = [&](std::string_view with) {
    const auto size = std::min(bytes.size(), with.size());
    return bytes.substr(0, size) == with.substr(0, size);
  };
  if (agrees(kLine)) return bytes.size() < kLine.size() ? Parsed{} : parse_line(bytes);
  if (agrees(kSignature2)) return parse_binary(bytes);
  Parsed bad;
  bad.status = Status::bad;
  return bad;
}

std::string ProxiedAddresses::tlv(std::string_view name) const {
  const auto find = [](const auto& list, unsigned type) -> std::string_view {
    for (const auto& [have, value] : list) {
      if (have == type) return value;
    }
    return {};
  };
  if (name.starts_with("ssl_")) {
    const auto ssl = find(tlvs, kTlvSsl);
    constexpr std::size_t kSslFixed = 5;  // flags and verdict
    if (ssl.size() < kSslFixed) return {};
    if (name == "ssl_verify") {
      const auto verdict = number_at(ssl, 1) << 16 | number_at(ssl, 3);
      return std::to_string(verdict);
    }
    const auto type = type_of(kSslNames, name.substr(4));
    // Views into a list of its fields would end with it: the value is looked for in the text.
    auto rest = ssl.substr(kSslFixed);
    while (type && rest.size() >= 3) {
      const auto size = number_at(rest, 1);
      if (rest.size() < 3 + size) break;
      if (byte_at(rest, 0) == *type) return std::string(rest.substr(3, size));
      rest.remove_prefix(3 + size);
    }
    return {};
  }
  const auto type = type_of(kNames, name);
  return type ? std::string(find(tlvs, *type)) : std::string();
}

}  // namespace weir::proxy
