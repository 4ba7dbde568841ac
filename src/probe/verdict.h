// What an answer, or the lack of one, says of a peer. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "config/model.h"
#include "http/head.h"
#include "upstream/health.h"

namespace weir::probe {

// The Host of a check: what is configured, or else the peer's name.
[[nodiscard]] std::string check_host(const config::HealthCheckConfig& check,
                                     const upstream::PeerSpec& peer);

// The request of a check: "GET /uri HTTP/1.1" and its fields, no body.
[[nodiscard]] std::string check_request(const config::HealthCheckConfig& check,
                                        const upstream::PeerSpec& peer);

// Whether `subject` is as the test says.
[[nodiscard]] bool holds(const config::MatchConfig::Test& test, std::string_view subject);
// `~ "pattern"`, `"text"`, as they stand in reasons.
[[nodiscard]] std::string test_text(const config::MatchConfig::Test& test);
// The start of what a peer sent, in quotes and fit for a line of a log.
[[nodiscard]] std::string excerpt(std::string_view bytes);

// The verdict on an answer with this status.
[[nodiscard]] upstream::CheckResult judge_status(const config::MatchConfig& match,
                                                 std::uint16_t status);
// The same on its status and fields.
[[nodiscard]] upstream::CheckResult judge_head(const config::MatchConfig& match,
                                               const http::ResponseHead& head);
// The verdict on an answer whose head is good.
[[nodiscard]] upstream::CheckResult judge_body(const config::MatchConfig& match,
                                               std::uint16_t status, std::string_view body);

// "connection refused": an error's text as it stands in reasons.
[[nodiscard]] std::string error_text(const std::error_code& error);

// weir itself is out of something, so the check says nothing of the peer.
[[nodiscard]] bool is_local_fault(const std::error_code& error);

}  // namespace weir::probe
