#include "proxy/heads.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "config/units.h"
#include "http/chars.h"
#include "http/date.h"
#include "http/path.h"
#include "proxy/answer.h"
#include "proxy/cookies.h"
#include "proxy/exchange.h"
#include "proxy/filters.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

using http::FieldId;

// The options of a message's Connection fields: names of fields that do not pass. Nobody needs
// more than a few, and each is looked for among all fields.
class ConnectionOptions {
 public:
  explicit ConnectionOptions(const http::Head& head, bool any) {
    if (!any) return;
    for (const auto& field : head.fields) {
      if (field.id == FieldId::connection) add(head.value(field));
    }
  }
  [[nodiscard]] bool too_many() const { return too_many_; }
  [[nodiscard]] bool names(std::string_view field) const {
    return std::any_of(options_.begin(), options_.begin() + static_cast<std::ptrdiff_t>(count_),
                       [&](std::string_view option) { return equal_ignoring_case(option, field); });
  }

 private:
  void add(std::string_view list) {
    while (!list.empty() && !too_many_) {
      const auto comma = std::min(list.find(','), list.size());
      auto option = list.substr(0, comma);
      list.remove_prefix(std::min(comma + 1, list.size()));
      while (option.starts_with(' ') || option.starts_with('\t')) option.remove_prefix(1);
      while (option.ends_with(' ') || option.ends_with('\t')) option.remove_suffix(1);
      if (option.empty()) continue;
      too_many_ = count_ == options_.size();
      if (!too_many_) options_[count_++] = option;
    }
  }

  std::array<std::string_view, 32> options_;
  std::size_t count_ = 0;
  bool too_many_ = false;
};

// Appends the lines of `head` that `passes` lets through, run by run.
template <class Passes>
void append_fields(const http::Head& head, Passes passes, std::string& out) {
  std::uint32_t run = 0;
  std::uint32_t run_end = 0;
  for (const auto& field : head.fields) {
    if (!passes(field)) continue;
    if (field.line != run_end) {
      if (run_end > run) out.append(head.base + run, run_end - run);
      run = field.line;
    }
    run_end = field.line + field.line_size;
  }
  if (run_end > run) out.append(head.base + run, run_end - run);
}

// A target made of variables may hold decoded bytes: those that would end it, or the line, are
// escaped; what is an escape already stays.
void append_target(std::string_view target, std::string& out) {
  static constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7f) {
      out.push_back(c);
    } else {
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
}

// The path as the client sent it, or as rules have made it, below the URI of proxy_pass.
void append_uri(Exchange& x, const config::ProxyConfig& proxy, std::string& out) {
  if (!proxy.upstream && x.dynamic_has_uri()) {
    if (!x.dynamic_uri().starts_with('/')) out.push_back('/');
    append_target(x.dynamic_uri(), out);
    return;
  }
  const auto& location = x.location().config();
  const bool replaces = proxy.upstream && proxy.has_uri;
  if (!replaces && x.untouched_path()) {
    out.append(x.origin_form());
    return;
  }
  auto rest = x.path();
  if (replaces && x.valid_location()) {
    out.append(proxy.uri);
    rest.remove_prefix(std::min(location.path.size(), rest.size()));
  }
  // As nginx: what came without an escape goes without one.
  if (x.quoted_path() || x.internal()) {
    http::escape_uri(rest, out);
  } else {
    append_target(rest, out);
  }
  if (!x.args().empty()) {
    out.push_back('?');
    append_target(x.args(), out);
  }
}

// The fields that the configuration sets. False: a value would break the head's lines.
bool append_set_headers(Exchange& x, const Plan& plan, bool keep, std::string& out, bool& upgrade,
                        bool& connection_upgrade) {
  using Kind = Plan::SetHeader::Kind;
  bool wrote_connection = false;
  for (const auto& header : plan.set_headers()) {
    const auto start = out.size();
    out.append(header.prefix);
    const auto value_at = out.size();
    evaluate(*header.value, x, out);
    if (out.size() == value_at) {
      out.resize(start);
      continue;
    }
    const auto value = std::string_view(out).substr(value_at);
    if (header.checked && !is_field_text(value)) return false;
    if (header.kind == Kind::upgrade) upgrade = true;
    if (header.kind == Kind::connection) {
      wrote_connection = true;
      connection_upgrade = http::list_has_token(value, "upgrade");
    }
    out.append("\r\n");
  }
  if (!keep && !wrote_connection) out.append("Connection: close\r\n");
  return true;
}

