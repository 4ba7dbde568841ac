// All of Beast's client is in this file: it is slow to compile.
#include "fetch/http_client.h"

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

#include "fetch/name_lookup.h"

namespace weir::fetch {
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

http::request<http::string_body> message_of(const Request& request, const Url& url) {
  const auto without_body = request.head ? http::verb::head : http::verb::get;
  http::request<http::string_body> out(request.body.empty() ? without_body : http::verb::post,
                                       url.target, 11);
  out.set(http::field::host, url.authority);
  out.set(http::field::user_agent, "weir");
  out.set(http::field::accept_language, "en");
  out.set(http::field::connection, "close");
  if (!request.content_type.empty()) out.set(http::field::content_type, request.content_type);
  out.body() = request.body;
  out.prepare_payload();
  return out;
}

// A connection and the one exchange over it.
class Exchange {
 public:
  Exchange(const Request& request, const Url& url) : request_(request), url_(url) {}

  [[nodiscard]] const char* step() const { return step_; }
  [[nodiscard]] const std::string& mistrust() const { return mistrust_; }

  asio::awaitable<Reply> over_tcp() {
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    co_await connect(stream);
    co_return co_await ask(stream);
  }

  asio::awaitable<Reply> over_tls(const tls::Context& context) {
    const auto executor = co_await asio::this_coro::executor;
    auto own = shared(context);
    beast::ssl_stream<beast::tcp_stream> stream(executor, own);
    co_await connect(beast::get_lowest_layer(stream));
    if (!context.prepare_client(stream.native_handle(), url_.host, true, {})) {
      throw Failure("memory is short");
    }
    step_ = "the handshake of TLS";
    try {
      co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
    } catch (const boost::system::system_error&) {
      const auto verified = SSL_get_verify_result(stream.native_handle());
      if (verified != X509_V_OK && context.verify() != tls::Verify::off) {
        mistrust_ = X509_verify_cert_error_string(verified);
      }
      throw;
    }
    co_return co_await ask(stream);
  }

 private:
  asio::awaitable<void> connect(beast::tcp_stream& stream) {
    stream.expires_after(kLimit);
    const auto found = co_await look_up(url_.host, url_.port, kLimit);
    if (!found.error.empty()) throw Failure(std::string(step_) + " failed: " + found.error);
    step_ = "connecting";
    co_await stream.async_connect(found.endpoints, asio::use_awaitable);
  }

  template <class Stream>
  asio::awaitable<Reply> ask(Stream& stream) {
    step_ = "the request";
    const auto message = message_of(request_, url_);
    co_await http::async_write(stream, message, asio::use_awaitable);
    step_ = "the answer";
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostBody);
    parser.header_limit(kMostHead);
    parser.skip(request_.head);
    beast::flat_buffer buffer;
    co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
    const auto& answer = parser.get();
    co_return Reply{answer.result_int(), answer.body(), field(answer, "Replay-Nonce"),
                    field(answer, "Location"), field(answer, "Retry-After")};
  }

  const Request& request_;
  const Url& url_;
  const char* step_ = "looking up its name";
  std::string mistrust_;  // why its certificate is not accepted
};

}  // namespace

bool parse_url(const std::string& text, Url& out) {
  constexpr std::string_view kPlain = "http://", kTls = "https://";
  out.tls = text.starts_with(kTls);
  if (!out.tls && !text.starts_with(kPlain)) return false;
  const auto begin = (out.tls ? kTls : kPlain).size();
  const auto slash = text.find_first_of("/?#", begin);
  out.authority = text.substr(begin, slash - begin);
  out.target = slash == std::string::npos ? "/" : text.substr(slash);
  if (!out.target.starts_with('/')) return false;
  auto host = out.authority;
  out.port = out.tls ? "443" : "80";
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

asio::awaitable<Reply> HttpClient::send(Request request) {
  Url url;
  if (!parse_url(request.url, url)) throw Failure("\"" + request.url + "\" is no URL of HTTP");
  if (url.tls && context_ == nullptr) throw Failure("\"" + request.url + "\": TLS is not spoken");
  Exchange exchange(request, url);
  std::string why;
  try {
    if (url.tls) co_return co_await exchange.over_tls(*context_);
    co_return co_await exchange.over_tcp();
  } catch (const boost::system::system_error& error) {
    why = std::string(exchange.step()) + " failed: " +
          (exchange.mistrust().empty() ? error.code().message()
                                       : "its certificate is not accepted: " + exchange.mistrust());
  } catch (const Failure& failure) {
    why = failure.what();
  }
  throw Failure(url.authority + ": " + why);
}

}  // namespace weir::fetch
