#include <algorithm>

#include "config/address_text.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

// nginx keeps weights as plain integers; more than this no address can use (6271 slots of ip_hash).
constexpr std::uint32_t kMaxWeight = 65535;
constexpr std::uint32_t kMaxNumber = 0x7fffffff;

constexpr std::size_t kMaxRoute = 32;

// With these written before it, nginx refuses a backup; behind it, it lets them be.
bool refuses_backup(std::string_view method) {
  return method == "ip_hash" || method == "hash" || method == "random";
}

}  // namespace

void take_peer_parameter(const Call& call, const Parameter& parameter, PeerConfig& peer) {
  const Argument value = value_of(parameter);
  const auto number = [&](std::uint32_t least, std::uint32_t greatest, std::uint32_t& out) {
    if (const auto n = number_argument(call, value, least, greatest)) out = *n;
  };
  if (parameter.key == "weight") {
    number(1, kMaxWeight, peer.weight);
  } else if (parameter.key == "max_fails") {
    number(0, kMaxNumber, peer.max_fails);
  } else if (parameter.key == "max_conns") {
    number(0, kMaxNumber, peer.max_conns);
  } else if (parameter.key == "fail_timeout") {
    const auto time = time_argument(call, value);
    if (!time) return;
    peer.fail_timeout = std::chrono::duration_cast<std::chrono::seconds>(*time);
    if (peer.fail_timeout != *time) {
      call.error(*parameter.argument, "fail_timeout counts whole seconds");
    }
  } else if (parameter.key == "slow_start") {
    if (const auto time = time_argument(call, value)) peer.slow_start = *time;
  } else if (parameter.key == "route") {
    peer.route = parameter.value;
    if (peer.route.empty() || peer.route.size() > kMaxRoute) {
      call.error(*parameter.argument, "route must have 1 to 32 characters");
    }
  } else if (parameter.key == "resolve") {
    peer.resolve = true;
  } else if (parameter.key == "service") {
    peer.service = parameter.value;
    if (peer.service.empty())
      call.error(*parameter.argument, "service is empty; write service=NAME");
  } else if (parameter.key == "drain") {
    peer.drain = true;
  } else if (parameter.key == "down") {
    peer.down = true;
  } else if (parameter.key == "backup") {
    peer.backup = true;
    const std::string method(call.scope.method_line);
    if (refuses_backup(method)) {
      call.error(*parameter.argument, method + " does not support \"backup\"; put " + method +
                                          " after the servers, or leave one of them out");
    }
  }
}

namespace {

bool in_turn_or_by_load(Balance balance) {
  switch (balance) {
    case Balance::ip_hash:
    case Balance::ip_hash_full:
    case Balance::hash:
    case Balance::hash_consistent:
    case Balance::random:
    case Balance::random_two:
    case Balance::random_two_header:
    case Balance::random_two_last_byte:
      return false;
    default:
      return true;
  }
}

// What only the whole block tells.
void check_combinations(const Call& call, const UpstreamConfig& upstream) {
  auto& diagnostics = call.compiler.diagnostics();
  for (const auto& directive : call.directive.block) {
    if (directive.name != "forget" || !upstream.registry || !upstream.peers.empty()) continue;
    diagnostics.warning(directive.position,
                        "forget: is for the addresses of host names, and there are none here; "
                        "that of nodes is the parameter forget= of registry");
  }
  const auto check_slow_start = [&](const PeerConfig& peer, const Position& position,
                                    const char* directive) {
    if (peer.slow_start == Duration{0} || in_turn_or_by_load(upstream.balance)) return;
    diagnostics.error(position, std::string(directive) + ": slow_start does not go with " +
                                    to_string(upstream.balance) +
                                    "; use round robin, least_conn or least_time");
  };
  if (upstream.registry) {
    check_slow_start(upstream.registry->node, upstream.registry->position, "registry");
  }
  for (const auto& peer : upstream.peers) {
    check_slow_start(peer, peer.position, "server");
    const bool bound = !peer.route.empty() || peer.drain;
    if (bound && !upstream.sticky) {
      diagnostics.warning(peer.position, "server: route and drain have a meaning only with sticky");
    }
  }
}

void check_place(const Call& call, const AddressText& address, const PeerConfig& peer) {
  if (!peer.service.empty()) {
    const bool is_name = address.where.unix_path.empty() && !IpAddress::parse(address.where.host);
    if (!is_name || address.has_port) {
      call.error(call.arg(0),
                 "with service, " + quote(peer.name) +
                     " must be a host name without a port: SRV records have the ports");
    } else if (!peer.resolve) {
      call.error("service needs the parameter resolve");
    }
  } else if (address.where.port == 0 && address.where.unix_path.empty()) {
    call.error(call.arg(0), "no port in " + quote(peer.name) + "; write HOST:PORT");
  }
}

}  // namespace

