#include "http/host.h"

#include <array>
#include <cstdint>

#include "http/chars.h"

namespace weir::http {
namespace {

// reg-name of RFC 3986 section 3.2.2, '%' apart.
constexpr std::array<bool, 256> make_name_chars() {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < 128; ++i) {
    table[i] = is_alpha(static_cast<char>(i)) || is_digit(static_cast<char>(i));
  }
  for (const char c : std::string_view("-._~!$&'()*+,;=")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr auto name_chars = make_name_chars();

bool valid_port(std::string_view port) {
  if (port.size() > 5) return false;
  std::uint32_t value = 0;
  for (const char c : port) {
    if (!is_digit(c)) return false;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value <= 65535;
}

// IPvFuture: "v1.fe80::a+en1".
bool is_future(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && hex_value(text[at]) >= 0) ++at;
  if (at == 1 || at + 1 >= text.size() || text[at] != '.') return false;
  for (const char c : text.substr(at + 1)) {
    if (c != ':' && !name_chars[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

// The size of the address in brackets at the start, or 0 if it is none.
std::size_t literal_size(std::string_view host) {
  const std::size_t close = host.find(']');
  if (close == std::string_view::npos || close < 3) return 0;
  const auto inner = host.substr(1, close - 1);
  if (inner.find("..") != std::string_view::npos) return 0;
  if (inner.front() == 'v' || inner.front() == 'V') return is_future(inner) ? close + 1 : 0;
  for (const char c : inner) {
    if (hex_value(c) < 0 && c != ':' && c != '.') return 0;
  }
  return close + 1;
}

// The size of the name at the start, up to a colon or the end, or 0 if it is none.
std::size_t name_size(std::string_view host) {
  std::size_t i = 0;
  if (host.front() == '.' && (host.size() == 1 || host[1] == ':')) return 0;
  while (i < host.size() && host[i] != ':') {
    if (host[i] == '.' && i > 0 && host[i - 1] == '.') return 0;
    if (name_chars[static_cast<unsigned char>(host[i])]) {
      ++i;
    } else if (host[i] == '%' && i + 2 < host.size() && hex_value(host[i + 1]) >= 0 &&
               hex_value(host[i + 2]) >= 0) {
      i += 3;
    } else {
      return 0;
    }
  }
  return i;
}

}  // namespace

bool valid_host(std::string_view host) {
  if (host.empty()) return false;
  const std::size_t size = host.front() == '[' ? literal_size(host) : name_size(host);
  if (size == 0) return false;
  host.remove_prefix(size);
  return host.empty() || (host.front() == ':' && valid_port(host.substr(1)));
}

}  // namespace weir::http
