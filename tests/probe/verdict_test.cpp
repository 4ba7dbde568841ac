#include "probe/verdict.h"

#include <doctest/doctest.h>

namespace weir::probe {

TEST_CASE("which status passes") {
  struct Row {
    const char* name;
    std::vector<config::StatusRange> ranges;
    bool negated;
    std::uint16_t status;
    bool passes;
    const char* detail;
  };
  const Row rows[] = {
      {"default, low end", {}, false, 200, true, "got 200"},
      {"default, high end", {}, false, 399, true, "got 399"},
      {"default, below", {}, false, 199, false, "got 199, want 200-399"},
      {"default, above", {}, false, 404, false, "got 404, want 200-399"},
      {"one status", {{200, 200}}, false, 204, false, "got 204, want 200"},
      {"several", {{200, 200}, {301, 302}}, false, 302, true, "got 302"},
      {"several, none", {{200, 200}, {301, 302}}, false, 303, false, "got 303, want 200, 301-302"},
      {"negated", {{500, 599}}, true, 404, true, "got 404"},
      {"negated, in it", {{500, 599}}, true, 503, false, "got 503, want not 500-599"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    config::HealthCheckConfig check;
    check.status = row.ranges;
    check.status_negated = row.negated;
    const auto result = judge_status(check, row.status);
    CHECK(result.passed() == row.passes);
    CHECK(result.detail == row.detail);
    CHECK(result.status == row.status);
    if (!row.passes) CHECK(result.layer == upstream::CheckLayer::status);
  }
}

TEST_CASE("the request of a check") {
  upstream::PeerSpec peer;
  peer.name = "app:8080";
  config::HealthCheckConfig check;
  check.uri = "/api/__health_check";
  CHECK(check_request(check, peer) ==
        "GET /api/__health_check HTTP/1.1\r\nHost: app:8080\r\n"
        "User-Agent: weir (health check)\r\nConnection: close\r\n\r\n");
  check.host = "example.org";
  CHECK(check_request(check, peer).find("\r\nHost: example.org\r\n") != std::string::npos);
  check.host.clear();
  peer.endpoint.unix_path = "/run/app.sock";
  CHECK(check_request(check, peer).find("\r\nHost: localhost\r\n") != std::string::npos);
}

TEST_CASE("errors as text, and whose they are") {
  const auto refused = std::make_error_code(std::errc::connection_refused);
  CHECK(error_text(refused) == "connection refused");
  CHECK_FALSE(is_local_fault(refused));
  CHECK(is_local_fault(std::make_error_code(std::errc::too_many_files_open)));
}

}  // namespace weir::probe
