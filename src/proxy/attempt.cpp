#include "proxy/attempt.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "http/line_ends.h"
#include "net/socket.h"
#include "proxy/heads.h"
#include "proxy/http2_peer.h"
#include "proxy/refusal.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kJoinBody = 16 * 1024;  // bodies up to this go out with the head
constexpr std::uint32_t kMaxInformational = 16;

}  // namespace

Attempt::Attempt(Exchange& exchange, upstream::Peer& peer, std::uint32_t peer_index, bool fresh)
    : x_(exchange),
      worker_(exchange.worker_),
      proxy_(*exchange.location_->config().proxy()),
      config_(exchange.config()),
      peer_(peer),
      watch_(worker_.watches(), peer, exchange.waiter()),
      peer_index_(peer_index),
      fresh_(fresh),
      sends_body_(exchange.sends_body()),
      http2_(proxy_.http2 && !may_switch_protocols(exchange)) {}

upstream::AttemptResult Attempt::result(Error error) const {
  const auto& record = x_.attempts_.back();
  upstream::AttemptResult result;
  result.error = error;
  result.status = error.ok() ? x_.response_.status : std::uint16_t{0};
  result.request_sent = record.sent > 0;
  result.reused_connection = reused_;
  result.answer_begun = record.received > 0;
  result.client_answered = x_.answer_begun_;
  result.not_executed = http2_ && turned_away();
  return result;
}

Error Attempt::closed_error(int sys) {
  if (http2_) {
    explain_end();
    return http2_error(*connection_->http2(), sys);
  }
  if (x_.attempts_.back().received > 0) return {Errc::peer_bad_head, sys};
  if (reused_) return {Errc::peer_stale, sys};
  return {sys == 0 ? Errc::peer_closed : Errc::peer_reset, sys};
}

net::Task<Error> Attempt::run() {
  x_.enter(Phase::connect);
  if (!config_.proxy_bind.address.empty()) {
    evaluate(config_.proxy_bind.address, x_, local_);
    if (local_ == "off") local_.clear();
  }
  key_ = local_;
  name_client();
  if (x_.peer_tls_) name_peer();
  if (http2_) key_.append("\nh2");
  if (!lease()) {
    const Error error = co_await connect();
    if (!error.ok()) co_return error;
  }
  io_ = http2_ ? &connection_->http2()->begin_request(proxy_.response_head_limit, proxy_.grpc)
               : connection_.get();
  x_.enter(Phase::send);
  const Error error = send_head();
  if (!error.ok()) co_return error;
  co_return co_await read_head();
}

// ---- the request
// -----------------------------------------------------------------------------------

Error Attempt::send_head() {
  auto& out = worker_.out();
  out.clear();
  const bool keep = x_.pool_->keepalive.connections > 0;
  const auto written = write_request_head(x_, x_.outgoing_body(), keep, out);
  if (!written.ok) return {Errc::client_bad_request, 0};
  asks_upgrade_ = written.asks_upgrade;
  out.append(x_.set_body_);
  if (sends_body_) {
    x_.body_.rewind();
    if (const auto bytes = x_.body_.in_memory(); bytes.size() <= kJoinBody) {
      out.append(bytes);
      x_.body_.consume(bytes.size());
    }
  }
  const auto sent = io_->write(out);
  if (sent.status == net::IoResult::Status::error) {
    send_failed_ = true;
    return reused_ ? closed_error(sent.error) : Error{};
  }
  x_.attempts_.back().sent += sent.size;
  if (sent.size < out.size()) tail_.assign(out, sent.size);
  return {};
}

