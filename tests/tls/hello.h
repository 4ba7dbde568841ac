// Hellos of TLS, made of their parts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::tls::testing {

inline std::string number(std::size_t value, std::size_t width) {
  std::string out;
  for (std::size_t i = width; i > 0; --i) out.push_back(static_cast<char>(value >> 8 * (i - 1)));
  return out;
}
inline std::string sized(std::string_view text, std::size_t width) {
  return number(text.size(), width).append(text);
}
inline std::string extension(std::size_t type, std::string_view body) {
  return number(type, 2) + sized(body, 2);
}
inline std::string name(std::string_view host) {
  return extension(0, sized(std::string(1, '\0') + sized(host, 2), 2));
}
inline std::string protocols(const std::vector<std::string_view>& list) {
  std::string body;
  for (const auto one : list) body += sized(one, 1);
  return extension(16, sized(body, 2));
}
inline std::string versions(const std::vector<std::size_t>& list) {
  std::string body;
  for (const auto one : list) body += number(one, 2);
  return extension(43, sized(body, 1));
}
// The message, without the head of a record.
inline std::string message(std::string_view extensions, std::size_t version = 0x0303) {
  std::string body = number(version, 2) + std::string(32, 'r') + sized("session", 1) +
                     sized("\x13\x01\x13\x02", 2) + sized(std::string(1, '\0'), 1);
  if (!extensions.empty()) body += sized(extensions, 2);
  return "\x01" + sized(body, 3);
}
inline std::string record(std::string_view bytes) {
  return std::string("\x16\x03\x01", 3) + sized(bytes, 2);
}
inline std::string hello(std::string_view extensions, std::size_t version = 0x0303) {
  return record(message(extensions, version));
}

}  // namespace weir::tls::testing
