#include "proxy/variables.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "access/basic.h"
#include "content/ssi.h"
#include "net/socket.h"
#include "proxy/exchange.h"
#include "proxy/text.h"
#include "proxy/value_text.h"
#include "proxy/variables_more.h"

namespace weir::proxy {
namespace {

using config::Variable;

constexpr std::size_t kMaxRefusedLine = 256;

// Several fields of one name are joined as RFC 9110 section 5.3 says; cookies with a semicolon.
void append_fields(std::string& out, const http::Head& head, std::string_view dashed) {
  const bool cookie = dashed == "cookie";
  bool first = true;
  for (const auto& field : head.fields) {
    if (field.name_size != dashed.size() || field.invalid_name) continue;
    if (!equal_ignoring_case(head.name(field), dashed)) continue;
    if (!first) out.append(cookie ? "; " : ", ");
    first = false;
    out.append(head.value(field));
  }
}

void append_field(std::string& out, const http::Head& head, http::FieldId id) {
  if (const auto* field = head.find(id)) out.append(head.value(*field));
}

std::string_view without_spaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The value of the cookie that an answer sets.
void append_set_cookie(std::string& out, const http::Head& head, std::string_view name) {
  for (const auto& field : head.fields) {
    if (field.id != http::FieldId::set_cookie) continue;
    const auto value = head.value(field);
    const auto pair = value.substr(0, value.find(';'));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos ||
        !equal_ignoring_case(without_spaces(pair.substr(0, equals)), name)) {
      continue;
    }
    out.append(without_spaces(pair.substr(equals + 1)));
    return;
  }
}

void append_argument(std::string& out, std::string_view args, std::string_view name) {
  while (!args.empty()) {
    const auto end = args.find('&');
    const auto pair = args.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && equal_ignoring_case(pair.substr(0, equals), name)) {
      out.append(pair.substr(equals + 1));
      return;
    }
    if (end == std::string_view::npos) return;
    args.remove_prefix(end + 1);
  }
}

