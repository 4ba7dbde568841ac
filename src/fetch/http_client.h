// Requests that weir itself makes, over HTTP or HTTPS: to ACME servers and to responders of OCSP.
// Each has a connection of its own. Coroutines; of any one thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "tls/context.h"

namespace weir::fetch {

// No answer has come. In words for the log, the server's name among them.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Request {
  std::string url;
  std::string body{};  // empty: GET, or HEAD with `head`; else POST
  std::string content_type{};
  bool head = false;
};

struct Reply {
  unsigned status = 0;
  std::string body;
  std::string nonce;        // Replay-Nonce
  std::string location;     // Location
  std::string retry_after;  // Retry-After
};

class HttpClient {
 public:
  // `context`: for https://. Null: only http:// is spoken.
  explicit HttpClient(std::shared_ptr<const tls::Context> context = nullptr)
      : context_(std::move(context)) {}

  // Throws Failure if no answer comes: within 30 seconds, of 1 MiB at most.
  [[nodiscard]] boost::asio::awaitable<Reply> send(Request request);

 private:
  std::shared_ptr<const tls::Context> context_;
};

// "https://host[:port]/path", or the same with "http://"; false: it is neither.
struct Url {
  bool tls = false;
  std::string host;  // brackets removed
  std::string port;
  std::string target;
  std::string authority;  // as a Host field has it
};
[[nodiscard]] bool parse_url(const std::string& text, Url& out);

}  // namespace weir::fetch
