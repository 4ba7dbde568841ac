#include "proxy/response_relay.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weir::proxy {
namespace {

using Kind = http::Framing::Kind;

// A client that does not keep up gets smaller reads, so that little is held for it.
constexpr std::size_t kMinRead = 16 * 1024;
// Bytes sent that may stay in front of those held back.
constexpr std::size_t kCompact = 64 * 1024;
constexpr std::size_t kChunkPrefix = 18;  // 16 hex digits and CRLF

}  // namespace

Delivery choose_delivery(const http::RequestHead& request, const http::ResponseHead& response) {
  const bool old = request.version == 10;
  switch (response.framing.kind) {
    case Kind::none:
      return Delivery::none;
    case Kind::counted:
      return Delivery::as_is;
    case Kind::chunked:
      return old ? Delivery::unchunk : Delivery::as_is;
    case Kind::until_close:
      return old ? Delivery::until_close : Delivery::chunk;
  }
  return Delivery::none;
}

ResponseRelay::ResponseRelay(Exchange& exchange, Attempt& attempt)
    : x_(exchange),
      attempt_(attempt),
      worker_(exchange.worker_),
      proxy_(*exchange.location_->config().proxy),
      delivery_(choose_delivery(exchange.request_, exchange.response_)),
      remaining_(exchange.response_.framing.length) {
  finished_ = delivery_ == Delivery::none ||
              (exchange.response_.framing.kind == Kind::counted && remaining_ == 0);
}

// ---- bytes
// -----------------------------------------------------------------------------------------

Error ResponseRelay::transform(char* data, std::size_t size, Piece& piece) {
  piece = {data, 0};
  x_.attempts_.back().body += size;
  if (finished_) {
    excess_ = excess_ || size > 0;
    return {};
  }
  switch (x_.response_.framing.kind) {
    case Kind::counted:
      piece.size = static_cast<std::size_t>(std::min<std::uint64_t>(size, remaining_));
      remaining_ -= piece.size;
      finished_ = remaining_ == 0;
      excess_ = piece.size < size;
      return {};
    case Kind::until_close:
      piece.size = size;
      if (delivery_ != Delivery::chunk || size == 0) return {};
      {
        char digits[16];
        const auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
        const auto length = static_cast<std::size_t>(end - digits);
        std::memcpy(data + size, "\r\n", 2);
        std::memcpy(data - 2, "\r\n", 2);
        std::memcpy(data - 2 - length, digits, length);
        piece = {data - 2 - length, length + 2 + size + 2};
      }
      return {};
    case Kind::chunked:
      if (delivery_ == Delivery::unchunk) return unchunk(data, size, piece);
      {
        const auto step = decoder_.skim({data, size});
        if (step.status == http::ChunkedDecoder::Status::error) return {Errc::peer_bad_body, 0};
        piece.size = step.consumed;
        finished_ = step.status == http::ChunkedDecoder::Status::done;
        excess_ = finished_ && step.consumed < size;
      }
      return {};
    case Kind::none:
      return {};
  }
  return {};
}

Error ResponseRelay::unchunk(char* data, std::size_t size, Piece& piece) {
  std::size_t at = 0;
  while (at < size) {
    const auto step = decoder_.next({data + at, size - at});
    if (step.status == http::ChunkedDecoder::Status::error) return {Errc::peer_bad_body, 0};
    if (!step.data.empty()) {
      std::memmove(data + piece.size, step.data.data(), step.data.size());
      piece.size += step.data.size();
    }
    at += step.consumed;
    if (step.status == http::ChunkedDecoder::Status::done) {
      finished_ = true;
      excess_ = at < size;
      break;
    }
    if (step.status == http::ChunkedDecoder::Status::more) break;
  }
  return {};
}

Error ResponseRelay::ended_by_peer(int sys) {
  if (x_.response_.framing.kind != Kind::until_close || sys != 0) {
    return {Errc::peer_truncated, sys};
  }
  finished_ = true;
  if (delivery_ == Delivery::chunk) write("0\r\n\r\n");
  return {};
}

// Hands bytes to the client, or keeps what it does not take.
void ResponseRelay::write(std::string_view bytes) {
  if (!error_.ok() || bytes.empty()) return;
  std::size_t sent = 0;
  if (held() == 0) {
    const auto result = x_.session_->client().write(bytes);
    if (result.status == net::IoResult::Status::error) {
      error_ = {Errc::client_closed, result.error};
      return;
    }
    sent = result.size;
    x_.bytes_sent_ += sent;
    moved_ = true;
    if (sent == bytes.size()) {
      read_size_ = std::min(read_size_ * 2, net::Scratch::kSize);
      return;
    }
    tail_.clear();
    tail_sent_ = 0;
  }
  tail_.append(bytes.substr(sent));
  read_size_ = std::max(read_size_ / 2, kMinRead);
}