void append_cookie(std::string& out, const http::Head& head, std::string_view name) {
  for (const auto& field : head.fields) {
    if (field.id != http::FieldId::cookie) continue;
    auto rest = head.value(field);
    while (!rest.empty()) {
      const auto end = rest.find(';');
      auto pair = rest.substr(0, end);
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      const auto equals = pair.find('=');
      if (equals != std::string_view::npos && equal_ignoring_case(pair.substr(0, equals), name)) {
        out.append(pair.substr(equals + 1));
        return;
      }
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
  }
}

// The user of `Authorization: Basic`.
void append_remote_user(std::string& out, const http::Head& head) {
  const auto* field = head.find(http::FieldId::authorization);
  if (field == nullptr) return;
  if (const auto credentials = access::parse_basic(head.value(*field))) {
    out.append(credentials->user);
  }
}

// Port that the request names: of its target or Host field; else empty.
std::string_view request_port(const http::RequestHead& request) {
  const auto host = request.host_text();
  const auto colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return {};
  return host.substr(colon + 1);
}

void append_upstream(std::string& out, Variable id, Exchange& x) {
  const auto& attempts = x.attempts();
  const auto pool = x.pool_name();  // in the place of a peer when none was live, as in nginx
  const auto counts = [&](std::uint64_t AttemptRecord::*count) {
    append_counts(out, attempts, count);
  };
  switch (id) {
    case Variable::upstream_addr:
      return append_list(out, attempts, [&](const AttemptRecord& a) {
        out.append(a.peer == nullptr ? pool : std::string_view(a.peer->text));
      });
    case Variable::upstream_status:
      return append_list(out, attempts, [&](const AttemptRecord& a) {
        a.status == 0 ? out.append("-") : (append_number(out, a.status), out);
      });
    case Variable::upstream_reason:
      return append_list(out, attempts, [&](const AttemptRecord& a) { append_reason(out, a); });
    case Variable::upstream_connect_time:
      return append_times(out, attempts, &AttemptRecord::connect);
    case Variable::upstream_header_time:
      return append_times(out, attempts, &AttemptRecord::header);
    case Variable::upstream_response_time:
      return append_times(out, attempts, &AttemptRecord::response);
    case Variable::upstream_bytes_received:
      return counts(&AttemptRecord::received);
    case Variable::upstream_bytes_sent:
      return counts(&AttemptRecord::sent);
    case Variable::upstream_response_length:
      return counts(&AttemptRecord::body);
    default:
      return;
  }
}

void append_forwarded_for(std::string& out, Exchange& x) {
  for (const auto& field : x.request().fields) {
    if (field.id != http::FieldId::x_forwarded_for) continue;
    out.append(x.request().value(field)).append(", ");
  }
  out.append(x.client_text());
}

std::string_view proxy_host(Exchange& x) {
  const auto* proxy = x.location().config().proxy();
  if (proxy == nullptr) return {};
  if (proxy->upstream) return proxy->host;
  return x.dynamic_host().starts_with("unix:") ? "localhost" : x.dynamic_host();
}

// Of the connection and the server, which are there before a request head is.
bool append_connection(std::string& out, Variable id, Exchange& x) {
  switch (id) {
    case Variable::connection:
      append_number(out, x.session().id());
      return true;
    case Variable::connection_requests:
      append_number(out, x.session().requests());
      return true;
    case Variable::hostname:
      out.append(host_name());
      return true;
    case Variable::pid:
      append_number(out, static_cast<std::uint64_t>(::getpid()));
      return true;
    case Variable::pipe:
      out.push_back(x.pipelined() ? 'p' : '.');
      return true;
    case Variable::nginx_version:
      out.append(kNginxVersion);
      return true;
    case Variable::remote_port:
      if (x.client_address().port() != 0) append_number(out, x.client_address().port());
      return true;
    case Variable::realip_remote_addr:
      append_host(out, x.session().peer());
      return true;
    case Variable::realip_remote_port:
      if (x.session().peer().port() != 0) append_number(out, x.session().peer().port());
      return true;
    case Variable::server_addr:
      append_host(out, net::local_address(x.session().fd()));
      return true;
    case Variable::server_name:
      out.append(x.server().config->primary_name);
      return true;
    case Variable::server_port:
      out.append(x.listen().port_text);
      return true;
    default:
      return false;
  }
}

bool append_timing(std::string& out, Variable id, Exchange& x) {
  const auto wall = x.worker().loop().wall();
  switch (id) {
    case Variable::date_gmt:
    case Variable::date_local:
      content::append_ssi_time(x.time_format(), std::chrono::system_clock::to_time_t(wall),
                               id == Variable::date_local, out);
      return true;
    case Variable::msec:
      append_seconds(out, wall.time_since_epoch());
      return true;
    case Variable::time_iso8601:
      append_iso8601(out, wall);
      return true;
    case Variable::time_local:
      append_time(out, "%d/%b/%Y:%H:%M:%S %z", true, wall);
      return true;
    case Variable::request_time:
      append_seconds(out, x.worker().loop().now() - x.began());
      return true;
    default:
      return false;
  }
}

bool append_answer(std::string& out, Variable id, Exchange& x) {
  switch (id) {
    case Variable::body_bytes_sent:
      append_number(out, x.body_bytes_sent());
      return true;
    case Variable::bytes_sent:
      append_number(out, x.bytes_sent());
      return true;
    case Variable::status:
      if (x.status() == 0) {
        out.append("000");
      } else {
        append_number(out, static_cast<std::uint64_t>(x.status()));
      }
      return true;
    case Variable::end_code: {
      const auto code = x.end_code().letters();
      out.append(code.data(), code.size());
      return true;
    }
    case Variable::request_length:
      append_number(out, x.request_length());
      return true;
    case Variable::request_id:
      out.append(x.request_id());
      return true;
    default:
      return false;
  }
}

void append_request(std::string& out, Variable id, Exchange& x) {
  const auto& request = x.request();
  switch (id) {
    case Variable::args:
    case Variable::query_string:
      out.append(x.args());
      return;
    case Variable::content_length:
      return append_field(out, request, http::FieldId::content_length);
    case Variable::content_type:
      return append_fields(out, request, "content-type");
    case Variable::document_uri:
    case Variable::uri:
      out.append(x.path());
      return;
    case Variable::host:
      out.append(x.host().empty() ? std::string_view(x.server().config->primary_name) : x.host());
      return;
    case Variable::is_args:
      if (!x.args().empty()) out.push_back('?');
      return;
    case Variable::request_port:
      out.append(request_port(request));
      return;
    case Variable::is_request_port:
      if (!request_port(request).empty()) out.push_back(':');
      return;
    case Variable::proxy_add_x_forwarded_for:
      return append_forwarded_for(out, x);
    case Variable::proxy_host:
      out.append(proxy_host(x));
      return;
    case Variable::proxy_port: {
      const auto host = proxy_host(x);
      const auto colon = host.rfind(':');
      const bool named =
          colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
      out.append(named ? host.substr(colon + 1) : std::string_view("80"));
      return;
    }
    case Variable::remote_user:
      return append_remote_user(out, request);
    case Variable::request:
      out.append(request.request_line());
      return;
    case Variable::request_method:
      out.append(x.main().method_text());
      return;
    case Variable::request_uri:
      out.append(request.authority_size == 0 ? request.target_text() : x.origin_form());
      return;
    case Variable::server_protocol:
      out.append(request.version == 10   ? "HTTP/1.0"
                 : request.version == 20 ? "HTTP/2.0"
                                         : "HTTP/1.1");
      return;
    default:
      return append_upstream(out, id, x);
  }
}

}  // namespace

