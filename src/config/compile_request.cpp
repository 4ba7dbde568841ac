#include "config/address_text.h"
#include "config/handlers.h"

namespace weir::config {
namespace {
constexpr std::uint64_t kMaxHeaderBuffers = 16u << 20;  // bytes in all
constexpr std::uint16_t kDnsPort = 53;
}  // namespace

void compile_keepalive_timeout(const Call& call) {
  const auto idle = time_argument(call, call.arg(0));
  if (!idle) return;
  KeepaliveTimeout timeout{*idle, std::nullopt};
  if (call.count() == 2) {
    timeout.header = time_argument(call, call.arg(1));
    if (!timeout.header) return;
  }
  call.scope.settings->keepalive_timeout = timeout;
}

void compile_large_client_header_buffers(const Call& call) {
  const auto count = number_argument(call, call.arg(0), 1, 1024);
  const auto size = size_argument(call, call.arg(1));
  if (!count || !size) return;
  if (*size == 0 || *count * *size > kMaxHeaderBuffers) {
    return call.error("the buffers must have 1 byte to 16 MiB in all");
  }
  call.scope.settings->large_client_header_buffers = HeaderBuffers{*count, *size};
}

void compile_set_real_ip_from(const Call& call) {
  const auto& text = call.arg(0);
  auto& list = call.scope.settings->set_real_ip_from;
  // What is neither an address nor a network is the name of a host.
  const bool is_host = text.text.find_first_not_of("0123456789./") != std::string::npos &&
                       text.text.find_first_of(":/") == std::string::npos && !text.text.empty();
  if (!is_host) {
    const auto network = network_argument(call, text);
    if (!network) return;
    if (!list) list.emplace();
    return list->push_back(*network);
  }
  if (!list) list.emplace();
  for (const auto& address : call.compiler.addresses(call, text, text.text, 0)) {
    list->push_back(*Cidr::parse(address.host_text()));
  }
}

void compile_real_ip_header(const Call& call) {
  std::string name = lower(call.arg(0).text);
  if (name.empty()) return call.error(call.arg(0), "the name of the field is empty");
  call.scope.settings->real_ip_header = std::move(name);
}

void compile_resolver(const Call& call) {
  ResolverConfig resolver;
  for (std::size_t i = 0; i < call.count(); ++i) {
    const auto& text = call.arg(i).text;
    if (text.find('=') != std::string::npos) continue;
    AddressRules rules;
    rules.default_port = kDnsPort;
    std::string error;
    const auto address = parse_address(text, rules, error);
    if (!address || !address->where.unix_path.empty()) {
      return call.error(call.arg(i), "invalid name server " + quote(text) +
                                         (error.empty() ? "; write an address" : ": " + error));
    }
    const auto found =
        call.compiler.addresses(call, call.arg(i), address->where.host, address->where.port);
    if (found.empty()) return;
    resolver.servers.insert(resolver.servers.end(), found.begin(), found.end());
  }
  Directive options = call.directive;
  std::erase_if(options.args, [](const Argument& argument) {
    return argument.text.find('=') == std::string::npos;
  });
  const Call rest{call.compiler, call.scope, options, call.info};
  for (const auto& parameter : parameters(rest, 0)) {
    if (parameter.key == "valid") {
      const auto time = seconds_argument(rest, value_of(parameter));
      if (!time) return;
      resolver.valid = *time;
    } else if (const auto on = on_off(rest, parameter)) {
      (parameter.key == "ipv4" ? resolver.ipv4 : resolver.ipv6) = *on;
    } else {
      return;
    }
  }
  if (!resolver.ipv4 && !resolver.ipv6) return call.error("ipv4 and ipv6 cannot both be off");
  if (resolver.servers.empty()) return call.error("no name server is given; write its address");
  if (auto* upstream = call.scope.upstream) {
    upstream->resolver = std::move(resolver);
  } else {
    call.scope.settings->resolver = std::move(resolver);
  }
}

void compile_resolver_timeout(const Call& call) {
  const auto time = time_argument(call, call.arg(0));
  if (!time) return;
  if (auto* upstream = call.scope.upstream) {
    upstream->resolver_timeout = *time;
  } else {
    call.scope.settings->resolver_timeout = *time;
  }
}

}  // namespace weir::config
