#include "config/address_text.h"

#include <sys/un.h>

#include <algorithm>

#include "config/units.h"

namespace weir::config {
namespace {

constexpr std::size_t kMaxUnixPath = sizeof(sockaddr_un::sun_path) - 1;

bool take_number(std::string_view text, std::uint16_t& port, std::string& error) {
  const auto number = parse_number(text);
  if (!number || *number < 1 || *number > 65535) {
    error = "invalid port \"" + std::string(text.substr(0, 20)) + "\"; it must be from 1 to 65535";
    return false;
  }
  port = static_cast<std::uint16_t>(*number);
  return true;
}

// "80", and with `range` "80-90".
bool take_port(std::string_view text, bool range, AddressText& out, std::string& error) {
  const auto dash = range ? text.find('-') : std::string_view::npos;
  out.port_text = text;
  out.has_port = true;
  if (!take_number(text.substr(0, dash), out.where.port, error)) return false;
  if (dash == std::string_view::npos) return true;
  if (!take_number(text.substr(dash + 1), out.last_port, error)) return false;
  if (out.last_port >= out.where.port) return true;
  error = "the range of ports ends before it begins";
  return false;
}

bool is_port(std::string_view text) {
  const auto dash = text.find('-');
  return parse_number(text.substr(0, dash)) &&
         (dash == std::string_view::npos || parse_number(text.substr(dash + 1)));
}

bool take_unix(std::string_view text, const AddressRules& rules, AddressText& out,
               std::string& error) {
  text.remove_prefix(5);
  if (rules.uri) {
    const auto colon = text.find(':');
    if (colon != std::string_view::npos) {
      out.uri = text.substr(colon + 1);
      text = text.substr(0, colon);
    }
  }
  if (text.empty()) {
    error = "no path after unix:";
    return false;
  }
  if (text.size() > kMaxUnixPath) {
    error = "the path of the socket is longer than " + std::to_string(kMaxUnixPath) + " bytes";
    return false;
  }
  out.where.unix_path = text;
  out.where.port = 0;
  return true;
}

// "[::1]:80" and "[::1]".
bool take_bracketed(std::string_view text, const AddressRules& rules, AddressText& out,
                    std::string& error) {
  const auto close = text.find(']');
  const auto host =
      close == std::string_view::npos ? std::string_view{} : text.substr(1, close - 1);
  if (host.find(':') == std::string_view::npos || !IpAddress::parse(host)) {
    error = "invalid IPv6 address";
    return false;
  }
  out.where.host = host;
  out.host_text = text.substr(0, close + 1);
  text.remove_prefix(close + 1);
  if (text.empty()) return true;
  if (text.front() != ':') {
    error = "a port or nothing must follow \"]\"";
    return false;
  }
  return take_port(text.substr(1), rules.lone_port, out, error);
}

bool valid_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

bool take_host(std::string_view text, const AddressRules& rules, AddressText& out,
               std::string& error) {
  const auto colon = text.find(':');
  const auto host = text.substr(0, colon);
  if (colon == std::string_view::npos && rules.lone_port && is_port(text)) {
    return take_port(text, true, out, error);
  }
  if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos &&
      IpAddress::parse(text)) {
    error = "an IPv6 address needs brackets: [" + std::string(text) + "]";
    return false;
  }
  if (host.empty()) {
    error = "no host";
    return false;
  }
  if (!(rules.lone_port && host == "*")) {
    if (host.size() > 253 || !valid_host(host)) {
      error = "invalid host \"" + std::string(host.substr(0, 80)) + "\"";
      return false;
    }
    out.where.host = host;
  }
  out.host_text = host;
  return colon == std::string_view::npos ||
         take_port(text.substr(colon + 1), rules.lone_port, out, error);
}

}  // namespace

std::optional<AddressText> parse_address(std::string_view text, const AddressRules& rules,
                                         std::string& error) {
  AddressText out;
  out.where.port = rules.default_port;
  if (text.starts_with("unix:")) {
    if (!take_unix(text, rules, out, error)) return std::nullopt;
    return out;
  }
  if (text.starts_with("http://") || text.starts_with("https://")) {
    error = "an address is wanted, not a URL; write it without \"" +
            std::string(text.substr(0, text.find("//") + 2)) + "\"";
    return std::nullopt;
  }
  if (rules.uri) {
    const auto at = std::min(text.find_first_of("/?"), text.size());
    out.uri = text.substr(at);
    text = text.substr(0, at);
  }
  // Not quoted: it may be a password.
  if (text.find('@') != std::string_view::npos) {
    error =
        "a user or a password does not belong into an address; leave out what is before the \"@\"";
    return std::nullopt;
  }
  const bool ok = text.starts_with('[') ? take_bracketed(text, rules, out, error)
                                        : take_host(text, rules, out, error);
  if (!ok) return std::nullopt;
  return out;
}

}  // namespace weir::config
