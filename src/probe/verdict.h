// What an answer, or the lack of one, says of a peer. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "config/model.h"
#include "upstream/health.h"

namespace weir::probe {

// The request of a check: "GET /uri HTTP/1.1" and its fields, no body.
[[nodiscard]] std::string check_request(const config::HealthCheckConfig& check,
                                        const upstream::PeerSpec& peer);

// The verdict on an answer with this status.
[[nodiscard]] upstream::CheckResult judge_status(const config::HealthCheckConfig& check,
                                                 std::uint16_t status);

// "connection refused": an error's text as it stands in reasons.
[[nodiscard]] std::string error_text(const std::error_code& error);

// weir itself is out of something, so the check says nothing of the peer.
[[nodiscard]] bool is_local_fault(const std::error_code& error);

}  // namespace weir::probe
