// The variables of stream: those that it alone has, and those of http that have a meaning without a
// request.
#include <algorithm>
#include <array>
#include <vector>

#include "config/text.h"
#include "config/variable_names.h"

namespace weir::config {
namespace {

constexpr std::array kSpecial = {
#define WEIR_VARIABLE(id, text, help) VariableName{Variable::id, text, help},
#include "config/variables_stream.def"
#undef WEIR_VARIABLE
};

constexpr std::array kCommon = {
    Variable::binary_remote_addr,
    Variable::bytes_sent,
    Variable::connection,
    Variable::hostname,
    Variable::limit_conn_status,
    Variable::msec,
    Variable::nginx_version,
    Variable::pid,
    Variable::proxy_protocol_addr,
    Variable::proxy_protocol_port,
    Variable::proxy_protocol_server_addr,
    Variable::proxy_protocol_server_port,
    Variable::realip_remote_addr,
    Variable::realip_remote_port,
    Variable::remote_addr,
    Variable::remote_port,
    Variable::server_addr,
    Variable::server_port,
    Variable::status,
    Variable::time_iso8601,
    Variable::time_local,
    Variable::upstream_addr,
    Variable::upstream_bytes_received,
    Variable::upstream_bytes_sent,
    Variable::upstream_connect_time,
    Variable::upstream_reason,
};

constexpr bool is_common(Variable id) {
  const bool of_tls = id >= Variable::ssl_alpn_protocol && id <= Variable::ssl_session_reused;
  return of_tls || std::find(kCommon.begin(), kCommon.end(), id) != kCommon.end();
}

}  // namespace

std::span<const VariableName> stream_variable_names() {
  static const auto names = [] {
    std::vector<VariableName> all(kSpecial.begin(), kSpecial.end());
    for (const auto& row : variable_names()) {
      if (is_common(row.id)) all.push_back(row);
    }
    return all;
  }();
  return names;
}

std::optional<VariableRef> find_stream_variable(std::string_view name) {
  constexpr std::string_view kTlv = "proxy_protocol_tlv_";
  const std::string lowered = lower(name);
  for (const auto& row : stream_variable_names()) {
    if (row.name == lowered) return VariableRef{row.id, 0, {}};
  }
  if (!lowered.starts_with(kTlv)) return std::nullopt;
  return VariableRef{Variable::proxy_protocol_tlv, 0, std::string(name.substr(kTlv.size()))};
}

}  // namespace weir::config