Attempt::Push Attempt::push() {
  Push result;
  auto& record = x_.attempts_.back();
  while (!request_done_ && !send_failed_) {
    if (tail_sent_ < tail_.size()) {
      const auto sent = io_->write(std::string_view(tail_).substr(tail_sent_));
      send_failed_ = sent.status == net::IoResult::Status::error;
      record.sent += sent.size;
      tail_sent_ += sent.size;
      result.wants_peer = tail_sent_ < tail_.size();
      if (send_failed_ || result.wants_peer) break;
    }
    if (!sends_body_) {
      request_done_ = true;
      break;
    }
    if (!x_.body_.drained()) {
      const auto sent = x_.body_.write(*io_, worker_.scratch().data());
      send_failed_ = sent.status == net::IoResult::Status::error;
      record.sent += sent.size;
      result.wants_peer = sent.blocked();
      if (send_failed_ || result.wants_peer) break;
    }
    if (x_.body_.complete()) {
      request_done_ = true;
      break;
    }
    if (!x_.client().readable()) {
      result.wants_client = true;
      break;
    }
    const auto read = x_.body_.read(x_.client(), worker_.scratch().data(), x_.session_->pending());
    if (!read.error.ok()) {
      result.error = read.error;
      break;
    }
    result.wants_client = read.blocked;
    if (read.blocked) break;
  }
  result.done = request_done_ || send_failed_;
  return result;
}

// ---- the answer's head
// ---------------------------------------------------------------------------

// What frames the answer: HEAD has no body.
http::Method Attempt::upstream_method() const {
  if (config_.proxy_method.empty()) return x_.method_;
  std::string text;
  evaluate(config_.proxy_method, x_, text);
  return text.empty() ? x_.method_ : text == "HEAD" ? http::Method::head : http::Method::get;
}

net::Task<Error> Attempt::read_head() {
  auto& loop = worker_.loop();
  auto& waiter = x_.waiter();
  auto& client = x_.client();
  const auto began = loop.now();
  auto last_sent = x_.attempts_.back().sent;
  auto progress = began;
  for (;;) {
    const Push pushed = push();
    if (!pushed.error.ok()) co_return pushed.error;
    if (x_.attempts_.back().sent != last_sent) {
      last_sent = x_.attempts_.back().sent;
      progress = loop.now();
    }
    if (io_->readable() || send_failed_) {
      // After a failed send there may still be an answer that tells why.
      // With proxy_limit_rate no more of the body comes with the head than its buffer holds.
      const auto most = config_.proxy_limit_rate.empty()
                            ? net::Scratch::kSize
                            : std::min<std::size_t>(config_.proxy_buffer_size, net::Scratch::kSize);
      const auto got = io_->read(worker_.scratch().data(), most);
      if (got.ok()) {
        progress = loop.now();
        bool complete = false;
        const Error error = take_bytes(got.size, complete);
        if (!error.ok() || complete) co_return error;
        continue;
      }
      if (!got.blocked() || send_failed_) co_return closed_error(got.error);
    }
    if (x_.client_left()) co_return Error{Errc::client_closed, 0};
    if (watch_.gone()) co_return Error{Errc::peer_gone, 0};
    if (pushed.wants_client && !x_.continue_sent_) {
      const Error error = co_await x_.send_continue();
      if (!error.ok()) co_return error;
    }
    if (pushed.wants_client && x_.body_too_slow()) co_return Error{Errc::client_timed_out, 0};
    auto limit = config_.proxy_read_timeout;
    if (pushed.wants_client) limit = config_.client_body_timeout;
    if (pushed.wants_peer) limit = config_.proxy_send_timeout;
    const net::Interest readable(io_->on_readable, waiter);
    const net::Interest hang_up(x_.client_slot(), waiter);
    net::Waiter* none = nullptr;
    const net::Interest room(pushed.wants_peer ? io_->on_writable : none, waiter);
    net::Waiter* none2 = nullptr;
    const net::Interest bytes(pushed.wants_client ? client.on_readable : none2, waiter);
    const auto wait_began = loop.now();
    const auto wake = co_await waiter.wait(progress + limit);
    if (pushed.wants_client) x_.body_waited_ += loop.now() - wait_began;
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) {
      if (pushed.wants_client) co_return Error{Errc::client_timed_out, 0};
      co_return Error{pushed.wants_peer ? Errc::peer_send_timed_out : Errc::peer_read_timed_out, 0};
    }
    if (pushed.wants_client && client.readable()) progress = loop.now();
  }
}

