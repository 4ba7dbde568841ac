// Answers by which a NocoBase node says that it has not executed a request: it is starting, or in
// maintenance; and those of one that is stopping and has closed its database. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/head.h"

namespace weir::proxy {

enum class Refusal : std::uint8_t {
  no,            // an answer
  not_executed,  // whatever its method, another node may have it
  failed,        // the node cannot execute anything; some of it may have been executed
};

// A node's statuses of this kind; the body tells whether it is one.
[[nodiscard]] constexpr bool may_be_refusal(int status) {
  return status == 503 || status == 404 || status == 500;
}

// Bytes of body that are looked at.
inline constexpr std::size_t kRefusalMost = 16 * 1024;

// `body`: as it came, with its chunks if `framing` says so. 503 with error.maintaining, or 404 with
// error.code APP_NOT_FOUND: not executed. 500 of a connection manager that was closed: failed.
[[nodiscard]] Refusal find_refusal(int status, const http::Framing& framing, std::string_view body);
// All of such a body is there.
[[nodiscard]] bool is_whole(const http::Framing& framing, std::string_view body);

}  // namespace weir::proxy
