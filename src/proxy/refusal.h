// Answers by which a NocoBase node says that it has not executed a request: it is starting, or in
// maintenance. Pure; any thread.
#pragma once

#include <string_view>

#include "http/head.h"

namespace weir::proxy {

// A node's statuses of this kind; the body tells whether it is one.
[[nodiscard]] constexpr bool may_be_refusal(int status) { return status == 503 || status == 404; }

// Bytes of body that are looked at.
inline constexpr std::size_t kRefusalMost = 16 * 1024;

// `body`: as it came, with its chunks if `framing` says so. 503 with error.maintaining, or 404 with
// error.code APP_NOT_FOUND.
[[nodiscard]] bool is_refusal(int status, const http::Framing& framing, std::string_view body);
// All of such a body is there.
[[nodiscard]] bool is_whole(const http::Framing& framing, std::string_view body);

}  // namespace weir::proxy
