// proxy_*: what is said to peers and from where, buffers, files.
#include <algorithm>

#include "config/address_text.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

// An address without or with a port: "10.0.0.1", "10.0.0.1:0", "::1", "[::1]:80".
bool is_local_address(std::string_view text) {
  if (IpAddress::parse(text)) return true;
  std::string error;
  const auto address = parse_address(text, {}, error);
  return address && address->where.unix_path.empty() &&
         IpAddress::parse(address->where.host).has_value();
}

// "user:rw", "group:r", "all:r": bits of a file's mode.
std::optional<std::uint32_t> rights(std::string_view text) {
  std::uint32_t shift = 0;
  if (text.starts_with("user:")) {
    shift = 6;
  } else if (text.starts_with("group:")) {
    shift = 3;
  } else if (!text.starts_with("all:")) {
    return std::nullopt;
  }
  text.remove_prefix(text.find(':') + 1);
  if (text == "rw") return 6u << shift;
  if (text == "r") return 4u << shift;
  return std::nullopt;
}

}  // namespace

void compile_proxy_http_version(const Call& call) {
  const auto& version = call.arg(0).text;
  auto& setting = call.scope.settings->proxy_http_version;
  if (version == "1.0") {
    setting = PeerVersion::http10;
  } else if (version == "1.1") {
    setting = PeerVersion::http11;
  } else if (version == "2") {
    setting = PeerVersion::http2;
  } else {
    call.error(call.arg(0), "invalid version " + quote(version) + "; use 1.0, 1.1 or 2");
  }
}

void compile_proxy_set_body(const Call& call) {
  auto value = call.compiler.value(call, call.arg(0));
  if (!value) return;
  call.scope.settings->proxy_set_body = std::move(*value);
  call.scope.settings->has_proxy_set_body = true;
}

void set_bind(const Call& call, std::optional<ProxyBind>& setting) {
  const auto& address = call.arg(0);
  if (call.count() == 1 && address.text == "off") {
    setting.emplace();
    return;
  }
  ProxyBind bind;
  if (call.count() == 2) {
    if (call.arg(1).text != "transparent") {
      return call.error(call.arg(1), "unknown parameter " + quote(call.arg(1).text) +
                                         "; the only one is transparent");
    }
    bind.transparent = true;
  }
  auto value = call.compiler.value(call, address);
  if (!value) return;
  if (value->is_constant() && !is_local_address(address.text)) {
    return call.error(address, "invalid address " + quote(address.text) +
                                   "; write an address of this machine, with a port or without");
  }
  bind.address = std::move(*value);
  setting = std::move(bind);
}

void compile_proxy_buffers(const Call& call) {
  const auto count = number_argument(call, call.arg(0), 1, 1u << 20);
  const auto size = size_argument(call, call.arg(1));
  if (!count || !size) return;
  if (*size == 0) return call.error(call.arg(1), "a buffer must have a size");
  if (*count < 2) return call.error(call.arg(0), "there must be at least 2 buffers");
  call.scope.settings->proxy_buffers = ProxyBuffers{*count, *size};
}

void compile_proxy_store(const Call& call) {
  const auto& path = call.arg(0);
  ProxyStore store;
  store.on = path.text != "off";
  if (path.text.empty()) return call.error(path, "the path is empty; use on, off or a path");
  if (store.on && path.text != "on") {
    auto value = path_argument(call, path);
    if (!value) return;
    store.path = std::move(*value);
  }
  call.scope.settings->proxy_store = std::move(store);
}

void compile_proxy_store_access(const Call& call) {
  std::uint32_t mode = 0;
  for (const auto& argument : call.directive.args) {
    const auto bits = rights(argument.text);
    if (!bits) {
      return call.error(argument,
                        "invalid rights " + quote(argument.text) + "; write user:rw group:r all:r");
    }
    mode |= *bits;
  }
  // Without a word about the user it is rw.
  const bool user = std::any_of(call.directive.args.begin(), call.directive.args.end(),
                                [](const Argument& a) { return a.text.starts_with("user:"); });
  call.scope.settings->proxy_store_access = user ? mode : mode | 0600u;
}

void compile_proxy_cache(const Call& call) {
  if (call.arg(0).text == "off" || !call.compiler.report_once("proxy_cache")) return;
  call.warning("answers are not cached; requests go to the nodes each time");
}

void compile_proxy_cache_path(const Call& call) {
  const auto zone =
      std::find_if(call.directive.args.begin(), call.directive.args.end(),
                   [](const Argument& a) { return a.text.starts_with("keys_zone="); });
  if (zone == call.directive.args.end()) {
    return call.error("keys_zone=NAME:SIZE is missing");
  }
  call.compiler.accepted(call, "answers are not cached");
}

}  // namespace weir::config
