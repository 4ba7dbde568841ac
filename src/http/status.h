// Reason phrases of statuses (RFC 9110 section 15, and nginx's own). Any thread.
#pragma once

#include <string_view>

namespace weir::http {

// "Not Found"; empty for a status that has no phrase.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace weir::http
