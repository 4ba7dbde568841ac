#include "proxy/heads.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "http/path.h"
#include "proxy/exchange.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

using http::FieldId;

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

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

void append_uri(Exchange& x, const config::ProxyConfig& proxy, std::string& out) {
  if (!proxy.upstream) {
    if (x.dynamic_has_uri()) {
      if (!x.dynamic_uri().starts_with('/')) out.push_back('/');
      append_target(x.dynamic_uri(), out);
    } else {
      out.append(x.origin_form());
    }
    return;
  }
  const auto& location = x.location().config();
  const bool by_prefix =
      location.kind != config::LocationKind::regex && location.kind != config::LocationKind::named;
  if (!proxy.has_uri || !by_prefix) {
    out.append(x.origin_form());
    return;
  }
  out.append(proxy.uri);
  const auto rest = x.path().substr(std::min(location.path.size(), x.path().size()));
  // As nginx: what came without an escape goes without one.
  if (x.request().path_text().find('%') != std::string_view::npos) {
    http::escape_uri(rest, out);
  } else {
    out.append(rest);
  }
  if (x.request().has_query) out.append("?").append(x.args());
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

bool is_field_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

WrittenRequest write_request_head(Exchange& x, const http::Framing& body, bool keep,
                                  std::string& out) {
  const auto& proxy = *x.location().config().proxy;
  const auto& plan = x.location().plan();
  const auto& request = x.request();
  WrittenRequest result;

  out.append(request.method_text()).push_back(' ');
  append_uri(x, proxy, out);
  out.append(proxy.http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");

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
  const ConnectionOptions options(request, request.connection_names_fields);
  if (options.too_many()) result.ok = false;
  append_fields(
      request,
      [&](const http::Field& field) {
        if (plan.drops_request(field.id) || field.invalid_name) return false;
        const auto name = request.name(field);
        if (plan.replaced().has(name)) return false;
        return !options.names(name);
      },
      out);
  out.append("\r\n");
  return result;
}

void append_keep_alive(Exchange& x, std::string& out) {
  if (x.request().version == 10) out.append("Connection: keep-alive\r\n");
  const auto& shown = x.location().config().request.keepalive_header;
  if (!shown) return;
  out.append("Keep-Alive: timeout=");
  append_number(out, static_cast<std::uint64_t>(
                         std::chrono::duration_cast<std::chrono::seconds>(*shown).count()));
  out.append("\r\n");
}

bool append_added_headers(Exchange& x, int status, std::string& out) {
  const auto& headers = x.location().config().request.add_headers;
  if (headers.empty()) return true;
  static constexpr int usual[] = {200, 201, 204, 206, 301, 302, 303, 304, 307, 308};
  const bool listed = std::find(std::begin(usual), std::end(usual), status) != std::end(usual);
  for (const auto& header : headers) {
    if (!listed && !header.always) continue;
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

HeadResult write_response_head(Exchange& x, Delivery delivery, bool keep_alive, std::string& out) {
  const auto& response = *x.response();
  const auto& plan = x.location().plan();
  out.append("HTTP/1.1 ");
  append_number(out, response.status);
  out.push_back(' ');
  out.append(response.reason_text()).append("\r\n").append(x.worker().server_and_date());

  const std::string& redirect_from = plan.redirect().first;
  const std::string& redirect_to = plan.redirect().second;
  const bool counted =
      response.framing.kind == http::Framing::Kind::counted || delivery == Delivery::none;
  const ConnectionOptions options(response, response.connection_names_fields);
  if (options.too_many()) return HeadResult::bad_answer;
  append_fields(
      response,
      [&](const http::Field& field) {
        if (field.id == FieldId::content_length) return counted;
        if (plan.drops_response(field.id)) return false;
        const auto name = response.name(field);
        if (field.id == FieldId::location && !redirect_from.empty() &&
            response.value(field).starts_with(redirect_from)) {
          return false;  // written below
        }
        if (!plan.hidden().empty() && plan.hidden().has(name)) return false;
        return !options.names(name);
      },
      out);
  if (const auto* location = response.find(FieldId::location);
      location != nullptr && !redirect_from.empty()) {
    auto value = response.value(*location);
    if (value.starts_with(redirect_from)) {
      value.remove_prefix(redirect_from.size());
      out.append("Location: ");
      x.append_absolute(out, redirect_to);
      out.append(value).append("\r\n");
    }
  }
  if (delivery == Delivery::tunnel) {
    out.append("Connection: upgrade\r\n");
    if (const auto* field = response.find(FieldId::upgrade)) {
      out.append("Upgrade: ").append(response.value(*field)).append("\r\n");
    }
  } else {
    const bool chunked =
        delivery == Delivery::chunk ||
        (delivery == Delivery::as_is && response.framing.kind == http::Framing::Kind::chunked);
    if (chunked) out.append("Transfer-Encoding: chunked\r\n");
    if (!keep_alive) {
      out.append("Connection: close\r\n");
    } else {
      append_keep_alive(x, out);
    }
  }
  if (!append_added_headers(x, response.status, out)) return HeadResult::bad_value;
  out.append("\r\n");
  return HeadResult::ok;
}

}  // namespace weir::proxy
