// Whether an answer of status 200 is what a conditional request asks for (RFC 9110 section 13), as
// nginx decides it. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

namespace weir::content {

// Of the answer.
struct Validators {
  std::optional<std::time_t> last_modified = {};
  std::optional<std::string_view> etag = {};
};

// Fields of the request.
struct Conditions {
  std::optional<std::string_view> if_match = {};
  std::optional<std::string_view> if_unmodified_since = {};
  std::optional<std::string_view> if_none_match = {};
  std::optional<std::string_view> if_modified_since = {};
};

// nginx's `if_modified_since`.
enum class IfModifiedSince : std::uint8_t { off, exact, before };

enum class Precondition : std::uint8_t {
  pass,          // the answer as it is
  not_modified,  // 304: no body, and without Content-Type, -Length, -Encoding and Accept-Ranges
  failed,        // 412
};

// Answers whose status is not 200 always pass.
[[nodiscard]] Precondition check_preconditions(int status, const Validators& answer,
                                               const Conditions& request, IfModifiedSince mode);

// Whether Range is to be looked at, given If-Range: its tag or date must be the answer's own.
[[nodiscard]] bool if_range_holds(std::optional<std::string_view> if_range,
                                  const Validators& answer);

}  // namespace weir::content
