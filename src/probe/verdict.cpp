#include "probe/verdict.h"

#include <algorithm>
#include <cctype>

namespace weir::probe {
namespace {

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

std::string check_request(const config::HealthCheckConfig& check, const upstream::PeerSpec& peer) {
  std::string host = check.host;
  if (host.empty()) host = peer.endpoint.is_unix() ? "localhost" : peer.name;
  return "GET " + check.uri + " HTTP/1.1\r\nHost: " + host +
         "\r\nUser-Agent: weir (health check)\r\nConnection: close\r\n\r\n";
}

upstream::CheckResult judge_status(const config::HealthCheckConfig& check, std::uint16_t status) {
  auto ranges = check.status;
  if (ranges.empty()) ranges.push_back({.from = 200, .to = 399});
  const bool found = std::any_of(ranges.begin(), ranges.end(), [status](const auto& range) {
    return range.from <= status && status <= range.to;
  });
  upstream::CheckResult result;
  result.status = status;
  result.detail = "got " + std::to_string(status);
  if (found != check.status_negated) {
    result.layer = upstream::CheckLayer::ok;
  } else {
    result.layer = upstream::CheckLayer::status;
    result.detail += ", want " + wanted_text(ranges, check.status_negated);
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
