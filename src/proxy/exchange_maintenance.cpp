// What an exchange says in place of a pool that an operator has put into maintenance.
#include <algorithm>

#include "proxy/exchange.h"
#include "proxy/text.h"

namespace weir::proxy {
namespace {

void append_json_text(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20) {
      out.append("\\u00").append({digits[byte >> 4], digits[byte & 15]});
    } else {
      out += c;
    }
  }
}

void append_html_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
}

// The members are those of NocoBase's own answers while it cannot serve.
std::string json_body(std::string_view message) {
  std::string body =
      R"({"error":{"status":503,"maintaining":true,"code":"MAINTENANCE","message":")";
  append_json_text(body, message);
  return body + "\"}}\n";
}

std::string html_body(std::string_view message) {
  std::string body =
      "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>503 Under maintenance</title>"
      "</head>\n<body>\n<h1>Under maintenance</h1>\n<p>";
  append_html_text(body, message);
  return body + "</p>\n</body>\n</html>\n";
}

}  // namespace

bool Exchange::in_maintenance() {
  const auto* setting = pool_->maintenance.get();
  if (setting == nullptr) return false;
  return std::none_of(setting->allow.begin(), setting->allow.end(),
                      [&](const Cidr& range) { return range.contains(client_address()); });
}

// For a path of an API JSON; else the page that `error_page` has for 503, or one of weir's own.
net::Task<Step> Exchange::answer_maintenance() {
  const auto& setting = *pool_->maintenance;
  fail({Errc::maintenance, 0});
  if (setting.retry_after.count() > 0) {
    answer_.set("Retry-After", std::to_string(setting.retry_after.count()));
  }
  answer_.set("Cache-Control", "no-store");
  const bool api = std::any_of(setting.api.begin(), setting.api.end(), [&](const auto& part) {
    return path_.find(part) != std::string::npos;
  });
  if (api) co_return co_await answer_text(503, json_body(setting.message), "application/json");
  if (has_error_page(503)) co_return Step::answer_with(503);
  answer_.content_type.clear();
  co_return co_await answer_text(503, html_body(setting.message), "text/html; charset=utf-8");
}

}  // namespace weir::proxy
