// Failover: may this request go to another peer? nginx's proxy_next_upstream (its tries and time
// included) and weir's rule that what was not executed may always go elsewhere. Pure; one thread.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/error.h"
#include "config/model.h"
#include "upstream/outcome.h"

namespace weir::upstream {

// How one attempt ended, as far as another try depends on it.
struct AttemptResult {
  Error error{};              // Errc::ok: the head of an answer came
  std::uint16_t status = 0;   // of the answer, if there is one
  bool request_sent = false;  // at least one byte of the request was written to the peer
  bool reused_connection = false;
  bool answer_begun = false;     // at least one byte of an answer came
  bool client_answered = false;  // something of the answer's head went to the client already
  bool not_executed = false;     // the peer has said that it has not executed the request
  bool peer_failed = false;      // it says that the peer cannot execute any
};

class Tries {
 public:
  struct Rules {
    std::uint32_t next_upstream = 0;  // config::NextUpstream bits
    std::uint32_t max_tries = 1;      // Pool::max_tries()
    std::uint32_t limit = 0;          // proxy_next_upstream_tries; 0: none
    Duration timeout{0};              // proxy_next_upstream_timeout; 0: none
    bool repeatable = true;           // http::may_repeat(method)
    bool body_replayable = true;      // the request body can be sent once more
  };
  void begin(const Rules& rules, TimePoint now);

  struct Decision {
    bool again = false;
    // A stale kept-alive connection: a fresh one to the same peer, once. The choice stands, so
    // there is no Pool::done() and no Pool::pick() between the two.
    bool same_peer = false;
    // Nobody has executed it: when all have been tried it may wait for one (`queue`), then renew().
    bool may_wait = false;
    // What to tell Pool::done about this attempt.
    Outcome blame = Outcome::success;
  };
  // After an attempt. Counts the try.
  [[nodiscard]] Decision again(const AttemptResult& result, TimePoint now);
  // It has waited for a peer of the pool, which may have others now: all may be tried again.
  void renew(std::uint32_t max_tries);
  // The request body has outgrown what is kept of it: it can't be sent once more.
  void body_lost() { rules_.body_replayable = false; }
  // Another try is fine, but there is no budget for it: the attempt stands.
  [[nodiscard]] Decision settle(const AttemptResult& result) const;
  // Attempts that counted.
  [[nodiscard]] std::uint32_t used() const { return used_; }

 private:
  [[nodiscard]] bool may_repeat(const AttemptResult& result) const;
  [[nodiscard]] bool within_limits(TimePoint now) const;

  Rules rules_;
  TimePoint start_{};
  std::uint32_t used_ = 0;
  std::uint32_t used_before_ = 0;  // renew()
  bool stale_seen_ = false;
};

}  // namespace weir::upstream
