#include "access/forwarded.h"

#include <algorithm>
#include <charconv>

namespace weir::access {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// Takes the last item of a list whose items are parted by spaces and commas.
std::string_view take_last(std::string_view& list) {
  constexpr std::string_view separators = " ,";
  const auto end = list.find_last_not_of(separators);
  list = list.substr(0, end == std::string_view::npos ? 0 : end + 1);
  const auto before = list.find_last_of(separators);
  const auto begin = before == std::string_view::npos ? 0 : before + 1;
  const auto item = list.substr(begin);
  list = list.substr(0, before == std::string_view::npos ? 0 : before);
  return item;
}

}  // namespace

std::optional<IpAddress> parse_address_and_port(std::string_view text) {
  if (auto address = IpAddress::parse(text)) return address;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  // An IPv6 address with a port has brackets around it.
  const bool bracketed = host.starts_with('[');
  if (!port || (!bracketed && host.find(':') != std::string_view::npos)) return std::nullopt;
  return IpAddress::parse(host, *port);
}

IpAddress forwarded_address(const IpAddress& peer, std::span<const std::string_view> fields,
                            std::span<const Cidr> proxies, bool recursive) {
  IpAddress client = peer;
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    auto list = *field;
    do {
      const bool trusted = std::any_of(proxies.begin(), proxies.end(),
                                       [&](const Cidr& range) { return range.contains(client); });
      if (!trusted) return client;
      const auto next = parse_address_and_port(take_last(list));
      if (!next) return client;
      client = *next;
      if (!recursive) return client;
    } while (!list.empty());
  }
  return client;
}

}  // namespace weir::access
