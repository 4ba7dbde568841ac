#include "tls/client_hello.h"

#include <algorithm>
#include <array>
#include <optional>

namespace weir::tls {
namespace {

constexpr std::uint8_t kHandshake = 0x16;  // type of record
constexpr std::uint8_t kClientHello = 1;   // type of message
constexpr std::size_t kRecordHead = 5;
constexpr std::size_t kMessageHead = 4;
constexpr std::uint16_t kServerName = 0;
constexpr std::uint16_t kAlpn = 16;
constexpr std::uint16_t kSupportedVersions = 43;
constexpr std::size_t kLongestName = 255;

// Takes numbers and texts off the front; once something is missing, all that follows is.
class Bytes {
 public:
  explicit Bytes(std::string_view rest) : rest_(rest) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

  std::uint32_t number(std::size_t width) {
    std::uint32_t value = 0;
    for (const char c : take(width)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) ok_ = false;
    if (!ok_) return {};
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  // What follows its length of so many bytes.
  std::string_view sized(std::size_t width) {
    const auto size = number(width);
    return take(size);
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::string_view version_name(std::uint32_t number) {
  switch (number) {
    case 0x0002:
      return "SSLv2";
    case 0x0300:
      return "SSLv3";
    case 0x0301:
      return "TLSv1";
    case 0x0302:
      return "TLSv1.1";
    case 0x0303:
      return "TLSv1.2";
    case 0x0304:
      return "TLSv1.3";
    default:
      return {};
  }
}

// A host name as it may stand in a map; what else may come in this place names nobody.
bool valid_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte >= 0x7f || c == '/' || c == '\\';
  });
}

bool read_name(std::string_view extension, ClientHello& hello) {
  Bytes list(Bytes(extension).sized(2));
  const auto type = list.number(1);
  const auto name = list.sized(2);
  if (!list.ok() || type != 0 || !valid_name(name)) return false;
  hello.server_name = name;
  for (char& c : hello.server_name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  if (hello.server_name.ends_with('.')) hello.server_name.pop_back();
  return true;
}

bool read_protocols(std::string_view extension, ClientHello& hello) {
  Bytes outer(extension);
  Bytes list(outer.sized(2));
  if (!outer.ok()) return false;
  while (!list.empty()) {
    const auto name = list.sized(1);
    if (!list.ok() || name.empty()) return false;
    if (!hello.protocols.empty()) hello.protocols.push_back(',');
    hello.protocols.append(name);
  }
  return true;
}

bool read_versions(std::string_view extension, std::uint32_t& version) {
  Bytes outer(extension);
  Bytes list(outer.sized(1));
  if (!outer.ok()) return false;
  while (!list.empty()) {
    const auto offered = list.number(2);
    if (!list.ok()) return false;
    // Numbers that are there to be ignored (RFC 8701) are greater than any version's.
    if (offered <= 0x0304 && offered > version) version = offered;
  }
  return true;
}

bool read_extensions(std::string_view bytes, ClientHello& hello, std::uint32_t& version) {
  Bytes list(bytes);
  bool named = false;
  bool offers = false;
  while (!list.empty()) {
    const auto type = list.number(2);
    const auto extension = list.sized(2);
    if (!list.ok()) return false;
    if (type == kServerName && !named) {
      named = true;
      if (!read_name(extension, hello)) return false;
    } else if (type == kAlpn && !offers) {
      offers = true;
      if (!read_protocols(extension, hello)) return false;
    } else if (type == kSupportedVersions && !read_versions(extension, version)) {
      return false;
    }
  }
  return true;
}

HelloStatus read_message(std::string_view body, ClientHello& hello) {
  Bytes bytes(body);
  auto version = bytes.number(2);
  bytes.take(32);  // random
  bytes.sized(1);  // session
  bytes.sized(2);  // ciphers
  bytes.sized(1);  // compression
  if (!bytes.ok()) return HelloStatus::other;
  if (!bytes.empty()) {
    const auto extensions = bytes.sized(2);
    if (!bytes.ok() || !read_extensions(extensions, hello, version)) return HelloStatus::other;
  }
  hello.version = version_name(version);
  return HelloStatus::complete;
}

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

HelloStatus read_client_hello(std::string_view bytes, ClientHello& hello) {
  hello = {};
  std::string message;  // the handshake's bytes, without the heads of records
  std::size_t at = 0;
  std::optional<std::size_t> size;
  while (bytes.size() > at) {
    // A byte tells already that it is none: nobody has to wait for the others.
    const auto type = byte_at(bytes, at);
    if (at == 0 && (type & 0x80) != 0) {
      if (bytes.size() < kRecordHead) return HelloStatus::more;
      const auto major = byte_at(bytes, 3);
      if (byte_at(bytes, 2) != 1 || (major != 0 && major != 3)) return HelloStatus::other;
      hello.version = version_name(major << 8 | byte_at(bytes, 4));
      return HelloStatus::complete;
    }
    if (type != kHandshake) return HelloStatus::other;
    if (bytes.size() < at + 2) return HelloStatus::more;
    if (byte_at(bytes, at + 1) != 3) return HelloStatus::other;
    if (bytes.size() < at + kRecordHead) return HelloStatus::more;
    const auto length = byte_at(bytes, at + 3) << 8 | byte_at(bytes, at + 4);
    const auto part = bytes.substr(at + kRecordHead, length);
    if (length == 0) return HelloStatus::other;
    message.append(part);
    if (!message.empty() && static_cast<unsigned char>(message[0]) != kClientHello) {
      return HelloStatus::other;
    }
    if (!size && message.size() >= kMessageHead) {
      size = byte_at(message, 1) << 16 | byte_at(message, 2) << 8 | byte_at(message, 3);
    }
    if (size && message.size() >= kMessageHead + *size) {
      return read_message(std::string_view(message).substr(kMessageHead, *size), hello);
    }
    if (part.size() < length) return HelloStatus::more;
    at += kRecordHead + length;
  }
  return HelloStatus::more;
}

}  // namespace weir::tls