bool wants_websocket(const Exchange& x) {
  const auto& request = x.request();
  if (!request.upgrade || request.method != http::Method::get) return false;
  const auto* field = request.find(FieldId::upgrade);
  return field != nullptr && equal_ignoring_case(request.value(*field), "websocket");
}

}  // namespace

bool may_switch_protocols(const Exchange& x) {
  if (!x.request().upgrade) return false;
  const auto& location = x.location();
  return location.plan().sets_upgrade() ||
         (location.config().proxy()->forward_upgrade && wants_websocket(x));
}

namespace {

bool is_trace_field(std::string_view name) {
  return equal_ignoring_case(name, "traceparent") || equal_ignoring_case(name, "tracestate");
}

// The span that the peer's own is below: that of the attempt.
void append_trace(const Exchange& x, const RequestTrace& trace, std::string& out) {
  const auto span = x.attempts().back().span;
  out.append("traceparent: ");
  trace.current.append_parent(span != 0 ? span : trace.current.span_id, out);
  out.append("\r\n");
  if (!trace.state.empty()) out.append("tracestate: ").append(trace.state).append("\r\n");
}

// False: `proxy_method` came to something that is no method.
bool append_method(Exchange& x, std::string& out) {
  const auto& method = x.config().proxy_method;
  if (method.empty()) {
    out.append(x.method_text());
    return true;
  }
  const auto start = out.size();
  evaluate(method, x, out);
  if (out.size() == start) out.append(x.method_text());
  return std::all_of(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
                     [](char c) { return http::is_token_char(c); });
}

}  // namespace

