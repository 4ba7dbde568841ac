// Requests over HTTPS to an ACME server, each on a connection of its own. Coroutines of the ACME
// thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/clock.h"
#include "tls/context.h"

namespace weir::acme {

// What went wrong, in words for the log. Thrown within acme/ alone.
struct Failure : std::runtime_error {
  explicit Failure(const std::string& what, Duration asked_wait = Duration{0},
                   std::string problem_type = {})
      : std::runtime_error(what), wait(asked_wait), type(std::move(problem_type)) {}
  Duration wait;     // that the server asked for; 0: none
  std::string type;  // of the problem (RFC 8555 section 6.7), without its prefix; empty: none
};

struct Reply {
  unsigned status = 0;
  std::string body;
  std::string nonce;        // Replay-Nonce
  std::string location;     // Location
  std::string retry_after;  // Retry-After
};

class HttpsClient {
 public:
  explicit HttpsClient(std::shared_ptr<const tls::Context> context)
      : context_(std::move(context)) {}

  // `body` empty: GET, or HEAD with `head`; else a POST of application/jose+json. Throws Failure
  // if no answer comes: within 30 seconds, of 1 MiB at most.
  [[nodiscard]] boost::asio::awaitable<Reply> request(std::string url, std::string body = {},
                                                      bool head = false);

 private:
  std::shared_ptr<const tls::Context> context_;
};

// "https://host[:port]/path"; false: it is none.
struct Url {
  std::string host;  // brackets removed
  std::string port;
  std::string target;
  std::string authority;  // as a Host field has it
};
[[nodiscard]] bool parse_url(const std::string& text, Url& out);

}  // namespace weir::acme
