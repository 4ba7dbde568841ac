// The protocol of ACME (RFC 8555) with one server: account, order, challenges, certificate.
// Coroutines of the ACME thread; one at a time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "acme/keys.h"
#include "base/clock.h"
#include "fetch/http_client.h"
#include "tls/challenges.h"

namespace weir::acme {

// What went wrong with an order, in words for the log. Thrown within acme/ alone.
struct Failure : std::runtime_error {
  explicit Failure(const std::string& what, Duration asked_wait = Duration{0},
                   std::string problem_type = {})
      : std::runtime_error(what), wait(asked_wait), type(std::move(problem_type)) {}
  Duration wait;     // that the server asked for; 0: none
  std::string type;  // of the problem (RFC 8555 section 6.7), without its prefix; empty: none
};

class Client {
 public:
  // `challenges` must outlive it. `key`: of the account.
  Client(const config::AcmeIssuer& issuer, tls::KeyPtr key, tls::Challenges& challenges,
         std::shared_ptr<const tls::Context> context);

  // A certificate with its key, in one PEM text. Throws Failure, or fetch::Failure. The account is
  // made, or found, at the first time.
  [[nodiscard]] boost::asio::awaitable<std::string> obtain(const config::AcmeCertificate& wanted);

 private:
  using Object = boost::json::object;
  struct Answer {
    fetch::Reply reply;
    Object body;  // empty: it is no JSON
  };

  // Over TLS alone, whatever the server's directory names.
  boost::asio::awaitable<fetch::Reply> send(std::string url, std::string body = {},
                                            bool head = false);
  boost::asio::awaitable<void> open();
  boost::asio::awaitable<void> register_account();
  // Signed by the account, and again with another nonce if the server does not like the first.
  boost::asio::awaitable<Answer> post(std::string url, std::string payload);
  boost::asio::awaitable<std::string> take_nonce();
  boost::asio::awaitable<void> authorize(std::string url);
  boost::asio::awaitable<void> answer_challenge(std::string url, const Object& authorization);
  // Asks until its status is none of `waiting`, which are separated by blanks.
  boost::asio::awaitable<Answer> wait_for(std::string url, std::string waiting);
  [[nodiscard]] std::string header_text(const std::string& nonce, const std::string& url) const;
  [[nodiscard]] std::string account_text(const std::string& url) const;
  [[nodiscard]] std::string order_text(const config::AcmeCertificate& wanted) const;
  [[nodiscard]] std::string text(const Object& object, const char* name) const;
  [[nodiscard]] std::string directory_url(const char* name) const;
  [[nodiscard]] Failure refused(const std::string& what, const Answer& answer) const;
  boost::asio::awaitable<std::string> download(std::string url);

  const config::AcmeIssuer& issuer_;
  tls::KeyPtr key_;
  tls::Challenges& challenges_;
  fetch::HttpClient client_;
  Object directory_;
  std::string account_;  // its URL; empty: not known yet
  std::string nonce_;
};

}  // namespace weir::acme
