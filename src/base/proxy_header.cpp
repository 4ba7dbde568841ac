#include "base/proxy_header.h"

#include <string_view>

namespace weir {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr char kLocal = 0x20;  // version 2, and what is asked
constexpr char kProxy = 0x21;
constexpr char kUnspecified = 0x00;  // family and kind of socket
constexpr char kTcp4 = 0x11;
constexpr char kTcp6 = 0x21;

bool is_ip(const IpAddress& address) { return address.is_v4() || address.is_v6(); }

void append_number(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xff);
}

// The bytes of an address; of an IPv4 one in IPv6's form (RFC 4291 section 2.5.5.2) if `wide`.
std::string octets(const IpAddress& address, bool wide) {
  const auto bytes = address.bytes();
  std::string out;
  if (wide && address.is_v4()) out = std::string(10, '\0') + "\xff\xff";
  return out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string text_of(const IpAddress& address, bool wide) {
  return (wide && address.is_v4() ? "::ffff:" : "") + address.host_text();
}

std::string line(const IpAddress& client, const IpAddress& server, bool wide) {
  return std::string("PROXY ") + (wide ? "TCP6 " : "TCP4 ") + text_of(client, wide) + " " +
         text_of(server, wide) + " " + std::to_string(client.port()) + " " +
         std::to_string(server.port()) + "\r\n";
}

std::string frame(char command, char family, std::string_view addresses) {
  std::string out(kSignature);
  out += command;
  out += family;
  append_number(out, addresses.size());
  return out.append(addresses);
}

}  // namespace

std::string proxy_header(ProxyProtocol version, const IpAddress& client, const IpAddress& server) {
  if (version == ProxyProtocol::off) return {};
  if (!is_ip(client) || !is_ip(server)) {
    return version == ProxyProtocol::v1 ? "PROXY UNKNOWN\r\n" : frame(kProxy, kUnspecified, {});
  }
  const bool wide = client.is_v6() || server.is_v6();
  if (version == ProxyProtocol::v1) return line(client, server, wide);
  auto addresses = octets(client, wide) + octets(server, wide);
  append_number(addresses, client.port());
  append_number(addresses, server.port());
  return frame(kProxy, wide ? kTcp6 : kTcp4, addresses);
}

std::string local_proxy_header(ProxyProtocol version) {
  if (version == ProxyProtocol::off) return {};
  return version == ProxyProtocol::v1 ? "PROXY UNKNOWN\r\n" : frame(kLocal, kUnspecified, {});
}

}  // namespace weir
