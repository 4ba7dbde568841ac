// proxy_pass and grpc_pass: where requests go.
#include "config/address_text.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
constexpr std::string_view kGrpc = "grpc://";
constexpr std::string_view kGrpcs = "grpcs://";

// The one of two schemes that the URL begins with; empty: neither.
std::string_view scheme_of(const std::string& url, std::string_view plain, std::string_view tls) {
  if (lower(url.substr(0, plain.size())) == plain) return plain;
  if (lower(url.substr(0, tls.size())) == tls) return tls;
  return {};
}

std::uint16_t usual_port(const ProxyConfig& proxy) {
  if (proxy.grpc) return 0;  // there is none
  return proxy.tls ? 443 : 80;
}

// "http://127.0.0.1:$port/x": worked out for each request.
void compile_target(const Call& call, ProxyConfig& proxy) {
  if (const auto target = call.compiler.value(call, call.arg(0))) proxy.target = *target;
}

// What the address names: an upstream block, or a peer of its own.
bool find_peers(const Call& call, const AddressText& address, ProxyConfig& proxy) {
  auto& compiler = call.compiler;
  const auto& where = address.where;
  const auto named =
      where.unix_path.empty() ? compiler.find_upstream(address.host_text) : std::nullopt;
  if (named && address.has_port) {
    call.error(call.arg(0), "upstream " + quote(address.host_text) + " may not have port " +
                                address.port_text + "; leave it out");
    return false;
  }
  if (!where.unix_path.empty()) {
    proxy.host = "localhost";
    proxy.upstream =
        compiler.implicit_upstream(where, "unix:" + where.unix_path, call.directive.position);
    return true;
  }
  if (proxy.grpc && !named && !address.has_port) {
    call.error(call.arg(0), "there is no upstream " + quote(address.host_text) +
                                ", and a host needs a port; write HOST:PORT");
    return false;
  }
  const bool plain_port = !address.has_port || where.port == usual_port(proxy);
  const std::string port = std::to_string(where.port);
  proxy.host = plain_port ? address.host_text : address.host_text + ":" + address.port_text;
  proxy.port_text = plain_port ? std::to_string(usual_port(proxy)) : address.port_text;
  proxy.upstream = named ? *named
                         : compiler.implicit_upstream(where, address.host_text + ":" + port,
                                                      call.directive.position);
  return true;
}

bool check_uri(const Call& call, const ProxyConfig& proxy) {
  if (!proxy.has_uri) return true;
  const char* place = nullptr;
  switch (call.scope.location->kind) {
    case LocationKind::regex:
      place = "a regex location";
      break;
    case LocationKind::named:
      place = "a named location";
      break;
    case LocationKind::unnamed:
      place = (call.scope.contexts & in_if) != 0 ? "an \"if\"" : "a limit_except";
      break;
    default:
      break;
  }
  if (place != nullptr) {
    call.error(call.arg(0), "cannot have a URI (" + quote(proxy.uri) + ") in " + place +
                                ": there is no prefix for it to replace; leave it out");
    return false;
  }
  if (proxy.uri.find_first_of(" \t\r\n") != std::string::npos) {
    call.error(call.arg(0), "the URI must have no blanks");
    return false;
  }
  return true;
}

}  // namespace

void compile_proxy_pass(const Call& call) {
  const auto& url = call.arg(0).text;
  ProxyConfig proxy;
  if (url.empty()) return call.error(call.arg(0), "the URL is empty; write http://HOST");
  if (url.find('$') != std::string::npos) {
    compile_target(call, proxy);
    call.scope.location->content = std::move(proxy);
    return;
  }
  const auto scheme = scheme_of(url, kHttp, kHttps);
  if (scheme.empty()) {
    return call.error(call.arg(0), "invalid URL prefix in " + quote(url) +
                                       "; it must begin with http:// or https://");
  }
  proxy.tls = scheme == kHttps;
  AddressRules rules;
  rules.default_port = usual_port(proxy);
  rules.uri = true;
  std::string error;
  const auto address = parse_address(std::string_view(url).substr(scheme.size()), rules, error);
  if (!address) return call.error(call.arg(0), "invalid URL " + quote(url) + ": " + error);
  proxy.url = url;
  proxy.uri = address->uri;
  proxy.has_uri = !address->uri.empty();
  if (!check_uri(call, proxy) || !find_peers(call, *address, proxy)) return;
  call.scope.location->content = std::move(proxy);
}

void compile_grpc_pass(const Call& call) {
  const auto& url = call.arg(0).text;
  ProxyConfig proxy;
  proxy.grpc = true;
  if (url.empty()) return call.error(call.arg(0), "the URL is empty; write grpc://HOST:PORT");
  if (url.find('$') != std::string::npos) {
    compile_target(call, proxy);
    call.scope.location->content = std::move(proxy);
    return;
  }
  // nginx needs no scheme where there is no TLS.
  const auto scheme = scheme_of(url, kGrpc, kGrpcs);
  const auto rest = std::string_view(url).substr(scheme.size());
  if (scheme.empty() && rest.find("://") != std::string_view::npos) {
    return call.error(call.arg(0), "invalid URL prefix in " + quote(url) +
                                       "; it must begin with grpc:// or grpcs://");
  }
  proxy.tls = scheme == kGrpcs;
  AddressRules rules;
  rules.default_port = usual_port(proxy);
  std::string error;
  const auto address = parse_address(rest, rules, error);
  if (!address) return call.error(call.arg(0), "invalid URL " + quote(url) + ": " + error);
  proxy.url = url;
  if (find_peers(call, *address, proxy)) call.scope.location->content = std::move(proxy);
}

}  // namespace weir::config
