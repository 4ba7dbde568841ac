#include "proxy/variable_lookup.h"

#include <algorithm>

#include "proxy/exchange.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

using config::Variable;

// Whether an empty value means that the request has none.
bool may_be_absent(Variable id) {
  switch (id) {
    case Variable::http:
    case Variable::sent_http:
    case Variable::sent_trailer:
    case Variable::cookie:
    case Variable::upstream_http:
    case Variable::upstream_cookie:
    case Variable::upstream_trailer:
    case Variable::proxy_protocol_tlv:
    case Variable::args:
    case Variable::query_string:
    case Variable::content_length:
    case Variable::content_type:
    case Variable::remote_user:
    case Variable::request_body:
    case Variable::request_body_file:
    case Variable::gzip_ratio:
    case Variable::limit_conn_status:
    case Variable::limit_req_status:
    case Variable::otel_parent_id:
    case Variable::upstream_addr:
    case Variable::upstream_status:
    case Variable::upstream_response_time:
    case Variable::upstream_connect_time:
    case Variable::upstream_header_time:
    case Variable::upstream_response_length:
    case Variable::upstream_bytes_received:
    case Variable::upstream_bytes_sent:
    case Variable::upstream_cache_status:
      return true;
    default:
      return false;
  }
}

bool has_argument(std::string_view args, std::string_view name) {
  while (!args.empty()) {
    const auto end = std::min(args.find('&'), args.size());
    const auto pair = args.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && equal_ignoring_case(pair.substr(0, equals), name)) {
      return true;
    }
    args.remove_prefix(std::min(end + 1, args.size()));
  }
  return false;
}

}  // namespace

bool append_variable(std::string_view name, Exchange& x, std::string& out) {
  auto variable = config::find_variable(name);
  const auto& own = x.runtime().model->variables;
  const auto found = std::find_if(own.begin(), own.end(), [&](const config::UserVariable& v) {
    return equal_ignoring_case(v.name, name);
  });
  if (found != own.end()) {
    // `set $http_x` hides the field only where it has been carried out.
    const auto index = static_cast<std::uint32_t>(found - own.begin());
    if (!variable || x.variables().known(index)) {
      variable = config::VariableRef{Variable::user, index, {}};
    }
  }
  if (!variable) return false;
  if (variable->id == Variable::arg && !has_argument(x.args(), variable->argument)) return false;
  const auto before = out.size();
  evaluate(*variable, x, out);
  return out.size() > before || !may_be_absent(variable->id);
}

}  // namespace weir::proxy
