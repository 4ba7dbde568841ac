// What exchanges and those who look at them speak of: phases, what they lead to, attempts,
// subrequests. Plain values; worker thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "net/loop.h"
#include "proxy/end_code.h"
#include "proxy/sender.h"
#include "proxy/stats.h"
#include "upstream/pool.h"

namespace weir::proxy {

// What a phase leads to.
struct Step {
  enum class Kind : std::uint8_t {
    go_on,     // the next phase
    locate,    // the path has changed: its location is looked for
    restart,   // the same, after the rules of the server
    relocate,  // location_ has been set (a named one): its phases begin
    answer,    // with `status`: an error page, or a redirect
    text,      // with `status` and return_text_
    done,      // the answer has been given
  };
  Kind kind = Kind::go_on;
  int status = 0;
  [[nodiscard]] bool goes_on() const { return kind == Kind::go_on; }
  static Step answer_with(int status) { return {Kind::answer, status}; }
  static Step finished() { return {Kind::done, 0}; }
};

// What one attempt looked like.
struct AttemptRecord {
  const upstream::Peer* peer = nullptr;
  std::uint32_t peer_index = 0;
  upstream::Reason reason{};
  upstream::Closed skipped{};   // why the peer that it should have been is not the one
  const char* retry = nullptr;  // what the attempt before ended with; null: it is the first
  Error error;
  std::uint16_t status = 0;  // as logged: the peer's, or 502/504 for failures
  bool separate = false;     // the first of another upstream: after an internal redirect
  std::string detail;        // what is wrong, where the error alone does not tell
  TimePoint began;
  std::uint64_t span = 0;  // in the request's trace; 0: none
  Duration connect{-1};    // -1: did not come to it
  Duration header{-1};
  Duration response{-1};
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t body = 0;
};

// How a subrequest runs.
struct Subrequest {
  std::string_view uri;
  std::string_view args = {};
  bool share_body = false;            // it gets a copy of the parent's body
  Sender* sink = nullptr;             // where its body goes; null: it is dropped
  bool in_memory = false;             // the sink holds it, up to subrequest_output_buffer_size
  const std::string* stub = nullptr;  // what goes there in place of no body, or of an error
  net::Waiter* waiter = nullptr;      // of its own, for one that runs beside its parent
};

}  // namespace weir::proxy
