#include "stream/variables.h"

#include <unistd.h>

#include "proxy/value_text.h"
#include "proxy/variables_tls.h"
#include "stream/session.h"

namespace weir::stream {
namespace {

using config::Variable;
using proxy::append_host;
using proxy::append_number;
using proxy::AttemptRecord;

void append_port(std::string& out, const IpAddress& address) {
  if (address.port() != 0) append_number(out, address.port());
}

bool append_upstream(std::string& out, Variable id, Session& s) {
  const auto& attempts = s.attempts();
  switch (id) {
    case Variable::upstream_addr:
      // In the place of a peer when none was live, as in nginx.
      proxy::append_list(out, attempts, [&](const AttemptRecord& a) {
        out.append(a.peer == nullptr ? s.pool_name() : std::string_view(a.peer->text));
      });
      return true;
    case Variable::upstream_bytes_received:
      proxy::append_counts(out, attempts, &AttemptRecord::received);
      return true;
    case Variable::upstream_bytes_sent:
      proxy::append_counts(out, attempts, &AttemptRecord::sent);
      return true;
    case Variable::upstream_connect_time:
      proxy::append_times(out, attempts, &AttemptRecord::connect);
      return true;
    case Variable::upstream_first_byte_time:
      proxy::append_times(out, attempts, &AttemptRecord::header);
      return true;
    case Variable::upstream_session_time:
      proxy::append_times(out, attempts, &AttemptRecord::response);
      return true;
    case Variable::upstream_reason:
      proxy::append_list(out, attempts,
                         [&](const AttemptRecord& a) { proxy::append_reason(out, a); });
      return true;
    default:
      return false;
  }
}

bool append_address(std::string& out, Variable id, Session& s) {
  switch (id) {
    case Variable::binary_remote_addr: {
      const auto address = s.client_address();
      const auto bytes = address.bytes();
      out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return true;
    }
    case Variable::remote_addr:
      append_host(out, s.client_address());
      return true;
    case Variable::remote_port:
      append_port(out, s.client_address());
      return true;
    case Variable::realip_remote_addr:
      append_host(out, s.origin().peer);
      return true;
    case Variable::realip_remote_port:
      append_port(out, s.origin().peer);
      return true;
    case Variable::server_addr:
      s.listen().endpoint.is_unix() ? (out.append(s.listen().text), 0)
                                    : (append_host(out, s.origin().local), 0);
      return true;
    case Variable::server_port:
      append_port(out, s.origin().local);
      return true;
    case Variable::proxy_protocol_addr:
    case Variable::proxy_protocol_port:
    case Variable::proxy_protocol_server_addr:
    case Variable::proxy_protocol_server_port:
      proxy::append_proxied(out, id, s.proxied());
      return true;
    default:
      return false;
  }
}

bool append_process(std::string& out, Variable id, Session& s) {
  const auto wall = s.worker().loop().wall();
  switch (id) {
    case Variable::hostname:
      out.append(proxy::host_name());
      return true;
    case Variable::nginx_version:
      out.append(proxy::kNginxVersion);
      return true;
    case Variable::pid:
      append_number(out, static_cast<std::uint64_t>(::getpid()));
      return true;
    case Variable::msec:
      proxy::append_seconds(out, wall.time_since_epoch());
      return true;
    case Variable::time_iso8601:
      proxy::append_iso8601(out, wall);
      return true;
    case Variable::time_local:
      proxy::append_time(out, "%d/%b/%Y:%H:%M:%S %z", true, wall);
      return true;
    default:
      return false;
  }
}

void append_session(std::string& out, Variable id, Session& s) {
  switch (id) {
    case Variable::bytes_received:
      return append_number(out, s.received());
    case Variable::bytes_sent:
      return append_number(out, s.sent());
    case Variable::connection:
      return append_number(out, s.origin().id);
    case Variable::protocol:
      out.append(s.origin().udp ? "UDP" : "TCP");
      return;
    case Variable::session_time:
      return proxy::append_seconds(out, s.age());
    case Variable::status:
      // nginx writes three digits: "000" while it is not known.
      out.append(s.status() == 0 ? "00" : "");
      return append_number(out, static_cast<std::uint64_t>(s.status()));
    case Variable::limit_conn_status:
      out.append(s.limit_status());
      return;
    case Variable::ssl_preread_alpn_protocols:
      out.append(s.hello().protocols);
      return;
    case Variable::ssl_preread_protocol:
      out.append(s.hello().version);
      return;
    case Variable::ssl_preread_server_name:
      out.append(s.hello().server_name);
      return;
    default:
      return;
  }
}

}  // namespace

void evaluate(const config::VariableRef& variable, Session& session, std::string& out) {
  switch (variable.id) {
    case Variable::user:
      out.append(session.variables().value(variable.index, session));
      return;
    case Variable::capture:
      out.append(session.capture(variable.index));
      return;
    case Variable::proxy_protocol_tlv:
      if (session.proxied() != nullptr) out.append(session.proxied()->tlv(variable.argument));
      return;
    default:
      break;
  }
  const auto id = variable.id;
  if (append_upstream(out, id, session) || append_address(out, id, session) ||
      append_process(out, id, session) || proxy::append_tls_fact(out, id, session.tls())) {
    return;
  }
  append_session(out, id, session);
}

void evaluate(const config::Value& value, Session& session, std::string& out) {
  for (const auto& part : value.parts()) {
    if (part.is_variable) {
      evaluate(part.variable, session, out);
    } else {
      out.append(part.literal);
    }
  }
}

}  // namespace weir::stream
