// All of Beast's client is in this file: it is slow to compile.
#include "acme/https_client.h"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <utility>

#include "acme/name_lookup.h"

namespace weir::acme {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::chrono::seconds kLimit{30};       // of a request in all
constexpr std::size_t kMostBody = 1u << 20;      // bytes
constexpr std::uint32_t kMostHead = 64u * 1024;  // bytes

asio::ssl::context shared(const tls::Context& context) {
  SSL_CTX_up_ref(context.native());
  return asio::ssl::context(context.native());
}

std::string field(const http::response<http::string_body>& answer, const char* name) {
  const auto value = answer[name];
  return {value.data(), value.size()};
}

// A connection and the one exchange over it.
class Exchange {
 public:
  Exchange(const asio::any_io_executor& executor, const tls::Context& context)
      : context_(shared(context)), stream_(executor, context_) {}

  [[nodiscard]] const char* step() const { return step_; }
  [[nodiscard]] std::string certificate_error() {
    const auto verified = SSL_get_verify_result(stream_.native_handle());
    return verified == X509_V_OK ? "" : X509_verify_cert_error_string(verified);
  }

  asio::awaitable<Reply> run(const Url& url, const tls::Context& context, const std::string& body,
                             bool head) {
    beast::get_lowest_layer(stream_).expires_after(kLimit);
    const auto found = co_await look_up(url.host, url.port, kLimit);
    if (!found.error.empty()) throw Failure(std::string(step_) + " failed: " + found.error);
    step_ = "connecting";
    co_await beast::get_lowest_layer(stream_).async_connect(found.endpoints, asio::use_awaitable);
    if (!context.prepare_client(stream_.native_handle(), url.host, true, {})) {
      throw Failure("memory is short");
    }
    step_ = "the handshake of TLS";
    co_await stream_.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
    step_ = "the request";
    http::request<http::string_body> request(
        body.empty() ? (head ? http::verb::head : http::verb::get) : http::verb::post, url.target,
        11);
    request.set(http::field::host, url.authority);
    request.set(http::field::user_agent, "weir");
    request.set(http::field::accept_language, "en");
    request.set(http::field::connection, "close");
    if (!body.empty()) request.set(http::field::content_type, "application/jose+json");
    request.body() = body;
    request.prepare_payload();
    co_await http::async_write(stream_, request, asio::use_awaitable);
    step_ = "the answer";
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostBody);
    parser.header_limit(kMostHead);
    parser.skip(head);
    beast::flat_buffer buffer;
    co_await http::async_read(stream_, buffer, parser, asio::use_awaitable);
    const auto& answer = parser.get();
    co_return Reply{answer.result_int(), answer.body(), field(answer, "Replay-Nonce"),
                    field(answer, "Location"), field(answer, "Retry-After")};
  }

 private:
  asio::ssl::context context_;
  beast::ssl_stream<beast::tcp_stream> stream_;
  const char* step_ = "looking up its name";
};

}  // namespace

bool parse_url(const std::string& text, Url& out) {
  constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme)) return false;
  const auto slash = text.find_first_of("/?#", kScheme.size());
  out.authority = text.substr(kScheme.size(), slash - kScheme.size());
  out.target = slash == std::string::npos ? "/" : text.substr(slash);
  if (!out.target.starts_with('/')) return false;
  auto host = out.authority;
  out.port = "443";
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    out.port = host.substr(colon + 1);
    host.resize(colon);
    const bool digits = out.port.find_first_not_of("0123456789") == std::string::npos;
    if (out.port.empty() || out.port.size() > 5 || !digits) return false;
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const bool clean = host.find_first_of("@ \t\r\n[]") == std::string::npos &&
                     out.target.find_first_of(" \t\r\n") == std::string::npos;
  out.host = std::move(host);
  return clean && !out.host.empty();
}

asio::awaitable<Reply> HttpsClient::request(std::string url, std::string body, bool head) {
  Url parts;
  if (!parse_url(url, parts)) throw Failure("\"" + url + "\" is no URL of https://");
  const auto executor = co_await asio::this_coro::executor;
  Exchange exchange(executor, *context_);
  std::string why;
  try {
    co_return co_await exchange.run(parts, *context_, body, head);
  } catch (const boost::system::system_error& error) {
    const auto mistrust =
        context_->verify() != tls::Verify::off ? exchange.certificate_error() : std::string();
    why = std::string(exchange.step()) + " failed: " +
          (mistrust.empty() ? error.code().message()
                            : "its certificate is not accepted: " + mistrust);
  } catch (const Failure& failure) {
    why = failure.what();
  }
  throw Failure(parts.authority + ": " + why);
}

}  // namespace weir::acme
