#include "proxy/response_relay.h"

#include <algorithm>
#include <cstring>

#include "proxy/stored_file.h"

namespace weir::proxy {
namespace {

using Kind = http::Framing::Kind;

// A client that does not keep up gets smaller reads, so that little is held for it.
constexpr std::size_t kMinRead = 16 * 1024;
// Of a body that nobody wants, what is read to keep the peer's connection.
constexpr std::uint64_t kMaxDropped = 64 * 1024;
// What is waited for more of a body when checks say that nobody answers at the peer any more.
constexpr Duration kGoneLimit{1000};

}  // namespace

ResponseRelay::ResponseRelay(Exchange& exchange, Attempt& attempt, const Options& options)
    : x_(exchange),
      attempt_(attempt),
      worker_(exchange.worker_),
      config_(exchange.config()),
      options_(options),
      framing_(exchange.response_.framing),
      remaining_(framing_.length),
      began_(worker_.loop().now()) {
  finished_ = framing_.kind == Kind::none || (framing_.kind == Kind::counted && remaining_ == 0);
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
  switch (framing_.kind) {
    case Kind::counted:
      piece.size = static_cast<std::size_t>(std::min<std::uint64_t>(size, remaining_));
      remaining_ -= piece.size;
      finished_ = remaining_ == 0;
      excess_ = piece.size < size;
      return {};
    case Kind::until_close:
      piece.size = size;
      return {};
    case Kind::chunked:
      return options_.raw ? skim(data, size, piece) : unchunk(data, size, piece);
    case Kind::none:
      return {};
  }
  return {};
}

// The chunks pass as they are, but for trailers that the client is not to have.
Error ResponseRelay::skim(char* data, std::size_t size, Piece& piece) {
  const auto before = decoder_.trailer_bytes();
  const auto step = decoder_.skim({data, size});
  if (step.status == http::ChunkedDecoder::Status::error) return {Errc::peer_bad_body, 0};
  piece.size = step.consumed;
  finished_ = step.status == http::ChunkedDecoder::Status::done;
  excess_ = finished_ && step.consumed < size;
  if (decoder_.trailer_bytes() == before) return {};
  const auto at = take_trailers(data, step.consumed, before);
  if (options_.keep_trailers) return {};
  const auto end = decoder_.end_bytes();
  std::memmove(data + at, data + step.consumed - end, end);
  piece.size = at + end;
  return {};
}

// Notes the trailer lines that a step has taken; `end` is where it stopped. Where they begin.
std::size_t ResponseRelay::take_trailers(const char* data, std::size_t end, std::uint32_t before) {
  const auto size = decoder_.trailer_bytes() - before;
  const auto at = end - decoder_.end_bytes() - size;
  trailers_.append(data + at, size);
  return at;
}

Error ResponseRelay::unchunk(char* data, std::size_t size, Piece& piece) {
  std::size_t at = 0;
  while (at < size) {
    const auto before = decoder_.trailer_bytes();
    const auto step = decoder_.next({data + at, size - at});
    if (step.status == http::ChunkedDecoder::Status::error) return {Errc::peer_bad_body, 0};
    if (!step.data.empty()) {
      std::memmove(data + piece.size, step.data.data(), step.data.size());
      piece.size += step.data.size();
    }
    at += step.consumed;
    if (decoder_.trailer_bytes() != before) take_trailers(data, at, before);
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
  if (framing_.kind != Kind::until_close || sys != 0) {
    attempt_.explain_end();
    return {Errc::peer_truncated, sys};
  }
  finished_ = true;
  send({worker_.scratch().data(), 0});
  return {};
}

// A piece of the peer's body on its way to the client.
void ResponseRelay::send(Piece piece) {
  auto* sender = options_.sender;
  if (sender == nullptr) return;
  const bool last = finished_ && options_.ends;
  if (options_.filters == nullptr) {
    if (piece.size > 0 || last) {
      sender->write(piece.data, piece.size, net::Scratch::kHeadroom, last);
    }
  } else {
    filtered_.assign(Sender::kFrameRoom, '\0');
    const bool flush = sender->options().flush;
    if (!options_.filters->write({piece.data, piece.size}, flush, finished_, filtered_)) {
      filter_error_ = {Errc::peer_bad_body, 0};
      return;
    }
    const auto size = filtered_.size() - Sender::kFrameRoom;
    filtered_.append(Sender::kTailRoom, '\0');
    if (size > 0 || last) {
      sender->write(filtered_.data() + Sender::kFrameRoom, size, Sender::kFrameRoom, last);
    }
  }
  read_size_ = sender->lagging() ? std::max(read_size_ / 2, kMinRead)
                                 : std::min(read_size_ * 2, net::Scratch::kSize);
}

Error ResponseRelay::take(char* data, std::size_t size) {
  Piece piece;
  const Error error = transform(data, size, piece);
  taken_ += size;
  if (options_.store != nullptr) options_.store->write({piece.data, piece.size});
  if (error.ok()) send(piece);
  return error;
}

// ---- the course of it
// -------------------------------------------------------------------------------

bool ResponseRelay::wants_more() const {
  if (finished_) return false;
  if (options_.sender == nullptr) return true;
  return options_.buffering ? options_.sender->room() : options_.sender->drained();
}

// proxy_limit_rate, counted as `limit_rate` is.
bool ResponseRelay::peer_paused() {
  if (options_.rate == 0) return false;
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  const auto now = worker_.loop().now();
  const auto elapsed = static_cast<std::uint64_t>(duration_cast<seconds>(now - began_).count());
  const auto budget = options_.rate * (elapsed + 1);
  if (taken_ < budget) {
    read_size_ =
        static_cast<std::size_t>(std::min<std::uint64_t>(budget - taken_, net::Scratch::kSize));
    return false;
  }
  const auto wait = (taken_ - budget) * 1000 / options_.rate + 1;
  peer_paused_until_ = now + Duration{static_cast<std::int64_t>(wait)};
  return true;
}

Error ResponseRelay::read() {
  char* scratch = worker_.scratch().data();
  const auto got = attempt_.connection().read(scratch, read_size_);
  if (got.blocked()) return {};
  moved_ = true;
  if (!got.ok()) return ended_by_peer(got.error);
  x_.attempts_.back().received += got.size;
  return take(scratch, got.size);
}

// A body that is stored is read to its end, whoever asked for it.
bool ResponseRelay::goes_on_without(Error error) {
  if (options_.store == nullptr || error.side() != Side::client || finished_) return false;
  client_lost_ = error;
  options_.sender = nullptr;
  return true;
}

net::Task<Error> ResponseRelay::run() {
  const auto first = attempt_.body();
  Error error = take(first.data(), first.size());
  auto& loop = worker_.loop();
  auto& waiter = x_.waiter();
  auto& client = x_.client();
  auto& peer = attempt_.connection();
  Sender* sender = options_.sender;
  auto progress = loop.now();
  for (;;) {
    if (error.ok() && sender != nullptr) error = sender->flush();
    bool paused = peer_paused();
    if (error.ok() && wants_more() && peer.readable() && !paused) error = read();
    if (error.ok() && sender != nullptr) error = sender->error();
    if (error.ok()) error = filter_error_;
    if (!error.ok()) {
      if (!goes_on_without(error)) co_return error;
      sender = nullptr;
      error = {};
    }
    if (finished_ && (sender == nullptr || sender->drained())) co_return client_lost_;
    if (sender == nullptr && taken_ > kMaxDropped && client_lost_.ok()) co_return Error{};
    paused = peer_paused();
    if (wants_more() && peer.readable() && !paused) continue;
    if (sender != nullptr && sender->can_flush()) continue;
    if (client_lost_.ok() && x_.client_left()) {
      if (!goes_on_without({Errc::client_closed, 0})) co_return Error{Errc::client_closed, 0};
      sender = nullptr;
    }

    // The request's body may still be on its way.
    const auto pushed = attempt_.push();
    if (!pushed.error.ok()) co_return pushed.error;
    const auto sent = x_.attempts_.back().sent;
    const bool more_sent = std::exchange(sent_, sent) != sent;
    if (std::exchange(moved_, false) || more_sent || (sender != nullptr && sender->moved())) {
      progress = loop.now();
    }
    const bool held = sender != nullptr && !sender->drained();
    auto limit = held ? config_.send_timeout : config_.proxy_read_timeout;
    if (!held && attempt_.watch().gone()) limit = std::min(limit, kGoneLimit);
    const auto deadline = progress + limit;
    const bool slowed = held && sender->paused_until() > loop.now();
    auto until = slowed ? sender->paused_until() : deadline;
    if (paused) until = std::min(until, peer_paused_until_);
    if (held && options_.buffering && !finished_ && !wants_more()) {
      until = std::min(until, sender->room_at());
    }
    net::Waiter* none[4] = {};
    const net::Interest readable(wants_more() && !paused ? peer.on_readable : none[0], waiter);
    const net::Interest room(held && !slowed ? client.on_writable : none[1], waiter);
    const net::Interest hang_up(x_.client_slot(), waiter);
    const net::Interest peer_room(pushed.wants_peer ? peer.on_writable : none[2], waiter);
    const net::Interest bytes(pushed.wants_client ? client.on_readable : none[3], waiter);
    const auto wake = co_await waiter.wait(until);
    if (wake == net::Wake::cancelled) co_return Error{Errc::shutting_down, 0};
    if (wake != net::Wake::timeout || slowed || paused || loop.now() < deadline) continue;
    if (!held) co_return Error{Errc::peer_body_timed_out, 0};
    if (!goes_on_without({Errc::client_write_stalled, 0})) {
      co_return Error{Errc::client_write_stalled, 0};
    }
    sender = nullptr;
    progress = loop.now();
  }
}

}  // namespace weir::proxy
