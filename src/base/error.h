// What went wrong with a request: what x side x retryable x cause. Plain values, copied freely,
// any thread. The rows are in errors.def.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

enum class Errc : std::uint8_t {
#define WEIR_ERROR(name, side, retry, status, text) name,
#include "base/errors.def"
#undef WEIR_ERROR
};

// Who is at fault.
enum class Side : std::uint8_t { client, peer, local };

// Whether the request may go to another peer: `if_safe` when it may have been executed already,
// `always` when it certainly was not.
enum class Retry : std::uint8_t { never, if_safe, always };

struct ErrorInfo {
  std::string_view name;
  Side side;
  Retry retry;
  int status;  // for the client; 0: nothing can be told any more
  std::string_view text;
};

// The row of `code` in the table.
[[nodiscard]] const ErrorInfo& info(Errc code);

struct Error {
  Errc what = Errc::ok;
  int sys = 0;  // errno, 0 if the cause is not a system call

  [[nodiscard]] bool ok() const { return what == Errc::ok; }
  [[nodiscard]] Side side() const { return info(what).side; }
  [[nodiscard]] Retry retry() const { return info(what).retry; }
  friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace weir
