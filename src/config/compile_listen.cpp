// listen ADDRESS [parameters]
#include <chrono>
#include <set>

#include "config/address_text.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::uint16_t kDefaultPort = 80;
constexpr std::uint32_t kMaxBacklog = 1u << 20;
constexpr std::uint64_t kMaxSocketBuffer = 1u << 30;
constexpr std::uint32_t kMaxKeepalive = 32767;  // seconds and probes that Linux takes
constexpr std::uint32_t kMaxProbes = 127;

void socket_size(const Call& call, const Parameter& parameter, int& out) {
  const auto size = size_argument(call, value_of(parameter));
  if (!size) return;
  if (*size > kMaxSocketBuffer) return call.error(*parameter.argument, "the size is too large");
  out = static_cast<int>(*size);
}

// One of IDLE:INTERVAL:COUNT; empty: 0.
bool take_seconds(std::string_view text, int& out) {
  if (text.empty()) return true;
  const auto time = parse_seconds(text);
  if (!time || time->count() > kMaxKeepalive) return false;
  out = static_cast<int>(time->count());
  return true;
}

bool take_keepalive_times(std::string_view text, Listen& listen) {
  const auto first = text.find(':');
  if (!take_seconds(text.substr(0, first), listen.keepalive_idle)) return false;
  const auto rest = first == std::string_view::npos ? "" : text.substr(first + 1);
  const auto second = rest.find(':');
  if (!take_seconds(rest.substr(0, second), listen.keepalive_interval)) return false;
  const auto count = second == std::string_view::npos ? "" : rest.substr(second + 1);
  if (!count.empty()) {
    const auto number = parse_number(count);
    if (!number || *number > kMaxProbes) return false;
    listen.keepalive_count = static_cast<int>(*number);
  }
  return listen.keepalive_idle != 0 || listen.keepalive_interval != 0 ||
         listen.keepalive_count != 0;
}

void apply_keepalive(const Call& call, const Parameter& parameter, Listen& listen) {
  listen.so_keepalive = parameter.value != "off";
  if (parameter.value == "on" || parameter.value == "off") return;
  if (!take_keepalive_times(parameter.value, listen)) {
    call.error(*parameter.argument, "invalid value " + quote(parameter.value) +
                                        " of so_keepalive; use on, off or IDLE:INTERVAL:COUNT");
  }
}

void apply(const Call& call, const Parameter& parameter, Listen& listen) {
  const auto key = parameter.key;
  if (key == "default_server" || key == "default") {
    listen.default_server = true;
    return;
  }
  if (key == "proxy_protocol") {
    listen.proxy_protocol = true;
    return;
  }
  if (key == "udp") {
    listen.udp = true;
    return;
  }
  if (key == "ssl") {
    if (call.scope.admin != nullptr) {
      call.error(*parameter.argument, "the admin listener speaks plain HTTP; remove \"ssl\"");
    }
    listen.ssl = true;
    return;
  }
  if (key == "http2") {
    if (call.scope.admin != nullptr) {
      call.error(*parameter.argument, "the admin listener speaks HTTP/1.1; remove \"http2\"");
    }
    if (call.compiler.report_once("listen http2")) {
      call.warning("\"listen ... http2\" is deprecated; use \"http2 on\" instead");
    }
    listen.http2 = true;
    return;
  }
  if (key == "spdy") {
    if (call.compiler.report_once("listen spdy")) {
      call.compiler.accepted(call, "SPDY is spoken by nobody any more");
    }
    return;
  }
  // All others are options of the socket, which one line may give.
  listen.has_options = true;
  if (key == "reuseport") {
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
    apply_keepalive(call, parameter, listen);
  } else if (key == "ipv6only") {
    listen.ipv6only = on_off(call, parameter);
  }
}

// The addresses that the text stands for: those of a host's name, each with all ports of a range.
std::vector<Endpoint> endpoints(const Call& call, const AddressText& address) {
  const auto& where = address.where;
  if (!where.unix_path.empty()) return {Endpoint{{}, where.unix_path}};
  // A lone port of the admin listener is for this machine.
  const bool local = call.scope.admin != nullptr && address.host_text.empty();
  const std::string host = !where.host.empty() ? where.host : local ? "127.0.0.1" : "0.0.0.0";
  std::vector<Endpoint> found;
  for (const auto& ip : call.compiler.addresses(call, call.arg(0), host, where.port)) {
    const std::uint32_t last = address.last_port == 0 ? where.port : address.last_port;
    for (std::uint32_t port = where.port; port <= last; ++port) {
      IpAddress one = ip;
      one.set_port(static_cast<std::uint16_t>(port));
      found.push_back(Endpoint{one, {}});
    }
  }
  return found;
}

// What datagrams have not.
void check_udp(const Call& call, const std::vector<Parameter>& given, const Listen& listen) {
  if (!listen.udp) return;
  for (const auto& parameter : given) {
    const auto key = parameter.key;
    if (key == "ssl" || key == "proxy_protocol" || key == "backlog" || key == "so_keepalive" ||
        key == "fastopen" || key == "deferred") {
      call.error(*parameter.argument, quote(key) + " does not go with \"udp\"; remove one of them");
    }
  }
}

}  // namespace

void compile_listen(const Call& call) {
  const auto& text = call.arg(0).text;
  AddressRules rules;
  rules.default_port = call.scope.stream_server != nullptr ? 0 : kDefaultPort;
  rules.lone_port = true;
  std::string error;
  const auto address = parse_address(text, rules, error);
  if (!address) return call.error(call.arg(0), "invalid address " + quote(text) + ": " + error);
  Listen options;
  options.position = call.directive.position;
  const auto given = parameters(call, 1);
  for (const auto& parameter : given) apply(call, parameter, options);
  check_udp(call, given, options);
  if (address->where.port == 0 && address->where.unix_path.empty()) {
    return call.error(call.arg(0), "no port in " + quote(text) + "; write ADDRESS:PORT");
  }
  if (options.udp && !address->where.unix_path.empty()) {
    return call.error(call.arg(0), "there are no datagrams over Unix sockets; remove \"udp\"");
  }
  auto& listens =
      call.scope.admin != nullptr ? call.scope.admin->listens : call.scope.server->listens;
  std::set<std::string, std::less<>> known;
  for (const auto& other : listens) known.insert(other.text);
  for (auto& endpoint : endpoints(call, *address)) {
    Listen listen = options;
    listen.text = (options.udp ? "udp:" : "") + endpoint.text();
    if (listen.ipv6only && !endpoint.ip.is_v6()) {
      call.warning("ipv6only is for IPv6 addresses only");
      listen.ipv6only.reset();
    }
    listen.endpoint = std::move(endpoint);
    if (known.contains(listen.text)) {
      return call.error(call.arg(0), "duplicate listen " + quote(listen.text) + " in this block");
    }
    if (!call.compiler.count_listen()) {
      return call.error("more than " + std::to_string(Compiler::kMaxListens) +
                        " addresses to listen on");
    }
    listens.push_back(std::move(listen));
  }
}

}  // namespace weir::config
