#include "proxy/value_text.h"

#include <unistd.h>

#include "proxy/proxied_addresses.h"

namespace weir::proxy {

const std::string& host_name() {
  static const std::string name = [] {
    std::array<char, 256> text{};
    ::gethostname(text.data(), text.size() - 1);
    return std::string(text.data());
  }();
  return name;
}

void append_proxied(std::string& out, config::Variable id, const ProxiedAddresses* proxied) {
  using config::Variable;
  if (proxied == nullptr) return;
  const bool of_client = id == Variable::proxy_protocol_addr || id == Variable::proxy_protocol_port;
  const auto& address = of_client ? proxied->client : proxied->server;
  if (!address.is_v4() && !address.is_v6()) return;
  if (id == Variable::proxy_protocol_addr || id == Variable::proxy_protocol_server_addr) {
    out.append(address.host_text());
  } else {
    append_number(out, address.port());
  }
}

}  // namespace weir::proxy