WrittenRequest write_request_head(Exchange& x, const http::Framing& body, bool keep,
                                  std::string& out) {
  const auto& proxy = *x.location().config().proxy();
  const auto& plan = x.location().plan();
  const auto& request = x.request();
  const auto& config = x.config();
  WrittenRequest result;

  if (!append_method(x, out)) result.ok = false;
  out.push_back(' ');
  append_uri(x, proxy, out);
  out.append(config.proxy_http_version == config::PeerVersion::http10 ? " HTTP/1.0\r\n"
                                                                      : " HTTP/1.1\r\n");

  bool upgrade = false;
  bool connection_upgrade = false;
  const bool websocket = proxy.forward_upgrade && !plan.sets_upgrade() && wants_websocket(x);
  if (!append_set_headers(x, plan, keep || websocket, out, upgrade, connection_upgrade)) {
    result.ok = false;
    return result;
  }
  if (websocket) {
    out.append("Connection: upgrade\r\nUpgrade: websocket\r\n");
    upgrade = connection_upgrade = true;
  }
  result.asks_upgrade = upgrade && connection_upgrade;

  if (body.kind == http::Framing::Kind::counted) {
    out.append("Content-Length: ");
    append_number(out, body.length);
    out.append("\r\n");
  } else if (body.kind == http::Framing::Kind::chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  const auto* trace = x.injected_trace();
  if (trace != nullptr && plan.replaced().has("traceparent")) trace = nullptr;  // set by hand
  if (trace != nullptr) append_trace(x, *trace, out);
  const ConnectionOptions options(request, request.connection_names_fields);
  if (options.too_many()) result.ok = false;
  if (!config.proxy_pass_request_headers) {
    out.append("\r\n");
    return result;
  }
  append_fields(
      request,
      [&](const http::Field& field) {
        if (plan.drops_request(field.id) || field.invalid_name) return false;
        const auto name = request.name(field);
        if (plan.replaced().has(name)) return false;
        if (trace != nullptr && is_trace_field(name)) return false;
        return !options.names(name);
      },
      out);
  out.append("\r\n");
  return result;
}

void append_keep_alive(Exchange& x, std::string& out) {
  // HTTP/1.1 needs no word for it, but nginx says it.
  if (x.request().version == 10 || x.runtime().model->dialect == config::Dialect::nginx) {
    out.append("Connection: keep-alive\r\n");
  }
  const auto& shown = x.config().keepalive_timeout.header;
  if (!shown) return;
  out.append("Keep-Alive: timeout=");
  append_number(out, static_cast<std::uint64_t>(
                         std::chrono::duration_cast<std::chrono::seconds>(*shown).count()));
  out.append("\r\n");
}

bool append_added_headers(Exchange& x, int status, std::string& out) {
  for (const auto& header : x.config().add_header) {
    if (!applies_to(header, status)) continue;
    const auto start = out.size();
    out.append(header.name).append(": ");
    const auto value_at = out.size();
    evaluate(header.value, x, out);
    const auto value = std::string_view(out).substr(value_at);
    if (!is_field_text(value)) return false;
    if (value.empty()) {
      out.resize(start);
    } else {
      out.append("\r\n");
    }
  }
  return true;
}

namespace {

// Whether a field of the peer's answer is the client's business.
bool passes(const http::ResponseHead& response, const http::Field& field, const Plan& plan,
            const ConnectionOptions& options) {
  if (plan.drops_response(field.id)) return false;
  const auto name = response.name(field);
  if (!plan.hidden().empty() && plan.hidden().has(name)) return false;
  return !options.names(name);
}

void append_status_line(const http::ResponseHead& response, std::string& out) {
  out.append("HTTP/1.1 ");
  append_number(out, response.status);
  out.push_back(' ');
  out.append(response.reason_text()).append("\r\n");
}

}  // namespace

namespace {
void append_sticky_cookie(const Exchange& x, std::string& out) {
  const auto& cookie = x.affinity().cookie();
  if (!cookie.empty()) out.append("Set-Cookie: ").append(cookie).append("\r\n");
}
}  // namespace

HeadResult write_response_head(Exchange& x, bool chunked, bool keep_alive, std::string& out) {
  const auto& response = *x.response();
  const auto& plan = x.location().plan();
  append_status_line(response, out);
  out.append(x.worker().server_and_date(x.server_product()));
  append_sticky_cookie(x, out);
  using Kind = http::Framing::Kind;
  const auto kind = response.framing.kind;
  const bool counted = kind == Kind::counted || kind == Kind::none;
  const ConnectionOptions options(response, response.connection_names_fields);
  if (options.too_many()) return HeadResult::bad_answer;
  append_fields(
      response,
      [&](const http::Field& field) {
        if (field.id == FieldId::content_length) return counted;
        return passes(response, field, plan, options);
      },
      out);
  if (chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (x.session().stream() != nullptr) {
    // Nothing about the connection in HTTP/2.
  } else if (!keep_alive) {
    out.append("Connection: close\r\n");
  } else {
    append_keep_alive(x, out);
  }
  if (!append_added_headers(x, response.status, out)) return HeadResult::bad_value;
  out.append("\r\n");
  return HeadResult::ok;
}

HeadResult write_upgrade_head(Exchange& x, std::string& out) {
  const auto& response = *x.response();
  const auto& plan = x.location().plan();
  append_status_line(response, out);
  out.append(x.worker().server_and_date(x.server_product()));
  append_sticky_cookie(x, out);
  const ConnectionOptions options(response, response.connection_names_fields);
  if (options.too_many()) return HeadResult::bad_answer;
  append_fields(
      response,
      [&](const http::Field& field) {
        return field.id != FieldId::content_length && passes(response, field, plan, options);
      },
      out);
  out.append("Connection: upgrade\r\n");
  if (const auto* field = response.find(FieldId::upgrade)) {
    out.append("Upgrade: ").append(response.value(*field)).append("\r\n");
  }
  if (!append_added_headers(x, response.status, out)) return HeadResult::bad_value;
  out.append("\r\n");
  return HeadResult::ok;
}

bool write_hint_head(Exchange& x, std::string& out) {
  const auto& response = *x.hint();
  const auto& plan = x.location().plan();
  const ConnectionOptions options(response, response.connection_names_fields);
  if (options.too_many()) return false;
  append_status_line(response, out);
  append_fields(
      response,
      [&](const http::Field& field) {
        return field.id != FieldId::content_length && passes(response, field, plan, options);
      },
      out);
  out.append("\r\n");
  return true;
}

// ---- an answer that is looked at
// --------------------------------------------------------------------

namespace {

// The value of a redirect's URL for the client; false: no rule is for it.
bool rewrite_url(Exchange& x, std::string_view url, std::string& out) {
  for (const auto& rule : x.location().config().proxy()->redirects) {
    if (rule.pattern) {
      if (!x.match(rule.pattern, url)) continue;
      evaluate(rule.to, x, out);
      return true;
    }
    std::string from;
    evaluate(rule.from, x, from);
    if (!url.starts_with(from)) continue;
    evaluate(rule.to, x, out);
    out.append(url.substr(from.size()));
    return true;
  }
  return false;
}

// "5; url=http://node/x"
void add_refresh(Exchange& x, std::string_view value, Answer& answer) {
  for (std::size_t at = 0; at + 4 <= value.size(); ++at) {
    if (!equal_ignoring_case(value.substr(at, 4), "url=")) continue;
    std::string url;
    if (!rewrite_url(x, value.substr(at + 4), url)) break;
    answer.add("Refresh", std::string(value.substr(0, at + 4)) + url);
    return;
  }
  answer.add("Refresh", value);
}

}  // namespace

HeadResult take_answer(Exchange& x, const http::ResponseHead& response, Answer& answer) {
  const auto& plan = x.location().plan();
  const ConnectionOptions options(response, response.connection_names_fields);
  if (options.too_many()) return HeadResult::bad_answer;
  answer.status = response.status;
  answer.reason.assign(response.reason_text());
  using Kind = http::Framing::Kind;
  answer.length = response.framing.kind == Kind::counted
                      ? static_cast<std::int64_t>(response.framing.length)
                      : -1;
  std::uint64_t seen = 0;
  for (const auto& field : response.fields) {
    const auto value = response.value(field);
    const auto bit = http::field_bit(field.id);
    if ((seen & bit & kSingleFields) != 0) {
      x.log(LogLevel::warn, "upstream sent a second \"" + std::string(response.name(field)) +
                                "\", which is left out");
      continue;
    }
    seen |= bit;
    if (field.id == FieldId::content_length) {
      // Of a body that does not come: HEAD, 304.
      if (response.framing.kind == Kind::none) {
        const bool none_due = x.method() == http::Method::head || response.status == 304;
        answer.length =
            none_due ? static_cast<std::int64_t>(config::parse_number(value).value_or(0)) : 0;
      }
      continue;
    }
    if (!passes(response, field, plan, options)) continue;
    switch (field.id) {
      case FieldId::content_type:
        answer.set_type(value);
        break;
      case FieldId::last_modified:
        answer.last_modified = http::parse_date(value);
        answer.last_modified_text.assign(value);
        break;
      case FieldId::etag:
        answer.etag.assign(value);
        break;
      case FieldId::server:
        answer.has_server = true;
        answer.add("Server", value);
        break;
      case FieldId::date:
        answer.has_date = true;
        answer.add("Date", value);
        break;
      case FieldId::location: {
        std::string url;
        if (rewrite_url(x, value, url)) {
          answer.location = url;
        } else {
          answer.add("Location", value);
        }
        break;
      }
      case FieldId::refresh:
        add_refresh(x, value, answer);
        break;
      case FieldId::set_cookie: {
        std::string cookie(value);
        rewrite_cookie(x, cookie);
        answer.add(response.name(field), cookie);
        break;
      }
      default:
        answer.add(response.name(field), value);
    }
  }
  return HeadResult::ok;
}

}  // namespace weir::proxy
