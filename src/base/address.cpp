#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace weir {

IpAddress::IpAddress(const sockaddr* address) : IpAddress() {
  if (address->sa_family == AF_INET) {
    std::memcpy(&storage_.v4, address, sizeof storage_.v4);
  } else if (address->sa_family == AF_INET6) {
    std::memcpy(&storage_.v6, address, sizeof storage_.v6);
  } else {
    storage_.any.sa_family = address->sa_family;
  }
}

std::optional<IpAddress> IpAddress::parse(std::string_view text, std::uint16_t port) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  char buffer[INET6_ADDRSTRLEN];
  std::copy(text.begin(), text.end(), buffer);
  buffer[text.size()] = '\0';
  IpAddress result;
  if (inet_pton(AF_INET, buffer, &result.storage_.v4.sin_addr) == 1) {
    result.storage_.v4.sin_family = AF_INET;
  } else if (inet_pton(AF_INET6, buffer, &result.storage_.v6.sin6_addr) == 1) {
    result.storage_.v6.sin6_family = AF_INET6;
  } else {
    return std::nullopt;
  }
  result.set_port(port);
  return result;
}

std::optional<IpAddress> IpAddress::parse_with_port(std::string_view text) {
  if (const auto plain = parse(text)) return plain;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::uint16_t port = 0;
  const auto digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool bracketed = text.starts_with('[') && colon > 0 && text[colon - 1] == ']';
  const bool alone = text.find(':') == colon;
  if (error != std::errc{} || end != digits.data() + digits.size() || (!bracketed && !alone)) {
    return std::nullopt;
  }
  return parse(text.substr(0, colon), port);
}

std::uint16_t IpAddress::port() const {
  if (is_v4()) return ntohs(storage_.v4.sin_port);
  if (is_v6()) return ntohs(storage_.v6.sin6_port);
  return 0;
}

void IpAddress::set_port(std::uint16_t port) {
  if (is_v4()) storage_.v4.sin_port = htons(port);
  if (is_v6()) storage_.v6.sin6_port = htons(port);
}

std::span<const std::uint8_t> IpAddress::bytes() const& {
  if (is_v4()) {
    return {reinterpret_cast<const std::uint8_t*>(&storage_.v4.sin_addr), 4};
  }
  if (is_v6()) {
    return {reinterpret_cast<const std::uint8_t*>(&storage_.v6.sin6_addr), 16};
  }
  return {};
}

IpAddress IpAddress::unmapped() const {
  if (!is_v6() || !IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) return *this;
  IpAddress result;
  result.storage_.v4.sin_family = AF_INET;
  result.storage_.v4.sin_port = storage_.v6.sin6_port;
  std::memcpy(&result.storage_.v4.sin_addr, storage_.v6.sin6_addr.s6_addr + 12, 4);
  return result;
}

namespace {
std::size_t write_v4(const std::uint8_t* bytes, char* out) {
  char* at = out;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    at = std::to_chars(at, at + 3, bytes[i]).ptr;
  }
  return static_cast<std::size_t>(at - out);
}
}  // namespace

std::size_t IpAddress::write_host(char* out) const {
  if (is_v4()) return write_v4(bytes().data(), out);
  if (is_v6()) {
    inet_ntop(AF_INET6, &storage_.v6.sin6_addr, out, INET6_ADDRSTRLEN);
    return std::strlen(out);
  }
  if (family() == AF_UNIX) {
    std::memcpy(out, "unix:", 5);
    return 5;
  }
  return 0;
}

bool IpAddress::is_wildcard() const {
  const auto all = bytes();
  return std::all_of(all.begin(), all.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::string IpAddress::host_text() const {
  char buffer[INET6_ADDRSTRLEN];
  return std::string(buffer, write_host(buffer));
}

std::string IpAddress::text() const {
  if (is_v4()) return host_text() + ":" + std::to_string(port());
  if (is_v6()) return "[" + host_text() + "]:" + std::to_string(port());
  return host_text();
}

socklen_t IpAddress::size() const {
  return is_v4() ? sizeof(sockaddr_in) : is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr);
}

bool operator==(const IpAddress& a, const IpAddress& b) {
  if (a.family() != b.family() || a.port() != b.port()) return false;
  const auto x = a.bytes();
  const auto y = b.bytes();
  return std::equal(x.begin(), x.end(), y.begin(), y.end());
}

bool comes_before(const IpAddress& a, const IpAddress& b) {
  if (a.is_v4() != b.is_v4()) return a.is_v4();
  const auto x = a.bytes();
  const auto y = b.bytes();
  if (std::equal(x.begin(), x.end(), y.begin(), y.end())) return a.port() < b.port();
  return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
}

std::string Endpoint::text() const { return is_unix() ? "unix:" + unix_path : ip.text(); }

std::optional<Cidr> Cidr::parse(std::string_view text) {
  Cidr result;
  if (text == "unix:") {
    sockaddr any{};
    any.sa_family = AF_UNIX;
    result.base_ = IpAddress(&any);
    return result;
  }
  const auto slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  result.base_ = *base;
  const int width = base->is_v4() ? 32 : 128;
  result.bits_ = width;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), result.bits_);
    if (error != std::errc{} || end != digits.data() + digits.size() || result.bits_ < 0 ||
        result.bits_ > width) {
      return std::nullopt;
    }
  }
  return result;
}

std::string Cidr::text() const {
  if (!base_.is_v4() && !base_.is_v6()) return base_.host_text();
  return base_.host_text() + "/" + std::to_string(bits_);
}

Cidr Cidr::masked() const {
  Cidr result = *this;
  const auto zero = [this](std::uint8_t* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const int kept = std::clamp(bits_ - static_cast<int>(8 * i), 0, 8);
      bytes[i] = static_cast<std::uint8_t>(bytes[i] & 0xff00 >> kept);
    }
  };
  if (base_.is_v4()) {
    sockaddr_in address;
    std::memcpy(&address, base_.data(), sizeof address);
    zero(reinterpret_cast<std::uint8_t*>(&address.sin_addr), 4);
    result.base_ = IpAddress(reinterpret_cast<const sockaddr*>(&address));
  } else if (base_.is_v6()) {
    sockaddr_in6 address;
    std::memcpy(&address, base_.data(), sizeof address);
    zero(address.sin6_addr.s6_addr, 16);
    result.base_ = IpAddress(reinterpret_cast<const sockaddr*>(&address));
  }
  return result;
}

bool Cidr::covers(const IpAddress& address) const {
  if (address.family() != base_.family()) return false;
  const auto want = base_.bytes();
  const auto have = address.bytes();
  const auto whole = static_cast<std::size_t>(bits_ / 8);
  if (!std::equal(want.begin(), want.begin() + static_cast<std::ptrdiff_t>(whole), have.begin())) {
    return false;
  }
  const int rest = bits_ % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00 >> rest);
  return (want[whole] & mask) == (have[whole] & mask);
}

bool Cidr::has_low_bits() const {
  const auto bytes = base_.bytes();
  for (auto bit = static_cast<std::size_t>(bits_); bit < bytes.size() * 8; ++bit) {
    if (bytes[bit / 8] & (0x80 >> (bit % 8))) return true;
  }
  return false;
}

}  // namespace weir
