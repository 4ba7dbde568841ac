#include "probe/verdict.h"

#include <algorithm>
#include <cctype>

#include "config/regex.h"

namespace weir::probe {
namespace {

using upstream::CheckLayer;
using Test = config::MatchConfig::Test;

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

// A list of ranges as the configuration has it: "200-399", "200, 204".
std::string wanted_text(const std::vector<config::StatusRange>& ranges, bool negated) {
  std::string text = negated ? "not " : "";
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(ranges[i].from);
    if (ranges[i].to != ranges[i].from) text += "-" + std::to_string(ranges[i].to);
  }
  return text;
}

}  // namespace

std::string check_host(const config::HealthCheckConfig& check, const upstream::PeerSpec& peer) {
  if (!check.host.empty()) return check.host;
  return peer.endpoint.is_unix() ? "localhost" : peer.name;
}

std::string check_request(const config::HealthCheckConfig& check, const upstream::PeerSpec& peer) {
  return "GET " + check.uri + " HTTP/1.1\r\nHost: " + check_host(check, peer) +
         "\r\nUser-Agent: weir (health check)\r\n" +
         (check.keepalive_time > Duration{0} ? "" : "Connection: close\r\n") + "\r\n";
}

bool holds(const Test& test, std::string_view subject) {
  bool found = true;
  switch (test.kind) {
    case Test::Kind::present:
      break;
    case Test::Kind::equals:
      found = subject == test.text;
      break;
    case Test::Kind::contains:
      found = subject.find(test.text) != std::string_view::npos;
      break;
    case Test::Kind::regex:
      found = test.regex->match(subject, nullptr);
      break;
  }
  return found != test.negated;
}

std::string excerpt(std::string_view bytes) {
  constexpr std::size_t most = 60;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : bytes.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte >= 0x7f) {
      out.append("\\x").append({digits[byte >> 4], digits[byte & 15]});
    } else {
      out += c;
    }
  }
  return out + (bytes.size() > most ? "...\"" : "\"");
}

std::string test_text(const Test& test) {
  if (test.kind != Test::Kind::regex) return excerpt(test.text);
  return (test.regex->caseless() ? "~* " : "~ ") + excerpt(test.text);
}

upstream::CheckResult judge_status(const config::MatchConfig& match, std::uint16_t status) {
  const auto& ranges = match.status;
  const bool found = std::any_of(ranges.begin(), ranges.end(), [status](const auto& range) {
    return range.from <= status && status <= range.to;
  });
  upstream::CheckResult result;
  result.status = status;
  result.detail = "got " + std::to_string(status);
  if (ranges.empty() || found != match.status_negated) {
    result.layer = CheckLayer::ok;
  } else {
    result.layer = CheckLayer::status;
    result.detail += ", want " + wanted_text(ranges, match.status_negated);
  }
  return result;
}

namespace {

// Each line of a field that comes several times is a value of its own.
bool any_line(const Test& test, const http::ResponseHead& head) {
  Test plain = test;
  plain.negated = false;
  return std::any_of(head.fields.begin(), head.fields.end(), [&](const auto& field) {
    return same_name(head.name(field), test.name) && holds(plain, head.value(field));
  });
}

// "field "Server" is "x", want ~ "y""
std::string header_fault(const Test& test, const http::ResponseHead& head) {
  std::string text = "field " + excerpt(test.name);
  const auto* field = head.find(std::string_view(test.name));
  if (field == nullptr) return text + " is missing";
  text += " is " + excerpt(head.value(*field)) + ", want ";
  if (test.kind == Test::Kind::present) return text + "none";
  return text + (test.negated ? "not " : "") + test_text(test);
}

// What is wrong with a variable that must be neither empty nor "0"; nothing: it is neither.
std::string require_fault(const config::VariableRef& variable, const http::ResponseHead& head) {
  if (variable.id != config::Variable::upstream_http) return "";  // an answer has a status
  // The value is that of all lines, joined: two of them make it neither.
  std::size_t lines = 0;
  std::string_view value;
  for (const auto& field : head.fields) {
    if (!same_name(head.name(field), variable.argument)) continue;
    value = head.value(field);
    ++lines;
  }
  if (lines > 1 || (!value.empty() && value != "0")) return "";
  std::string name = variable.argument;
  std::replace(name.begin(), name.end(), '-', '_');
  const char* fault = lines == 0      ? ", the field is missing"
                      : value.empty() ? ", is empty"
                                      : ", is 0";
  return "requires $upstream_http_" + name + fault;
}

std::string body_fault(const Test& test, std::string_view body) {
  const char* verb = test.kind == Test::Kind::regex      ? "match "
                     : test.kind == Test::Kind::contains ? "hold "
                                                         : "be ";
  return "body must " + std::string(test.negated ? "not " : "") + verb + test_text(test) +
         (body.empty() ? ", is empty" : ", begins with " + excerpt(body));
}

}  // namespace

upstream::CheckResult judge_head(const config::MatchConfig& match, const http::ResponseHead& head) {
  auto result = judge_status(match, head.status);
  if (!result.passed()) return result;
  for (const auto& test : match.headers) {
    if (any_line(test, head) != test.negated) continue;
    result.layer = CheckLayer::header;
    result.detail = header_fault(test, head);
    return result;
  }
  for (const auto& variable : match.require) {
    auto fault = require_fault(variable, head);
    if (fault.empty()) continue;
    result.layer = CheckLayer::header;
    result.detail = std::move(fault);
    break;
  }
  return result;
}

upstream::CheckResult judge_body(const config::MatchConfig& match, std::uint16_t status,
                                 std::string_view body) {
  upstream::CheckResult result{
      .layer = CheckLayer::ok, .status = status, .detail = "got " + std::to_string(status)};
  for (const auto& test : match.body) {
    if (holds(test, body)) continue;
    result.layer = CheckLayer::body;
    result.detail = body_fault(test, body);
    break;
  }
  return result;
}

std::string error_text(const std::error_code& error) {
  std::string text = error.message();
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

bool is_local_fault(const std::error_code& error) {
  return error == std::errc::too_many_files_open ||
         error == std::errc::too_many_files_open_in_system || error == std::errc::no_buffer_space ||
         error == std::errc::not_enough_memory;
}

}  // namespace weir::probe
