// HTTP/2 with clients.
#include <array>

#include "config/directive_rows.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

using namespace rows;
using Set = Settings;

// SETTINGS_MAX_CONCURRENT_STREAMS, and the greatest window (RFC 9113 section 6.9.1).
constexpr std::uint32_t kMostStreams = 65535;
constexpr std::uint64_t kGreatestWindow = 0x7fffffff;
constexpr std::uint64_t kGreatestFrame = 16384;  // that every client takes

void compile_http2_preread(const Call& call) {
  const auto size = size_argument(call, call.arg(0));
  if (!size) return;
  if (*size > kGreatestWindow) return call.error(call.arg(0), "the window must be below 2g");
  call.scope.settings->http2_body_preread_size = *size;
}

void compile_http2_chunk_size(const Call& call) {
  const auto size = size_argument(call, call.arg(0));
  if (!size) return;
  if (*size == 0) return call.error(call.arg(0), "a frame must have a byte at least");
  if (*size > kGreatestFrame) call.warning("frames are no greater than 16k");
  call.scope.settings->http2_chunk_size = std::min(*size, kGreatestFrame);
}

// What nginx has taken back: a word about what is there instead, and nothing else.
void compile_obsolete(const Call& call) {
  static constexpr std::array<std::array<std::string_view, 2>, 5> kInstead{{
      {"http2_idle_timeout", "keepalive_timeout"},
      {"http2_recv_timeout", "client_header_timeout"},
      {"http2_max_requests", "keepalive_requests"},
      {"http2_max_field_size", "large_client_header_buffers"},
      {"http2_max_header_size", "large_client_header_buffers"},
  }};
  for (const auto& [name, instead] : kInstead) {
    if (name != call.info.name) continue;
    return call.warning("it is obsolete; use " + std::string(instead) + " instead");
  }
  call.warning("it is obsolete: nothing is pushed to clients; remove it");
}

constexpr DirectiveInfo kRows[] = {
    {"http2", HS, 1, 1, kFlag, set_flag<&Set::http2>, "off",
     "HTTP/2 for clients that ask for it: by ALPN, or without TLS by prior knowledge"},
    {"http2_max_concurrent_streams", HS, 1, 1, 0,
     set_number<&Set::http2_max_concurrent_streams, 1, kMostStreams>, "128",
     "requests of a connection that run at once"},
    {"http2_chunk_size", HSL, 1, 1, 0, compile_http2_chunk_size, "16k (nginx: 8k)",
     "most bytes of a body in one frame"},
    {"http2_body_preread_size", HS, 1, 1, 0, compile_http2_preread, "64k",
     "bytes of a request's body that a client may send before they are asked for, and that a "
     "stream may hold"},
    {"http2_flood_limit", HS, 1, 1, kOwn, set_number<&Set::http2_flood_limit, 1>, "500",
     "events that are of no use (resets, pings, settings, ...) at which a connection is ended; "
     "answers pay for some of them, and a tenth of the limit is forgiven each second"},
    {"http2_idle_timeout", HS, 1, 1, 0, compile_obsolete, "", "obsolete: keepalive_timeout"},
    {"http2_recv_timeout", HS, 1, 1, 0, compile_obsolete, "", "obsolete: client_header_timeout"},
    {"http2_max_requests", HS, 1, 1, 0, compile_obsolete, "", "obsolete: keepalive_requests"},
    {"http2_max_field_size", HS, 1, 1, 0, compile_obsolete, "",
     "obsolete: large_client_header_buffers"},
    {"http2_max_header_size", HS, 1, 1, 0, compile_obsolete, "",
     "obsolete: large_client_header_buffers"},
    {"http2_max_concurrent_pushes", HS, 1, 1, 0, compile_obsolete, "", "obsolete"},
    {"http2_push", HSL, 1, 1, kRepeats, compile_obsolete, "", "obsolete"},
    {"http2_push_preload", HSL, 1, 1, 0, compile_obsolete, "", "obsolete"},
};

}  // namespace

std::span<const DirectiveInfo> http2_rows() { return kRows; }

}  // namespace weir::config
