#include "proxy/plan.h"

#include <algorithm>

namespace weir::proxy {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

using http::FieldId;

// Hop-by-hop fields (RFC 9110 section 7.6.1), what frames the message, and what CGI programs
// behind a node would take for settings (`Proxy`). The forwarder writes its own where needed.
constexpr FieldId kHopByHop[] = {
    FieldId::connection, FieldId::keep_alive,        FieldId::proxy_connection, FieldId::te,
    FieldId::upgrade,    FieldId::transfer_encoding, FieldId::content_length};

// The request's head holds no control characters; what is decoded from it, or made of a body, may.
bool may_break_lines(const config::Value& value) {
  using config::Variable;
  return std::any_of(value.parts().begin(), value.parts().end(), [](const auto& part) {
    if (!part.is_variable) return false;
    switch (part.variable.id) {
      case Variable::http:
      case Variable::cookie:
      case Variable::host:
      case Variable::scheme:
      case Variable::remote_addr:
      case Variable::remote_port:
      case Variable::proxy_port:
      case Variable::proxy_add_x_forwarded_for:
      case Variable::server_addr:
      case Variable::server_port:
      case Variable::server_protocol:
      case Variable::request_id:
      case Variable::request_uri:
      case Variable::request_port:
      case Variable::is_request_port:
        return false;
      default:
        return true;
    }
  });
}

}  // namespace

void NameSet::add(std::string_view name) {
  if (name.empty()) return;
  bits_ |= std::uint64_t{1} << hash(name);
  names_.push_back(lowered(name));
}

bool NameSet::search(std::string_view name) const {
  return std::any_of(names_.begin(), names_.end(),
                     [&](const auto& have) { return equal_ignoring_case(have, name); });
}

Plan::Plan(const config::Location& location) {
  const auto drop = [](IdFlags& flags, FieldId id) { flags[static_cast<std::size_t>(id)] = true; };
  for (const auto id : kHopByHop) {
    drop(drop_request_, id);
    drop(drop_response_, id);
  }
  for (const auto id : {FieldId::host, FieldId::expect, FieldId::proxy}) drop(drop_request_, id);
  if (location.proxy() == nullptr) return;

  const auto& proxy = *location.proxy();
  for (const auto& header : proxy.set_headers) {
    replaced_.add(header.name);
    if (equal_ignoring_case(header.name, "upgrade")) sets_upgrade_ = true;
    // The body's framing is always the proxy's own; an empty constant drops the field.
    if (equal_ignoring_case(header.name, "content-length") ||
        equal_ignoring_case(header.name, "transfer-encoding") || header.value.empty()) {
      continue;
    }
    SetHeader set;
    set.prefix = header.name + ": ";
    set.value = &header.value;
    if (equal_ignoring_case(header.name, "upgrade")) set.kind = SetHeader::Kind::upgrade;
    if (equal_ignoring_case(header.name, "connection")) set.kind = SetHeader::Kind::connection;
    set.checked = may_break_lines(header.value);
    set_headers_.push_back(std::move(set));
  }
  for (const auto& name : proxy.hide_headers) {
    const auto id = http::field_id(name);
    if (id == FieldId::other) {
      hidden_.add(name);
    } else {
      drop(drop_response_, id);
    }
  }
  look_at_answers(location);
}

void Plan::look_at_answers(const config::Location& location) {
  const auto& request = location.request;
  const auto& proxy = *location.proxy();
  const auto look = [this](FieldId id) { looks_at_ |= http::field_bit(id); };
  if (!proxy.redirects.empty()) {
    look(FieldId::location);
    look(FieldId::refresh);
  }
  if (!request.proxy_cookie_domain.empty() || !request.proxy_cookie_path.empty() ||
      !request.proxy_cookie_flags.empty()) {
    look(FieldId::set_cookie);
  }
  const auto unless = [&](config::IgnoreHeader ignored, FieldId id) {
    if ((request.proxy_ignore_headers & ignored) == 0) look(id);
  };
  unless(config::ignore_accel_redirect, FieldId::x_accel_redirect);
  unless(config::ignore_accel_limit_rate, FieldId::x_accel_limit_rate);
  unless(config::ignore_accel_buffering, FieldId::x_accel_buffering);
  unless(config::ignore_accel_charset, FieldId::x_accel_charset);
  // Passed on by `proxy_pass_header`, they stand in place of weir's own.
  if (!drops_response(FieldId::server)) look(FieldId::server);
  if (!drops_response(FieldId::date)) look(FieldId::date);
}

}  // namespace weir::proxy
