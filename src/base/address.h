// A socket address (IPv4, IPv6 or Unix) as a value, and its text forms. Any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

// An IP address and port in 28 bytes. Family AF_UNIX stands for "some Unix socket" (clients of
// one have no address of their own); AF_UNSPEC for none.
class IpAddress {
 public:
  IpAddress() { std::memset(&storage_, 0, sizeof storage_); }
  explicit IpAddress(const sockaddr* address);

  // Text without port: "10.0.0.1", "::1" (also in brackets). nullopt if it is not an IP address.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text,
                                                      std::uint16_t port = 0);

  // The same with a port behind it, or none: "10.0.0.1:80", "[::1]:80", "::1".
  [[nodiscard]] static std::optional<IpAddress> parse_with_port(std::string_view text);

  [[nodiscard]] int family() const { return storage_.any.sa_family; }
  [[nodiscard]] bool is_v4() const { return family() == AF_INET; }
  [[nodiscard]] bool is_v6() const { return family() == AF_INET6; }
  // All bytes are zero: any address of the host.
  [[nodiscard]] bool is_wildcard() const;
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);
  // The 4 or 16 address bytes in network order; empty for other families.
  // They are the address's own: one that is about to end has none to give.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const&;
  std::span<const std::uint8_t> bytes() const&& = delete;
  // "::ffff:10.0.0.1" becomes 10.0.0.1; anything else stays.
  [[nodiscard]] IpAddress unmapped() const;
  // "10.0.0.1", "::1", "unix:" for Unix clients, as nginx's $remote_addr.
  [[nodiscard]] std::string host_text() const;
  // Writes host_text() to `out` (at least 46 bytes) and returns its length.
  std::size_t write_host(char* out) const;
  // "10.0.0.1:80", "[::1]:80", "unix:".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const sockaddr* data() const { return &storage_.any; }
  [[nodiscard]] socklen_t size() const;

  friend bool operator==(const IpAddress& a, const IpAddress& b);

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_;
};

// An order for lists that must not depend on where they come from: IPv4 first, then by bytes, then
// by port.
[[nodiscard]] bool comes_before(const IpAddress& a, const IpAddress& b);

// Where a peer or a listener is: an IP address or the path of a Unix socket.
struct Endpoint {
  IpAddress ip;
  std::string unix_path;  // not empty: a Unix socket

  [[nodiscard]] bool is_unix() const { return !unix_path.empty(); }
  // "10.0.0.1:80", "[::1]:80" or "unix:/path".
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Endpoint& a, const Endpoint& b) = default;
};

// A range of addresses in CIDR notation, as in nginx's set_real_ip_from.
class Cidr {
 public:
  // "10.0.0.0/8", "::1", "unix:" . nullopt if it is none of these.
  [[nodiscard]] static std::optional<Cidr> parse(std::string_view text);
  // Looks at an IPv4 address behind "::ffff:" as at that IPv4 address.
  [[nodiscard]] bool contains(const IpAddress& address) const { return covers(address.unmapped()); }
  // Takes the address as it is.
  [[nodiscard]] bool covers(const IpAddress& address) const;
  // The same network with the bits of its base that do not count set to 0.
  [[nodiscard]] Cidr masked() const;
  // Port 0, and bits behind the mask as they were written.
  [[nodiscard]] const IpAddress& base() const { return base_; }
  // The length of the mask: 0 to 32 or to 128.
  [[nodiscard]] int bits() const { return bits_; }
  // Whether bits behind the mask are set, which nginx warns of.
  [[nodiscard]] bool has_low_bits() const;
  // "10.0.0.0/8", "unix:".
  [[nodiscard]] std::string text() const;

 private:
  IpAddress base_;
  int bits_ = 0;
};

}  // namespace weir
