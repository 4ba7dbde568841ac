#include "acme/client.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "acme/base64url.h"
#include "acme/schedule.h"

// g++ 12 takes the frames of Asio's coroutines, which are given back as they were taken, for a
// mistake.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace weir::acme {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr int kMostNonces = 10;               // tries of a request whose nonces are not liked
constexpr std::chrono::minutes kPatience{5};  // for one state of an order or an authorization
constexpr Duration kFirstPoll{250};
constexpr Duration kLongestPoll = std::chrono::seconds{10};

json::object object_of(const std::string& text) {
  boost::system::error_code error;
  auto value = json::parse(text, error);
  return !error && value.is_object() ? std::move(value.as_object()) : json::object{};
}

asio::awaitable<void> pause(Duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

WallTime now() { return SystemClock().wall(); }

// The part behind the common prefix of types.
std::string short_type(std::string type) {
  constexpr std::string_view kPrefix = "urn:ietf:params:acme:error:";
  if (type.starts_with(kPrefix)) type.erase(0, kPrefix.size());
  return type;
}

// What a problem (RFC 7807) says, that of each name among it.
std::string explain(const json::object& problem) {
  const auto member = [](const json::object& object, const char* name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string().c_str())
                                                  : std::string();
  };
  auto out = member(problem, "detail");
  if (const auto type = short_type(member(problem, "type")); !type.empty()) {
    out += " (" + type + ")";
  }
  if (const auto* list = problem.if_contains("subproblems"); list != nullptr && list->is_array()) {
    for (const auto& one : list->as_array()) {
      if (one.is_object()) out += "; " + explain(one.as_object());
    }
  }
  return out;
}

}  // namespace

Client::Client(const config::AcmeIssuer& issuer, tls::KeyPtr key, tls::Challenges& challenges,
               std::shared_ptr<const tls::Context> context)
    : issuer_(issuer), key_(std::move(key)), challenges_(challenges), client_(std::move(context)) {}

std::string Client::text(const Object& object, const char* name) const {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string().c_str())
                                                : std::string();
}

std::string Client::directory_url(const char* name) const {
  auto url = text(directory_, name);
  if (url.empty()) {
    throw Failure("\"" + issuer_.uri + "\" is no directory of an ACME server: there is no \"" +
                  name + "\" in it");
  }
  return url;
}

Failure Client::refused(const std::string& what, const Answer& answer) const {
  auto why = explain(answer.body);
  // An order that came to nothing says why within.
  const auto* error = answer.body.if_contains("error");
  if (error != nullptr && error->is_object()) why = explain(error->as_object());
  if (why.empty()) why = "status " + std::to_string(answer.reply.status);
  return Failure(what + " was refused: " + why, retry_after(answer.reply.retry_after, now()),
                 short_type(text(answer.body, "type")));
}

// ---- requests

asio::awaitable<fetch::Reply> Client::send(std::string url, std::string body, bool head) {
  if (!url.starts_with("https://")) throw Failure("\"" + url + "\" is no URL of https://");
  fetch::Request request;
  request.url = std::move(url);
  if (!body.empty()) request.content_type = "application/jose+json";
  request.body = std::move(body);
  request.head = head;
  co_return co_await client_.send(std::move(request));
}

asio::awaitable<std::string> Client::take_nonce() {
  if (nonce_.empty()) {
    const auto reply = co_await send(directory_url("newNonce"), {}, true);
    if (reply.nonce.empty()) throw Failure("the server gives no nonce");
    nonce_ = reply.nonce;
  }
  co_return std::exchange(nonce_, {});
}

asio::awaitable<Client::Answer> Client::post(std::string url, std::string payload) {
  for (int i = 0;; ++i) {
    const auto nonce = co_await take_nonce();
    const auto signed_text = sign(*key_, header_text(nonce, url), payload);
    if (signed_text.empty()) throw Failure("the account's key cannot sign");
    Answer answer;
    answer.reply = co_await send(url, signed_text);
    nonce_ = answer.reply.nonce;
    answer.body = object_of(answer.reply.body);
    const bool bad_nonce =
        answer.reply.status >= 400 && short_type(text(answer.body, "type")) == "badNonce";
    if (!bad_nonce || i == kMostNonces) co_return answer;
  }
}

// ---- the account

