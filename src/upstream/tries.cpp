#include "upstream/tries.h"

namespace weir::upstream {
namespace {

// The condition of proxy_next_upstream an attempt's end falls under; 0: none, it is final.
std::uint32_t condition(const AttemptResult& result) {
  switch (result.error.what) {
    case Errc::connect_failed:
    case Errc::peer_tls_failed:
    case Errc::peer_untrusted:
    case Errc::peer_stale:
    case Errc::peer_closed:
    case Errc::peer_reset:
    case Errc::peer_gone:
    case Errc::peer_unprocessed:
      return config::next_error;
    case Errc::connect_timed_out:
    case Errc::peer_send_timed_out:
    case Errc::peer_read_timed_out:
      return config::next_timeout;
    case Errc::peer_bad_head:
      return config::next_invalid_header;
    case Errc::ok:
    case Errc::peer_status:
      break;
    default:
      return 0;
  }
  switch (result.status) {
    case 403:
      return config::next_http_403;
    case 404:
      return config::next_http_404;
    case 429:
      return config::next_http_429;
    case 500:
      return config::next_http_500;
    case 502:
      return config::next_http_502;
    case 503:
      return config::next_http_503;
    case 504:
      return config::next_http_504;
    default:
      return 0;
  }
}

bool is_status(const AttemptResult& result) {
  return result.error.ok() || result.error.what == Errc::peer_status;
}

// A kept-alive connection that the peer had given up: it died before it said anything.
bool is_stale(const AttemptResult& result) {
  if (result.answer_begun || result.client_answered) return false;
  const Errc what = result.error.what;
  return what == Errc::peer_stale ||
         (result.reused_connection && (what == Errc::peer_closed || what == Errc::peer_reset));
}

// Of an attempt whose error is the end of it, or that is given up for another peer. nginx: error,
// timeout and invalid_header count whether they are listed or not.
Outcome blame_for(const AttemptResult& result) {
  if (is_stale(result)) return Outcome::neutral;
  switch (result.error.what) {
    // The client has an answer with a hole in it: nginx overlooks that, but the next ones would get
    // the same from a peer that is going down.
    case Errc::peer_truncated:
    case Errc::peer_bad_body:
      return Outcome::failure;
    // A stream of events may pause for longer than the time-out.
    case Errc::peer_body_timed_out:
      return Outcome::neutral;
    default:
      return condition(result) != 0 ? Outcome::failure : Outcome::neutral;
  }
}

}  // namespace

void Tries::begin(const Rules& rules, TimePoint now) {
  rules_ = rules;
  start_ = now;
  used_ = used_before_ = 0;
  stale_seen_ = false;
}

void Tries::renew(std::uint32_t max_tries) {
  rules_.max_tries = max_tries;
  used_before_ = used_;
  stale_seen_ = false;
}

// What was not executed may always be sent once more; else it must do no harm, and still be there.
bool Tries::may_repeat(const AttemptResult& result) const {
  if (result.client_answered) return false;
  if (!result.request_sent) return true;
  if (result.not_executed) return rules_.body_replayable;
  return rules_.body_replayable &&
         (rules_.repeatable || (rules_.next_upstream & config::next_non_idempotent) != 0);
}

// What the configuration allows in all, however many peers there are.
bool Tries::within_limits(TimePoint now) const {
  return (rules_.limit == 0 || used_ < rules_.limit) &&
         (rules_.timeout == Duration{0} || now - start_ < rules_.timeout);
}

Tries::Decision Tries::again(const AttemptResult& result, TimePoint now) {
  // proxy_next_upstream does not matter here: it is not the next one that is asked.
  if (is_stale(result) && !stale_seen_ && may_repeat(result)) {
    stale_seen_ = true;
    return {.again = true, .same_peer = true, .blame = Outcome::neutral};
  }
  ++used_;
  const std::uint32_t met = condition(result);
  const bool listed = (rules_.next_upstream & config::next_off) == 0 &&
                      (result.not_executed || result.peer_failed ||
                       (met != 0 && (rules_.next_upstream & met) != 0));
  const bool fine = listed && may_repeat(result) && within_limits(now);
  const bool again = fine && used_ - used_before_ < rules_.max_tries;
  const bool may_wait = fine && (!result.request_sent || result.not_executed);
  if (!is_status(result)) {
    return {.again = again, .may_wait = may_wait, .blame = blame_for(result)};
  }
  // An answer that is passed on is a success, whatever its status. One that is not is a failure of
  // the peer, but for 403 and 404: these say nothing against it.
  const bool refused =
      !result.not_executed && (met == config::next_http_403 || met == config::next_http_404);
  const auto blame = again && !refused ? Outcome::failure : Outcome::success;
  return {.again = again, .may_wait = may_wait, .blame = blame};
}

Tries::Decision Tries::settle(const AttemptResult& result) const {
  return {.blame = is_status(result) ? Outcome::success : blame_for(result)};
}

}  // namespace weir::upstream