void evaluate(const config::VariableRef& variable, Exchange& x, std::string& out) {
  switch (variable.id) {
    // What stands in nearly every proxy_set_header goes first.
    case Variable::remote_addr:
      out.append(x.client_text());
      return;
    case Variable::scheme:
      out.append(x.session().secure() ? "https" : "http");
      return;
    case Variable::host:
    case Variable::proxy_add_x_forwarded_for:
      if (x.has_request()) append_request(out, variable.id, x);
      return;
    case Variable::http:
      if (x.has_request()) append_fields(out, x.request(), variable.argument);
      return;
    case Variable::sent_http:
      x.append_sent_field(variable.argument, out);
      return;
    case Variable::upstream_http:
      if (const auto* response = x.response()) append_fields(out, *response, variable.argument);
      return;
    case Variable::arg:
      if (x.has_request()) append_argument(out, x.args(), variable.argument);
      return;
    case Variable::cookie:
      if (x.has_request()) append_cookie(out, x.request(), variable.argument);
      return;
    case Variable::user:
      out.append(x.variables().value(variable.index, x));
      return;
    case Variable::sent_trailer:
      append_line_field(x.sent_trailers(), variable.argument, out);
      return;
    case Variable::upstream_trailer:
      append_line_field(x.response_trailers(), variable.argument, out);
      return;
    case Variable::upstream_cookie:
      if (x.response() != nullptr) append_set_cookie(out, *x.response(), variable.argument);
      return;
    case Variable::proxy_protocol_tlv:
      if (const auto* proxied = x.session().proxied()) out.append(proxied->tlv(variable.argument));
      return;
    case Variable::capture:
      out.append(x.capture(variable.index));
      return;
    default:
      break;
  }
  if (append_connection(out, variable.id, x) || append_timing(out, variable.id, x) ||
      append_answer(out, variable.id, x) || append_more(out, variable.id, x)) {
    return;
  }
  if (x.has_request()) {
    append_request(out, variable.id, x);
  } else if (variable.id == Variable::request) {
    // Of a request that was refused: what may have been meant as its first line.
    const auto head = x.raw_head();
    out.append(head.substr(0, std::min(head.find_first_of("\r\n"), kMaxRefusedLine)));
  }
}

void evaluate(const config::Value& value, Exchange& exchange, std::string& out) {
  for (const auto& part : value.parts()) {
    if (part.is_variable) {
      evaluate(part.variable, exchange, out);
    } else {
      out.append(part.literal);
    }
  }
}

}  // namespace weir::proxy