asio::awaitable<void> Client::open() {
  if (!account_.empty()) co_return;
  const auto reply = co_await send(issuer_.uri);
  if (reply.status != 200) {
    throw Failure("\"" + issuer_.uri + "\" answers with status " + std::to_string(reply.status),
                  retry_after(reply.retry_after, now()));
  }
  directory_ = object_of(reply.body);
  co_await register_account();
}

// What coroutines do not do themselves: this compiler fails on lists of initial values in them.
std::string Client::header_text(const std::string& nonce, const std::string& url) const {
  json::object header;
  header["alg"] = algorithm_of(*key_);
  if (account_.empty()) {
    header["jwk"] = object_of(jwk_of(*key_));
  } else {
    header["kid"] = account_;
  }
  header["nonce"] = nonce;
  header["url"] = url;
  return json::serialize(header);
}

std::string Client::account_text(const std::string& url) const {
  json::object account;
  if (const auto* meta = directory_.if_contains("meta"); meta != nullptr && meta->is_object()) {
    const auto terms = text(meta->as_object(), "termsOfService");
    if (!terms.empty() && !issuer_.accepts_terms) {
      throw Failure("the server asks that its terms of service are accepted: read " + terms +
                    " and write accept_terms_of_service");
    }
  }
  if (issuer_.accepts_terms) account["termsOfServiceAgreed"] = true;
  if (!issuer_.contacts.empty()) {
    account["contact"] = json::array(issuer_.contacts.begin(), issuer_.contacts.end());
  }
  if (!issuer_.external_id.empty()) {
    const auto secret = read_base64url(*issuer_.external_key.text);
    if (!secret) throw Failure("the external_account_key is not in base64url");
    const json::object header = {{"alg", "HS256"}, {"kid", issuer_.external_id}, {"url", url}};
    account["externalAccountBinding"] =
        object_of(sign_shared(*secret, json::serialize(header), jwk_of(*key_)));
  }
  return json::serialize(account);
}

std::string Client::order_text(const config::AcmeCertificate& wanted) const {
  json::array identifiers;
  for (const auto& name : wanted.names) {
    identifiers.push_back(json::object{{"type", is_address(name) ? "ip" : "dns"}, {"value", name}});
  }
  json::object order = {{"identifiers", std::move(identifiers)}};
  if (!issuer_.profile.empty()) order["profile"] = issuer_.profile;
  return json::serialize(order);
}

asio::awaitable<void> Client::register_account() {
  const auto url = directory_url("newAccount");
  const auto answer = co_await post(url, account_text(url));
  if (answer.reply.status / 100 != 2 || answer.reply.location.empty()) {
    throw refused("the account", answer);
  }
  account_ = answer.reply.location;
}

// ---- orders

asio::awaitable<std::string> Client::obtain(const config::AcmeCertificate& wanted) {
  co_await open();
  const auto made = co_await post(directory_url("newOrder"), order_text(wanted));
  if (made.reply.status != 201 || made.reply.location.empty()) {
    // A server that has forgotten the account makes it anew the next time.
    if (short_type(text(made.body, "type")) == "accountDoesNotExist") account_.clear();
    throw refused("the order", made);
  }
  const auto* authorizations = made.body.if_contains("authorizations");
  if (authorizations != nullptr && authorizations->is_array()) {
    for (const auto& url : authorizations->as_array()) {
      if (url.is_string()) co_await authorize(url.as_string().c_str());
    }
  }
  const auto order_url = made.reply.location;
  auto state = co_await wait_for(order_url, "pending");
  if (text(state.body, "status") != "ready") throw refused("the order", state);
  const auto key = make_key(wanted.key);
  if (key == nullptr) throw Failure("no key can be made");
  const auto request = certificate_request(*key, wanted.names);
  if (request.empty()) throw Failure("no request for a certificate can be made");
  const auto finalize = text(state.body, "finalize");
  const auto sent = co_await post(finalize, "{\"csr\":\"" + base64url(request) + "\"}");
  if (sent.reply.status / 100 != 2) throw refused("the request for a certificate", sent);
  state = co_await wait_for(order_url, "processing ready");
  if (text(state.body, "status") != "valid") throw refused("the request for a certificate", state);
  const auto chain = co_await download(text(state.body, "certificate"));
  if (!fits(*key, chain)) throw Failure("the certificate that was issued is not for its key");
  co_return to_pem(*key) + chain;
}

