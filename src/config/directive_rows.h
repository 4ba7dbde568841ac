// The rows of the table of directives, by family, and the groups of names that share a note:
// directives that change nothing in weir, and those that weir has not. Constant data; the rest of
// the folder sees them through directives.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "config/directives.h"

namespace weir::config {

// Short names for the rows.
namespace rows {
constexpr std::uint32_t M = in_main, E = in_events, H = in_http, S = in_server, L = in_location;
constexpr std::uint32_t U = in_upstream, LIF = in_if, SIF = in_server_if, LMT = in_limit_except;
constexpr std::uint32_t HS = H | S, SL = S | L, HSL = H | S | L;
}  // namespace rows

[[nodiscard]] std::span<const DirectiveInfo> main_rows();
[[nodiscard]] std::span<const DirectiveInfo> upstream_rows();
[[nodiscard]] std::span<const DirectiveInfo> server_rows();
[[nodiscard]] std::span<const DirectiveInfo> client_rows();
[[nodiscard]] std::span<const DirectiveInfo> routing_rows();
[[nodiscard]] std::span<const DirectiveInfo> access_rows();
[[nodiscard]] std::span<const DirectiveInfo> proxy_rows();
[[nodiscard]] std::span<const DirectiveInfo> grpc_rows();
[[nodiscard]] std::span<const DirectiveInfo> tls_rows();
[[nodiscard]] std::span<const DirectiveInfo> acme_rows();
[[nodiscard]] std::span<const DirectiveInfo> http2_rows();
[[nodiscard]] std::span<const DirectiveInfo> filter_rows();
[[nodiscard]] std::span<const DirectiveInfo> variable_rows();
[[nodiscard]] std::span<const DirectiveInfo> stream_rows();

// Rows of the other families that hold in stream as they are: those of `names` that may stand in
// one of `from` may also stand in `contexts`.
struct SharedGroup {
  std::string_view names;  // separated by blanks
  std::uint32_t from;
  std::uint32_t contexts;
};
[[nodiscard]] std::span<const SharedGroup> stream_shared();
[[nodiscard]] std::span<const DirectiveInfo> trace_rows();

// What the arguments of an accepted directive must look like, so that a slip is told of all the
// same.
enum class Accepts : std::uint8_t { anything, flag, number, size, time, buffers };

struct AcceptedGroup {
  std::string_view names;  // separated by blanks
  std::uint32_t contexts;
  Accepts accepts;
  std::string_view note;
  std::string_view only = {};            // the one argument that is accepted; empty: any
  std::uint8_t least = 1, most = kMany;  // arguments, where anything is accepted
};
[[nodiscard]] std::span<const AcceptedGroup> accepted_directives();

enum class Absence : std::uint8_t {
  yet,      // of nginx; weir has it not yet
  never,    // of nginx; weir will not have it
  foreign,  // of a module that is not nginx's own
};
struct UnsupportedGroup {
  std::string_view names;  // "fastcgi_*": all that begin so
  Absence absence;
  std::string_view note;  // what to do instead
};
[[nodiscard]] std::span<const UnsupportedGroup> unsupported_directives();
// Null if the name is in none of the groups.
[[nodiscard]] const UnsupportedGroup* find_unsupported(std::string_view name);

}  // namespace weir::config