void compile_upstream(const Call& call) {
  auto& compiler = call.compiler;
  const auto& name = call.arg(0).text;
  const auto index = compiler.find_upstream(name);
  if (!index) return;
  if (name.empty() || name.find('/') != std::string::npos) {
    call.error(call.arg(0), "invalid name " + quote(name) + "; use letters, digits, - . and _");
  }
  const auto& known = compiler.model().upstreams[*index];
  if (known.position.line != 0) {
    return call.error(call.arg(0),
                      "duplicate upstream " + quote(name) + "; first at " + known.position.text());
  }
  UpstreamConfig upstream;
  upstream.name = name;
  upstream.position = call.directive.position;
  upstream.stream = compiler.in_stream();
  Scope scope;
  scope.contexts = call.info.inner;
  scope.upstream = &upstream;
  if (compiler.model().dialect == Dialect::yaml) {
    upstream.eject.on = true;
    upstream.retry.budget = 20;
  }
  compiler.walk(call.directive.block, scope);
  check_combinations(call, upstream);
  if (!upstream.registry && std::all_of(upstream.peers.begin(), upstream.peers.end(),
                                        [](const PeerConfig& peer) { return peer.backup; })) {
    call.error(upstream.peers.empty()
                   ? "no servers are inside upstream " + quote(name) + "; add server HOST:PORT"
                   : "all servers of " + quote(name) + " are backups; one must not be");
  }
  compiler.model().upstreams[*index] = std::move(upstream);
}

void compile_peer(const Call& call) {
  PeerConfig peer;
  // The careful dialect counts failures by `eject`, unless the line says otherwise.
  if (call.compiler.model().dialect == Dialect::yaml) peer.max_fails = 0;
  peer.name = call.arg(0).text;
  peer.position = call.directive.position;
  std::string error;
  AddressRules rules;
  if (call.compiler.in_stream()) rules.default_port = 0;
  const auto address = parse_address(peer.name, rules, error);
  if (!address) {
    call.error(call.arg(0), "invalid address " + quote(peer.name) + ": " + error);
  } else {
    peer.where = address->where;
  }
  for (const auto& parameter : parameters(call, 1)) take_peer_parameter(call, parameter, peer);
  if (address) check_place(call, *address, peer);
  call.scope.upstream->peers.push_back(std::move(peer));
}

void compile_keepalive(const Call& call) {
  const auto number = number_argument(call, call.arg(0), 0, 1u << 20);
  if (number) call.scope.upstream->keepalive.connections = *number;
  // `local`: connections are not shared between workers; here they never are.
  static_cast<void>(parameters(call, 1));
}

void compile_upstream_proxy_protocol(const Call& call) {
  const auto& text = call.arg(0).text;
  auto& version = call.scope.upstream->proxy_protocol;
  if (text == "v1" || text == "v2" || text == "off") {
    version = text == "v1"   ? ProxyProtocol::v1
              : text == "v2" ? ProxyProtocol::v2
                             : ProxyProtocol::off;
  } else {
    call.error(call.arg(0), "invalid value " + quote(text) + "; use v1, v2 or off");
  }
}

void compile_upstream_keepalive_requests(const Call& call) {
  const auto number = number_argument(call, call.arg(0), 0, kMaxNumber);
  if (number) call.scope.upstream->keepalive.requests = *number;
}

void compile_upstream_keepalive_time(const Call& call) {
  const auto time = time_argument(call, call.arg(0));
  if (time) call.scope.upstream->keepalive.time = *time;
}

void compile_upstream_keepalive_timeout(const Call& call) {
  const auto time = time_argument(call, call.arg(0));
  if (time) call.scope.upstream->keepalive.timeout = *time;
}

}  // namespace weir::config