net::Task<void> Attempt::read_ahead(std::size_t most, std::string& out) {
  // Longer than this nobody waits for the end of so short a text.
  constexpr Duration kPatience{2000};
  const auto first = body_.bytes();
  out.assign(first.data(), first.size());
  const auto deadline = worker_.loop().now() + kPatience;
  // Only its end would tell that such a body is whole, and whether it is.
  const bool endless = x_.response_.framing.kind == http::Framing::Kind::until_close;
  while (!endless && out.size() < most && !is_whole(x_.response_.framing, out)) {
    const auto got = io_->read(worker_.scratch().data(), most - out.size());
    if (got.ok()) {
      x_.attempts_.back().received += got.size;
      out.append(worker_.scratch().data(), got.size);
      continue;
    }
    if (!got.blocked() || x_.client_left()) break;
    const net::Interest readable(io_->on_readable, x_.waiter());
    const net::Interest hang_up(x_.client_slot(), x_.waiter());
    const auto wake = co_await x_.waiter().wait(deadline);
    if (wake != net::Wake::ready) break;
  }
  put_back(out);
}

void Attempt::put_back(std::string_view bytes) {
  char* to = worker_.scratch().data();
  std::memcpy(to, bytes.data(), bytes.size());
  body_ = net::Borrowed(worker_.loop(), {to, bytes.size()});
}

Error Attempt::take_bytes(std::size_t size, bool& complete) {
  x_.attempts_.back().received += size;
  char* scratch = worker_.scratch().data();
  auto& kept = x_.response_bytes_;
  bool in_scratch = kept.empty();
  if (!in_scratch) kept.append(scratch, size);
  http::Limits limits;
  limits.head = limits.line = proxy_.response_head_limit;
  limits.fields = 1000;
  for (;;) {
    const std::string_view bytes =
        in_scratch ? std::string_view(scratch, size) : std::string_view(kept);
    const auto parsed =
        http::parse_response(bytes, limits, parse_state_, upstream_method(), x_.response_);
    if (parsed.status == http::ParseStatus::error) {
      if (!config_.bare_line_feeds) return {Errc::peer_bad_head, 0};
      if (in_scratch) kept.assign(bytes);
      in_scratch = false;
      const auto ends = http::mend_line_ends(kept, limits.head);
      if (ends == http::LineEnds::good) return {Errc::peer_bad_head, 0};
      parse_state_ = {};
      continue;
    }
    if (parsed.status == http::ParseStatus::need_more) {
      if (in_scratch) kept.assign(bytes);
      return {};
    }
    const auto rest = bytes.substr(x_.response_.size);
    const auto status = x_.response_.status;
    if (status >= 100 && status < 200 && status != 101) {
      if (const Error error = informational(); !error.ok()) return error;
      kept.assign(std::string(rest));
      parse_state_ = {};
      in_scratch = false;
      if (kept.empty()) return {};
      continue;
    }
    char* body = scratch + x_.response_.size;
    if (!in_scratch) {
      std::memcpy(scratch, rest.data(), rest.size());
      body = scratch;
    }
    body_ = net::Borrowed(worker_.loop(), {body, rest.size()});
    if (in_scratch) {
      kept.assign(scratch, x_.response_.size);
    } else {
      kept.resize(x_.response_.size);
    }
    x_.response_.base = kept.data();
    x_.has_response_ = true;
    complete = true;
    return {};
  }
}

// 100 answers the proxy's own Expect, which it never sends; the others are hints for the client.
Error Attempt::informational() {
  if (++informational_ > kMaxInformational) return {Errc::peer_bad_head, 0};
  if (x_.response_.status != 103 || !x_.is_main() || x_.request_.version == 10 || !wants_hints()) {
    return {};
  }
  // Fields of a hop do not pass, as with any answer.
  std::string hint;
  if (!write_hint_head(x_, hint)) return {};
  // One that the client has no room for is dropped whole; part of one cannot be.
  const auto sent = x_.client().write(hint);
  if (sent.ok() && sent.size < hint.size()) return {Errc::client_write_stalled, 0};
  return {};
}

// nginx's `early_hints`: all of its texts are true.
bool Attempt::wants_hints() const {
  std::string text;
  for (const auto& condition : config_.early_hints) {
    text.clear();
    evaluate(condition, x_, text);
    if (!is_true(text)) return false;
  }
  return !config_.early_hints.empty();
}

}  // namespace weir::proxy
