#include "config/handlers.h"

namespace weir::config {
namespace {
constexpr std::uint64_t kMaxHeaderBuffers = 16u << 20;  // bytes in all
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
  const auto range = Cidr::parse(call.arg(0).text);
  if (!range) {
    return call.error(call.arg(0), "invalid address or network " + quote(call.arg(0).text) +
                                       "; write 10.0.0.1, 10.0.0.0/8 or unix:");
  }
  auto& list = call.scope.settings->set_real_ip_from;
  if (!list) list.emplace();
  list->push_back(*range);
}

void compile_real_ip_header(const Call& call) {
  std::string name = lower(call.arg(0).text);
  if (name == "proxy_protocol") {
    return call.error(call.arg(0), "proxy_protocol is not supported yet; name a field");
  }
  if (name.empty()) return call.error(call.arg(0), "the name of the field is empty");
  call.scope.settings->real_ip_header = std::move(name);
}

void compile_default_type(const Call& call) {
  if (call.arg(0).text.find_first_of("\r\n") != std::string::npos) {
    return call.error(call.arg(0), "the type must be one line");
  }
  call.scope.settings->default_type = call.arg(0).text;
}

void compile_server_tokens(const Call& call) {
  const auto word = lower(call.arg(0).text);
  if (word != "on" && word != "off" && word != "build") {
    return call.error(call.arg(0),
                      "invalid value " + quote(call.arg(0).text) + "; use on, off or build");
  }
  call.scope.settings->server_tokens = word != "off";
}

}  // namespace weir::config
