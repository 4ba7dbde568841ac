// Answers that weir gives by itself, and what comes after every answer: the rest of the request's
// body, counters, access logs.
#include <algorithm>
#include <string>

#include "content/error_page.h"
#include "http/status.h"
#include "proxy/exchange.h"
#include "proxy/heads.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

// What is left of a body is read and dropped up to this size to keep the connection; beyond it,
// ending the connection is cheaper for both sides.
constexpr std::uint64_t kDiscard = 64 * 1024;
constexpr int kCloseSilently = 444;  // nginx's `return 444`

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Escapes as nginx does: `"`, `\` and everything outside printable ASCII as \xHH; or for JSON.
void append_escaped(std::string& out, std::string_view text, config::LogFormat::Escape escape) {
  static constexpr char hex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (escape == config::LogFormat::Escape::json) {
      if (c == '"' || c == '\\') {
        out.push_back('\\');
        out.push_back(c);
      } else if (byte < 0x20) {
        switch (c) {
          case '\n':
            out.append("\\n");
            break;
          case '\r':
            out.append("\\r");
            break;
          case '\t':
            out.append("\\t");
            break;
          case '\b':
            out.append("\\b");
            break;
          case '\f':
            out.append("\\f");
            break;
          default:
            out.append("\\u00").append({hex[byte >> 4], hex[byte & 15]});
        }
      } else {
        out.push_back(c);
      }
    } else if (c == '"' || c == '\\' || byte < 0x20 || byte > 0x7e) {
      out.append("\\x").append({hex[byte >> 4], hex[byte & 15]});
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace

net::Task<Error> Exchange::send_to_client(std::string_view bytes) {
  auto& client = session_->client();
  std::string rest;  // `bytes` may be the worker's: they are gone after a suspension
  for (;;) {
    const auto sent = client.write(bytes);
    if (sent.status == net::IoResult::Status::error)
      co_return Error{Errc::client_closed, sent.error};
    bytes_sent_ += sent.size;
    if (sent.size == bytes.size()) co_return Error{};
    if (rest.empty()) {
      rest.assign(bytes.substr(sent.size));
    } else {
      rest.erase(0, sent.size);
    }
    bytes = rest;
    const net::Interest room(client.on_writable, session_->waiter());
    const auto wake =
        co_await session_->waiter().wait(worker_.loop().now() + config().send_timeout);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) co_return Error{Errc::client_write_stalled, 0};
  }
}

net::Task<Error> Exchange::send_continue() {
  if (!request_.expect_continue || continue_sent_ || !body_.untouched()) {
    continue_sent_ = true;
    co_return Error{};
  }
  continue_sent_ = true;
  const auto before = bytes_sent_;
  const Error error = co_await send_to_client("HTTP/1.1 100 Continue\r\n\r\n");
  bytes_sent_ = before;  // not part of the answer
  co_return error;
}

void Exchange::decide_keep_alive() {
  const auto& request = config();
  const auto now = worker_.loop().now();
  keep_alive_ = has_request_ && !must_close_ && request_.keep_alive && !session_->draining() &&
                !worker_.draining() && request.keepalive_timeout.count() > 0 &&
                session_->requests() < request.keepalive_requests &&
                now - session_->opened() < request.keepalive_time;
  if (body_.complete()) return;
  // A client that waits for "100 Continue" may or may not send its body now: nobody could tell it
  // from the next request.
  const bool unsure = request_.expect_continue && !continue_sent_;
  if (unsure || !body_.counted() || body_.remaining() > kDiscard) {
    keep_alive_ = false;
    linger_ = true;
  }
}

void Exchange::append_absolute(std::string& out, std::string_view path) const {
  if (!path.starts_with('/') || path.starts_with("//")) {
    out.append(path);
    return;
  }
  out.append("http://");
  out.append(host_.empty() ? std::string_view(server_->config->primary_name)
                           : std::string_view(host_));
  if (!listen_->port_text.empty() && listen_->port_text != "80") {
    out.append(":").append(listen_->port_text);
  }
  out.append(path);
}

net::Task<void> Exchange::respond(int status, std::string_view body, std::string_view content_type,
                                  std::string_view location) {
  enter(Phase::answer);
  status_ = status;
  decide_keep_alive();
  auto& out = worker_.out();
  out.clear();
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  out.append(http::reason_phrase(status)).append("\r\n").append(worker_.server_and_date());
  const bool bodiless = status == 204 || status == 304;
  if (!bodiless) {
    if (!content_type.empty()) out.append("Content-Type: ").append(content_type).append("\r\n");
    out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  if (!location.empty()) {
    out.append("Location: ").append(location).append("\r\n");
  }
  if (!keep_alive_) {
    out.append("Connection: close\r\n");
  } else {
    append_keep_alive(*this, out);
  }
  const auto before_added = out.size();
  if (!append_added_headers(*this, status, out)) out.resize(before_added);
  out.append("\r\n");
  answer_head_size_ = out.size();
  sent_head_.assign(out);
  const bool head_only = has_request_ && request_.method == http::Method::head;
  if (!bodiless && !head_only) out.append(body);
  const Error error = co_await send_to_client(out);
  if (!error.ok()) {
    fail(error);
    keep_alive_ = false;
  }
}

net::Task<void> Exchange::respond_error(int status) {
  const std::string page = content::error_page(status);
  co_await respond(status, page, "text/html", {});
}

// The answer to a request that ended in `error`, if anything can be said any more.
net::Task<void> Exchange::respond_for(Error error) {
  const int status = status_ != 0 ? status_ : info(error.what).status;
  const bool unreachable = error.what == Errc::client_closed || status == 0 ||
                           (error.what == Errc::shutting_down && !has_request_);
  if (unreachable || bytes_sent_ > 0) {
    // As nginx logs them: 400 for half a head, 499 for a client that did not wait.
    if (status_ == 0) status_ = has_request_ ? status : 400;
    keep_alive_ = false;
    // Cut short must look cut short: what has begun as an answer ends in a reset.
    reset_ = bytes_sent_ > 0 && error.what != Errc::client_closed;
    co_return;
  }
  must_close_ = error.side() == Side::client;
  linger_ = must_close_;
  co_await respond_error(status);
}

// "/app" where only `location /app/` with proxy_pass is.
net::Task<void> Exchange::answer_slash() {
  std::string path = path_ + "/";
  if (request_.has_query) path.append("?").append(args());
  std::string to;
  append_absolute(to, path);
  if (!is_field_text(to)) {
    co_await respond_error(400);
    co_return;
  }
  const std::string page = content::error_page(301);
  co_await respond(301, page, "text/html", to);
}

net::Task<void> Exchange::answer_return() {
  const auto& config = *location_->config().return_;
  if (config.status == kCloseSilently) {
    status_ = kCloseSilently;
    keep_alive_ = false;
    co_return;
  }
  std::string text;
  evaluate(config.text, *this, text);
  if (config.redirect || (is_redirect(config.status) && !text.empty())) {
    std::string to;
    append_absolute(to, text);
    if (!is_field_text(to)) {
      co_await respond_error(400);
      co_return;
    }
    const std::string page = content::error_page(config.status);
    co_await respond(config.status, page, "text/html", to);
    co_return;
  }
  if (config.text.empty() && config.status >= 300) {
    co_await respond_error(config.status);
    co_return;
  }
  co_await respond(config.status, text, this->config().default_type, {});
}

// ---- after the answer
// --------------------------------------------------------------------------------

net::Task<void> Exchange::finish_body() {
  body_.drop();
  const auto deadline = worker_.loop().now() + config().lingering_time;
  while (!body_.complete()) {
    const auto read = body_.read(session_->client(), worker_.scratch().data(), session_->pending());
    if (!read.error.ok()) {
      keep_alive_ = false;
      co_return;
    }
    if (!read.blocked) continue;
    const net::Interest readable(session_->client().on_readable, session_->waiter());
    const auto wake = co_await session_->waiter().wait(deadline);
    if (wake != net::Wake::ready) {
      keep_alive_ = false;
      co_return;
    }
  }
}

void Exchange::finish() {
  enter(Phase::done);
  worker_.mutable_stats().active.sub();
  if (head_bytes_.empty()) return;
  count();
  write_access_logs();
}

void Exchange::count() {
  worker_.mutable_stats().requests.add();
  auto& stats = runtime().server_stats[server_->index]->of(worker_.index());
  const auto status_class = static_cast<std::size_t>(status_ / 100);
  stats.by_class[status_class < stats.by_class.size() ? status_class : 0].add();
  stats.bytes_in.add(request_length());
  stats.bytes_out.add(bytes_sent_);
  stats.duration.observe(worker_.loop().now() - began_);
  if (error_.what == Errc::client_closed) worker_.mutable_stats().client_aborts.add();
}

void Exchange::write_access_logs() {
  for (const auto& log : config().access_logs) {
    if (log.condition) {
      std::string condition;
      evaluate(*log.condition, *this, condition);
      if (condition.empty() || condition == "0") continue;
    }
    const auto& format = runtime().model->log_formats[log.format];
    auto& line = worker_.access_logs().line(log, worker_.loop().now());
    thread_local std::string value;
    for (const auto& part : format.format.parts()) {
      if (!part.is_variable) {
        line.append(part.literal);
        continue;
      }
      value.clear();
      evaluate(part.variable, *this, value);
      if (format.escape == config::LogFormat::Escape::none) {
        line.append(value);
      } else if (value.empty() && format.escape == config::LogFormat::Escape::standard) {
        line.push_back('-');
      } else {
        append_escaped(line, value, format.escape);
      }
    }
    line.push_back('\n');
  }
}

}  // namespace weir::proxy