Error ResponseRelay::flush() {
  if (held() == 0 || !x_.session_->client().writable()) return {};
  const auto result = x_.session_->client().write(std::string_view(tail_).substr(tail_sent_));
  if (result.status == net::IoResult::Status::error) return {Errc::client_closed, result.error};
  tail_sent_ += result.size;
  x_.bytes_sent_ += result.size;
  moved_ = moved_ || result.size > 0;
  if (held() == 0) {
    tail_.clear();
    tail_sent_ = 0;
  } else if (tail_sent_ >= kCompact) {
    tail_.erase(0, tail_sent_);
    tail_sent_ = 0;
  }
  return {};
}

// ---- the course of it
// -------------------------------------------------------------------------------

Error ResponseRelay::begin() {
  const auto body = attempt_.body();
  Piece piece;
  if (const Error error = transform(body.data(), body.size(), piece); !error.ok()) return error;
  auto& head = worker_.out();
  head.clear();
  if (delivery_ == Delivery::unchunk || delivery_ == Delivery::until_close) x_.keep_alive_ = false;
  x_.status_ = x_.response_.status;  // $status in add_header
  const auto written = write_response_head(x_, delivery_, x_.keep_alive_, head);
  if (written != HeadResult::ok) {
    x_.status_ = 0;
    return to_error(written);
  }
  x_.answer_head_size_ = head.size();
  x_.sent_head_.assign(head);
  if (piece.size == 0) {
    write(head);
  } else if (head.size() + kChunkPrefix <= net::Scratch::kHeadroom) {
    // The room before the body's bytes takes the new head: one write, and no copy of the body.
    std::memcpy(piece.data - head.size(), head.data(), head.size());
    write({piece.data - head.size(), head.size() + piece.size});
  } else {
    write(head);
    write(piece.view());
  }
  return error_;
}

bool ResponseRelay::wants_more() const {
  if (finished_) return false;
  return held() == 0 || (proxy_.buffering && held() < x_.runtime().model->response_buffer_limit);
}

Error ResponseRelay::read() {
  char* scratch = worker_.scratch().data();
  const auto got = attempt_.connection().read(scratch, read_size_);
  if (got.blocked()) return {};
  moved_ = true;
  if (!got.ok()) return ended_by_peer(got.error);
  x_.attempts_.back().received += got.size;
  Piece piece;
  const Error error = transform(scratch, got.size, piece);
  if (error.ok()) write(piece.view());
  return error;
}

net::Task<Error> ResponseRelay::run() {
  Error error = begin();
  auto& loop = worker_.loop();
  auto& waiter = x_.session_->waiter();
  auto& client = x_.session_->client();
  auto& peer = attempt_.connection();
  auto progress = loop.now();
  for (;;) {
    if (error.ok()) error = flush();
    if (error.ok() && wants_more() && peer.readable()) error = read();
    if (error.ok()) error = error_;
    if (!error.ok()) co_return error;
    if (finished_ && held() == 0) co_return Error{};
    if (wants_more() && peer.readable()) continue;
    if (held() > 0 && client.writable()) continue;
    if (x_.client_gone()) co_return Error{Errc::client_closed, 0};

    // The request's body may still be on its way.
    const auto pushed = attempt_.push();
    if (!pushed.error.ok()) co_return pushed.error;
    if (std::exchange(moved_, false)) progress = loop.now();
    const auto limit = held() > 0 ? x_.config().send_timeout : proxy_.read_timeout;
    net::Waiter* none[4] = {};
    const net::Interest readable(wants_more() ? peer.on_readable : none[0], waiter);
    const net::Interest room(held() > 0 ? client.on_writable : none[1], waiter);
    const net::Interest hang_up(client.on_hang_up, waiter);
    const net::Interest peer_room(pushed.wants_peer ? peer.on_writable : none[2], waiter);
    const net::Interest bytes(pushed.wants_client ? client.on_readable : none[3], waiter);
    const auto wake = co_await waiter.wait(progress + limit);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake == net::Wake::timeout) {
      co_return Error{held() > 0 ? Errc::client_write_stalled : Errc::peer_body_timed_out, 0};
    }
  }
}

}  // namespace weir::proxy