asio::awaitable<std::string> Client::download(std::string url) {
  const auto answer = co_await post(std::move(url), {});
  if (answer.reply.status != 200) throw refused("the certificate", answer);
  co_return answer.reply.body;
}

asio::awaitable<void> Client::authorize(std::string url) {
  const auto answer = co_await post(url, {});
  const auto status = text(answer.body, "status");
  if (status == "valid") co_return;  // from an earlier order
  if (answer.reply.status != 200 || status != "pending") throw refused("an authorization", answer);
  co_await answer_challenge(std::move(url), answer.body);
}

namespace {

// Puts the answer to a challenge up, and takes it down.
class Posted {
 public:
  Posted(tls::Challenges& challenges, config::AcmeIssuer::Challenge kind, std::string name,
         const std::string& token, const std::string& authorization)
      : challenges_(challenges), kind_(kind), name_(std::move(name)), token_(token) {
    if (kind_ == config::AcmeIssuer::Challenge::http) {
      challenges_.set_answer(token_, authorization);
      return;
    }
    auto context = challenge_context(name_, authorization);
    if (context == nullptr) throw Failure("no certificate for the challenge can be made");
    name_ = asked_name(name_);
    challenges_.set_certificate(name_, std::move(context));
  }
  ~Posted() {
    if (kind_ == config::AcmeIssuer::Challenge::http) {
      challenges_.remove_answer(token_);
    } else {
      challenges_.remove_certificate(name_);
    }
  }
  Posted(const Posted&) = delete;
  Posted& operator=(const Posted&) = delete;

 private:
  tls::Challenges& challenges_;
  config::AcmeIssuer::Challenge kind_;
  std::string name_;
  std::string token_;
};

}  // namespace

asio::awaitable<void> Client::answer_challenge(std::string url, const Object& authorization) {
  const bool http = issuer_.challenge == config::AcmeIssuer::Challenge::http;
  const std::string kind = http ? "http-01" : "tls-alpn-01";
  std::string name;
  if (const auto* identifier = authorization.if_contains("identifier");
      identifier != nullptr && identifier->is_object()) {
    name = text(identifier->as_object(), "value");
  }
  std::string where;
  std::string token;
  if (const auto* list = authorization.if_contains("challenges"); list != nullptr) {
    for (const auto& one : list->is_array() ? list->as_array() : json::array()) {
      if (!one.is_object() || text(one.as_object(), "type") != kind) continue;
      where = text(one.as_object(), "url");
      token = text(one.as_object(), "token");
    }
  }
  if (where.empty() || token.empty()) {
    throw Failure("the server does not offer " + kind + " for " + name);
  }
  const Posted posted(challenges_, issuer_.challenge, name, token, token + "." + thumbprint(*key_));
  const auto told = co_await post(where, "{}");
  if (told.reply.status / 100 != 2) throw refused("the challenge for " + name, told);
  const auto after = co_await wait_for(std::move(url), "pending processing");
  if (text(after.body, "status") == "valid") co_return;
  std::string why = "status " + text(after.body, "status");
  if (const auto* list = after.body.if_contains("challenges");
      list != nullptr && list->is_array()) {
    for (const auto& one : list->as_array()) {
      if (!one.is_object()) continue;
      const auto* error = one.as_object().if_contains("error");
      if (error != nullptr && error->is_object()) why = explain(error->as_object());
    }
  }
  throw Failure("the " + kind + " challenge for " + name + " failed: " + why);
}

asio::awaitable<Client::Answer> Client::wait_for(std::string url, std::string waiting) {
  const auto end = now() + kPatience;
  for (Duration wait = kFirstPoll;; wait = std::min(wait * 2, kLongestPoll)) {
    auto answer = co_await post(url, {});
    if (answer.reply.status != 200) throw refused("a question for its state", answer);
    const auto status = text(answer.body, "status");
    if (status.empty() || waiting.find(status) == std::string::npos) co_return answer;
    if (now() >= end) throw Failure("the server does not decide: status " + status);
    const auto asked = retry_after(answer.reply.retry_after, now());
    co_await pause(std::min<Duration>(std::max(asked, wait), kPatience));
  }
}

}  // namespace weir::acme
