#include "upstream/tries.h"

#include <doctest/doctest.h>

#include <string>

#include "upstream/support.h"

namespace weir::upstream {
using test::at;

namespace {

constexpr std::uint32_t kDefault = config::next_error | config::next_timeout;

struct Row {
  const char* name;
  AttemptResult result;
  const char* want;  // "again", "same" or "stop", and whom to blame
  std::uint32_t next = kDefault;
  bool repeatable = true;
  bool replayable = true;
};

std::string text(const Tries::Decision& decision) {
  std::string result = decision.same_peer ? "same" : decision.again ? "again" : "stop";
  switch (decision.blame) {
    case Outcome::success:
      return result + " success";
    case Outcome::failure:
      return result + " failure";
    case Outcome::neutral:
      return result + " neutral";
  }
  return result;
}

void check(const Row& row) {
  CAPTURE(row.name);
  Tries tries;
  tries.begin({.next_upstream = row.next,
               .max_tries = 3,
               .repeatable = row.repeatable,
               .body_replayable = row.replayable},
              at(0));
  CHECK(text(tries.again(row.result, at(0))) == std::string(row.want));
}

AttemptResult failed(Errc what) { return {.error = {what}}; }
AttemptResult failed_after_sending(Errc what) { return {.error = {what}, .request_sent = true}; }
AttemptResult answered(std::uint16_t status) {
  return {.status = status, .request_sent = true, .answer_begun = true};
}

}  // namespace

TEST_CASE("turned away by a peer of HTTP/2: another one whatever the method") {
  AttemptResult away = failed_after_sending(Errc::peer_unprocessed);
  away.not_executed = true;
  AttemptResult retired = failed_after_sending(Errc::peer_stale);
  retired.not_executed = retired.reused_connection = true;
  const Row rows[] = {
      {"POST", away, "again failure", kDefault, false},
      {"POST, not listed", away, "again failure", config::next_timeout, false},
      {"off", away, "stop failure", config::next_off},
      {"its body is lost", away, "stop failure", kDefault, true, false},
      {"the connection was retired, POST", retired, "same neutral", kDefault, false},
  };
  for (const auto& row : rows) check(row);
}

TEST_CASE("not executed: another peer whatever the method") {
  const Row rows[] = {
      {"refused", failed(Errc::connect_failed), "again failure"},
      {"refused, POST", failed(Errc::connect_failed), "again failure", kDefault, false},
      {"refused, POST, body streamed", failed(Errc::connect_failed), "again failure", kDefault,
       false, false},
      {"connect timed out, POST", failed(Errc::connect_timed_out), "again failure", kDefault,
       false},
      {"closed before a byte was sent, POST", failed(Errc::peer_closed), "again failure", kDefault,
       false},
      {"error not listed", failed(Errc::connect_failed), "stop failure", config::next_timeout},
      {"timeout not listed", failed(Errc::connect_timed_out), "stop failure", config::next_error},
      {"off", failed(Errc::connect_failed), "stop failure", config::next_off},
      {"off beats all", failed(Errc::connect_failed), "stop failure", kDefault | config::next_off},
  };
  for (const auto& row : rows) check(row);
}

TEST_CASE("sent: another peer only if that does no harm") {
  constexpr std::uint32_t kAnyMethod = kDefault | config::next_non_idempotent;
  AttemptResult begun = failed_after_sending(Errc::peer_reset);
  begun.answer_begun = true;
  AttemptResult told = begun;
  told.client_answered = true;
  const Row rows[] = {
      {"GET", failed_after_sending(Errc::peer_reset), "again failure"},
      {"GET, read timed out", failed_after_sending(Errc::peer_read_timed_out), "again failure"},
      {"GET, send timed out", failed_after_sending(Errc::peer_send_timed_out), "again failure"},
      {"POST", failed_after_sending(Errc::peer_reset), "stop failure", kDefault, false},
      {"POST, read timed out", failed_after_sending(Errc::peer_read_timed_out), "stop failure",
       kDefault, false},
      {"POST, non_idempotent", failed_after_sending(Errc::peer_reset), "again failure", kAnyMethod,
       false},
      {"POST, non_idempotent alone lists no condition", failed_after_sending(Errc::peer_reset),
       "stop failure", config::next_non_idempotent, false},
      {"PUT, body gone", failed_after_sending(Errc::peer_reset), "stop failure", kDefault, true,
       false},
      {"POST, non_idempotent, body gone", failed_after_sending(Errc::peer_reset), "stop failure",
       kAnyMethod, false, false},
      {"inside the answer's head", begun, "again failure"},
      {"the client has something of the answer", told, "stop failure"},
      {"bad head, not listed", failed_after_sending(Errc::peer_bad_head), "stop failure"},
      {"bad head, listed", failed_after_sending(Errc::peer_bad_head), "again failure",
       config::next_invalid_header},
      {"bad head, listed, POST", failed_after_sending(Errc::peer_bad_head), "stop failure",
       config::next_invalid_header, false},
  };
  for (const auto& row : rows) check(row);
}

TEST_CASE("statuses") {
  AttemptResult passed_on = answered(503);
  passed_on.client_answered = true;
  const Row rows[] = {
      {"200", answered(200), "stop success"},
      {"503 not listed", answered(503), "stop success"},
      {"503", answered(503), "again failure", config::next_http_503},
      {"503, POST: passed through", answered(503), "stop success", config::next_http_503, false},
      {"503, POST, non_idempotent", answered(503), "again failure",
       config::next_http_503 | config::next_non_idempotent, false},
      {"503, body gone", answered(503), "stop success", config::next_http_503, true, false},
      {"503 on its way to the client", passed_on, "stop success", config::next_http_503},
      {"off", answered(503), "stop success", config::next_http_503 | config::next_off},
      {"500", answered(500), "again failure", config::next_http_500},
      {"502", answered(502), "again failure", config::next_http_502},
      {"504", answered(504), "again failure", config::next_http_504},
      {"429", answered(429), "again failure", config::next_http_429},
      {"403 is no failure", answered(403), "again success", config::next_http_403},
      {"404 is no failure", answered(404), "again success", config::next_http_404},
      {"501 cannot be listed", answered(501), "stop success", ~config::next_off},
  };
  for (const auto& row : rows) check(row);
}

TEST_CASE("what is no fault of the peer, and what comes too late") {
  const Row rows[] = {
      {"client gone", failed_after_sending(Errc::client_closed), "stop neutral"},
      {"client slow", failed_after_sending(Errc::client_timed_out), "stop neutral"},
      {"out of descriptors", failed(Errc::local_resources), "stop neutral"},
      {"answer cut short", failed_after_sending(Errc::peer_truncated), "stop failure"},
      {"answer body invalid", failed_after_sending(Errc::peer_bad_body), "stop failure"},
      {"answer body paused", failed_after_sending(Errc::peer_body_timed_out), "stop neutral"},
  };
  for (const auto& row : rows) check(row);
}

TEST_CASE("a stale kept-alive connection") {
  const auto stale = [](Errc what, bool sent) {
    return AttemptResult{.error = {what}, .request_sent = sent, .reused_connection = true};
  };
  AttemptResult begun = stale(Errc::peer_reset, true);
  begun.answer_begun = true;
  const Row rows[] = {
      {"found stale", stale(Errc::peer_stale, false), "same neutral"},
      {"reset", stale(Errc::peer_reset, true), "same neutral"},
      {"closed", stale(Errc::peer_closed, true), "same neutral"},
      {"whatever is listed", stale(Errc::peer_closed, true), "same neutral", config::next_http_503},
      {"off", stale(Errc::peer_closed, true), "same neutral", config::next_off},
      {"POST of which nothing was sent", stale(Errc::peer_closed, false), "same neutral", kDefault,
       false, false},
      {"POST, sent: never again", stale(Errc::peer_closed, true), "stop neutral", kDefault, false},
      {"POST, sent, non_idempotent", stale(Errc::peer_closed, true), "same neutral",
       kDefault | config::next_non_idempotent, false},
      {"body gone", stale(Errc::peer_closed, true), "stop neutral", kDefault, true, false},
      {"it did answer something: an error like any", begun, "again failure"},
      {"slow, not stale", stale(Errc::peer_read_timed_out, true), "again failure"},
      {"a fresh one is not stale", failed_after_sending(Errc::peer_closed), "again failure"},
  };
  for (const auto& row : rows) check(row);

  Tries tries;
  tries.begin({.next_upstream = kDefault, .max_tries = 2}, at(0));
  CHECK(text(tries.again(stale(Errc::peer_closed, true), at(0))) == "same neutral");
  CHECK(tries.used() == 0);
  // Once a request: the second time it is a try like any, though still nobody's fault.
  CHECK(text(tries.again(stale(Errc::peer_closed, true), at(0))) == "again neutral");
  CHECK(tries.used() == 1);
  CHECK(text(tries.again(stale(Errc::peer_closed, true), at(0))) == "stop neutral");
}

TEST_CASE("what nobody has executed may wait for a peer") {
  AttemptResult refused = answered(503);
  refused.not_executed = true;
  AttemptResult away = failed_after_sending(Errc::peer_unprocessed);
  away.not_executed = true;
  const struct {
    const char* name;
    AttemptResult result;
    bool want;
    std::uint32_t next = kDefault;
    bool replayable = true;
  } rows[] = {
      {"refused", failed(Errc::connect_failed), true},
      {"refused, body streamed", failed(Errc::connect_failed), true, kDefault, false},
      {"refused, not listed", failed(Errc::connect_failed), false, config::next_timeout},
      {"off", failed(Errc::connect_failed), false, config::next_off},
      {"sent", failed_after_sending(Errc::peer_reset), false},
      {"answered: it was not executed", refused, true},
      {"the same, off", refused, false, config::next_off},
      {"the same, its body gone", refused, false, kDefault, false},
      {"any other answer", answered(503), false, config::next_http_503},
      {"turned away", away, true},
      {"the client has left", failed(Errc::client_closed), false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Tries tries;
    tries.begin({.next_upstream = row.next,
                 .max_tries = 1,
                 .repeatable = false,
                 .body_replayable = row.replayable},
                at(0));
    CHECK(tries.again(row.result, at(0)).may_wait == row.want);
  }
}

TEST_CASE("tries and time run out") {
  Tries tries;
  SUBCASE("tries, errors") {
    tries.begin({.next_upstream = kDefault, .max_tries = 3}, at(0));
    CHECK(text(tries.again(failed(Errc::connect_failed), at(0))) == "again failure");
    CHECK(text(tries.again(failed(Errc::connect_failed), at(0))) == "again failure");
    CHECK(text(tries.again(failed(Errc::connect_failed), at(0))) == "stop failure");
    CHECK(tries.used() == 3);
  }
  SUBCASE("tries, statuses: the last one is passed through") {
    tries.begin({.next_upstream = config::next_http_503, .max_tries = 2}, at(0));
    CHECK(text(tries.again(answered(503), at(0))) == "again failure");
    CHECK(text(tries.again(answered(503), at(0))) == "stop success");
  }
  SUBCASE("time") {
    tries.begin({.next_upstream = kDefault, .max_tries = 9, .timeout = std::chrono::seconds{2}},
                at(0));
    CHECK(text(tries.again(failed(Errc::connect_failed), at(1.999))) == "again failure");
    CHECK(text(tries.again(failed(Errc::connect_failed), at(2))) == "stop failure");
  }
  SUBCASE("after a wait all peers may be tried again, within the limits of the configuration") {
    tries.begin({.next_upstream = kDefault, .max_tries = 1, .limit = 3}, at(0));
    for (int i = 0; i < 2; ++i) {
      const auto decision = tries.again(failed(Errc::connect_failed), at(i));
      CHECK(text(decision) == "stop failure");
      CHECK(decision.may_wait);
      tries.renew(1);
    }
    CHECK_FALSE(tries.again(failed(Errc::connect_failed), at(2)).may_wait);
    tries.begin({.next_upstream = kDefault, .max_tries = 1, .timeout = std::chrono::seconds{2}},
                at(0));
    CHECK(tries.again(failed(Errc::connect_failed), at(1)).may_wait);
    tries.renew(2);
    CHECK(text(tries.again(failed(Errc::connect_failed), at(1))) == "again failure");
    CHECK_FALSE(tries.again(failed(Errc::connect_failed), at(2)).may_wait);
  }
  SUBCASE("begin() starts anew") {
    tries.begin({.next_upstream = kDefault, .max_tries = 1}, at(0));
    CHECK_FALSE(tries.again(failed(Errc::connect_failed), at(0)).again);
    tries.begin({.next_upstream = kDefault, .max_tries = 2}, at(5));
    CHECK(tries.used() == 0);
    CHECK(tries.again(failed(Errc::connect_failed), at(5)).again);
  }
}

}  // namespace weir::upstream
