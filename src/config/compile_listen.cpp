#include <arpa/inet.h>

#include <algorithm>

#include "config/address_text.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::uint16_t kDefaultPort = 80;
constexpr std::uint32_t kMaxBacklog = 1u << 20;
constexpr std::uint64_t kMaxSocketBuffer = 1u << 30;

Argument value_of(const Parameter& parameter) {
  return {std::string(parameter.value), parameter.argument->position, false};
}

// on | off; anything else is an error.
std::optional<bool> on_off(const Call& call, const Parameter& parameter) {
  if (parameter.value == "on") return true;
  if (parameter.value == "off") return false;
  call.error(*parameter.argument, "invalid value " + quote(parameter.value) + " of " +
                                      std::string(parameter.key) + "; use on or off");
  return std::nullopt;
}

void socket_size(const Call& call, const Parameter& parameter, int& out) {
  const auto size = size_argument(call, value_of(parameter));
  if (!size) return;
  if (*size > kMaxSocketBuffer) return call.error(*parameter.argument, "the size is too large");
  out = static_cast<int>(*size);
}

void apply(const Call& call, const Parameter& parameter, Listen& listen) {
  const auto key = parameter.key;
  if (key == "default_server" || key == "default") {
    listen.default_server = true;
  } else if (key == "reuseport") {
    listen.reuseport = true;
  } else if (key == "deferred") {
    listen.deferred = true;
  } else if (key == "backlog") {
    const auto number = number_argument(call, value_of(parameter), 1, kMaxBacklog);
    if (number) listen.backlog = static_cast<int>(*number);
  } else if (key == "fastopen") {
    const auto number = number_argument(call, value_of(parameter), 0, kMaxBacklog);
    if (number) listen.fastopen = static_cast<int>(*number);
  } else if (key == "rcvbuf") {
    socket_size(call, parameter, listen.rcvbuf);
  } else if (key == "sndbuf") {
    socket_size(call, parameter, listen.sndbuf);
  } else if (key == "so_keepalive") {
    if (parameter.value.find(':') != std::string_view::npos) {
      listen.so_keepalive = true;
      call.warning("the times of so_keepalive are the system's own");
    } else if (const auto on = on_off(call, parameter)) {
      listen.so_keepalive = *on;
    }
  } else if (key == "ipv6only") {
    if (!listen.endpoint.ip.is_v6()) {
      return call.warning("ipv6only is for IPv6 addresses only");
    }
    listen.ipv6only = on_off(call, parameter);
  }
}

bool resolve(const Call& call, const AddressText& address, Endpoint& endpoint) {
  const auto& where = address.where;
  if (!where.unix_path.empty()) {
    endpoint.unix_path = where.unix_path;
    return true;
  }
  std::string host = where.host.empty() ? "0.0.0.0" : where.host;
  if (host == "localhost") host = "127.0.0.1";
  const auto ip = IpAddress::parse(host, where.port);
  if (!ip) {
    call.error(call.arg(0), "host names are not supported here; write an address in place of " +
                                quote(where.host));
    return false;
  }
  endpoint.ip = *ip;
  return true;
}

}  // namespace

void compile_listen(const Call& call) {
  const auto& text = call.arg(0).text;
  AddressRules rules;
  rules.default_port = kDefaultPort;
  rules.lone_port = true;
  std::string error;
  const auto address = parse_address(text, rules, error);
  if (!address) return call.error(call.arg(0), "invalid address " + quote(text) + ": " + error);
  Listen listen;
  listen.position = call.directive.position;
  if (!resolve(call, *address, listen.endpoint)) return;
  listen.text = listen.endpoint.text();
  for (const auto& parameter : parameters(call, 1)) apply(call, parameter, listen);
  auto& listens =
      call.scope.admin != nullptr ? call.scope.admin->listens : call.scope.server->listens;
  if (std::any_of(listens.begin(), listens.end(),
                  [&](const Listen& other) { return other.text == listen.text; })) {
    return call.error(call.arg(0), "duplicate listen " + quote(listen.text) + " in this block");
  }
  listens.push_back(std::move(listen));
}

}  // namespace weir::config
