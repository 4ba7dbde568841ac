#include "proxy/http2_stream.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "http/http2_request.h"
#include "proxy/exchange.h"
#include "proxy/http2_connection.h"
#include "proxy/worker.h"

namespace weir::proxy {
namespace {

using Status = net::IoResult::Status;

// What a chunk has around its bytes: its size, and the line ends.
constexpr std::size_t kChunkRoom = 24;
// A read that took all leaves no more than this behind for the next one.
constexpr std::size_t kKeptCapacity = 16 * 1024;
// The window of a body that is being read, where the client was given less at first.
constexpr std::int32_t kReadWindow = 64 * 1024;
// Events that a client is charged with for an answer it did not take.
constexpr std::uint32_t kStallCost = 8;

constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::uint8_t* bytes_of(std::string_view text) {
  // nghttp2 copies; it has no pointers to const.
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

// For the calls of nghttp2; one is made at a time.
const std::vector<nghttp2_nv>& name_values(const http::Http2Answer& answer) {
  static thread_local std::vector<nghttp2_nv> made;
  made.clear();
  for (const auto& field : answer.fields()) {
    made.push_back({bytes_of(field.name), bytes_of(field.value), field.name.size(),
                    field.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return made;
}

ssize_t give_piece(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t size,
                   std::uint32_t* flags, nghttp2_data_source*, void*) {
  // One whose exchange has ended in the middle of its answer is gone.
  const auto* known = nghttp2_session_get_stream_user_data(session, id);
  if (known == nullptr) return NGHTTP2_ERR_DEFERRED;
  auto& stream = *static_cast<Http2Stream*>(const_cast<void*>(known));
  const auto piece = stream.offer(size);
  if (piece.nothing) return NGHTTP2_ERR_DEFERRED;
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (piece.end) *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (piece.trailers) {
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const auto& fields = name_values(stream.connection().answer());
    nghttp2_submit_trailer(session, id, fields.data(), fields.size());
  }
  return static_cast<ssize_t>(piece.size);
}

}  // namespace

Http2Stream::Http2Stream(Http2Connection& connection, std::int32_t id)
    : connection_(connection),
      id_(id),
      session_(*this, connection.session()),
      began_(connection.worker().loop().now()) {
  session_.client().open_layer(*this);
}

Http2Stream::~Http2Stream() = default;

void Http2Stream::start(Http2Stream& stream) { net::spawn(stream.run()); }

net::Task<void> Http2Stream::run() {
  auto& worker = connection_.worker();
  Exchange* exchange = worker.take_exchange();
  const auto after = co_await exchange->run(session_);
  worker.give_exchange(exchange);
  end(after);
  connection_.ended(*this, after.idle_timeout);
  delete this;
}

// What the exchange has left undone is told to the client.
void Http2Stream::end(const Session::Afterwards& after) {
  if (after.stalled) connection_.note(http::Nuisance::stall, kStallCost);
  // What is not a frame yet would be dropped with the stream.
  if (ended_out_ && !ended_in_) connection_.push_all();
  if (!open_) return;
  auto* native = connection_.native();
  nghttp2_session_set_stream_user_data(native, id_, nullptr);
  if (!ended_out_) {
    nghttp2_submit_rst_stream(native, NGHTTP2_FLAG_NONE, id_, NGHTTP2_INTERNAL_ERROR);
  } else if (!ended_in_) {
    // The answer is complete: the rest of the request is not asked for (RFC 9113 section 8.1).
    nghttp2_submit_rst_stream(native, NGHTTP2_FLAG_NONE, id_, NGHTTP2_NO_ERROR);
  }
  connection_.flush_later();
}

std::string_view Http2Stream::protocol() const { return session_.secure() ? "h2" : "h2c"; }

std::uint32_t Http2Stream::written_fields() const {
  switch (body_) {
    case Body::chunked:
      return 2;
    case Body::tunnel:
      return 4;
    default:
      return 1;
  }
}

// ---- from the client
// -------------------------------------------------------------------------------

void Http2Stream::receive(std::string_view bytes) {
  if (in_read_ == in_.size()) {
    in_.clear();
    in_read_ = 0;
  }
  in_.append(bytes);
  // Only its own window stays shut until they are read: a stream that is stuck stops no other.
  nghttp2_session_consume_connection(connection_.native(), bytes.size());
  session_.client().tell({.readable = true});
}

void Http2Stream::receive_trailer(std::string_view name, std::string_view value) {
  http::Http2Request::append_trailer(name, value, trailers_in_);
}

void Http2Stream::receive_end() {
  ended_in_ = true;
  if (body_ == Body::chunked) {
    last_chunk_.append("0\r\n").append(trailers_in_).append("\r\n");
    std::string().swap(trailers_in_);
  }
  if (unread()) session_.client().tell({.readable = true});
}

void Http2Stream::close() {
  open_ = false;
  if (ended_in_ && ended_out_) return;
  broken_ = true;
  session_.client().tell({.gone = true});
}

bool Http2Stream::unread() const {
  if (in_read_ < in_.size()) return true;
  return ended_in_ && !end_given_ && (body_ == Body::chunked || body_ == Body::tunnel);
}

std::size_t Http2Stream::read_chunk(char* to, std::size_t size) {
  const auto have = std::min(in_.size() - in_read_, size - std::min(size, kChunkRoom));
  char* at = to;
  if (have > 0) {
    at = std::to_chars(at, at + kChunkRoom, have, 16).ptr;
    std::memcpy(at, "\r\n", 2);
    std::memcpy(at + 2, in_.data() + in_read_, have);
    std::memcpy(at + 2 + have, "\r\n", 2);
    at += have + 4;
    in_read_ += have;
  }
  if (in_read_ == in_.size() && ended_in_ && !end_given_) {
    const auto room = size - static_cast<std::size_t>(at - to);
    const auto piece = std::string_view(last_chunk_).substr(last_chunk_given_, room);
    at = std::copy(piece.begin(), piece.end(), at);
    last_chunk_given_ += piece.size();
    end_given_ = last_chunk_given_ == last_chunk_.size();
  }
  return static_cast<std::size_t>(at - to);
}

net::IoResult Http2Stream::read(char* to, std::size_t size) {
  if (broken_) return failed();
  const auto before = in_read_;
  std::size_t got = 0;
  if (body_ == Body::chunked) {
    got = read_chunk(to, size);
  } else {
    got = std::min(in_.size() - in_read_, size);
    std::memcpy(to, in_.data() + in_read_, got);
    in_read_ += got;
  }
  if (const auto taken = in_read_ - before; taken > 0) {
    nghttp2_session_consume_stream(connection_.native(), id_, taken);
    connection_.flush_later();
  }
  if (in_read_ == in_.size()) {
    in_.clear();
    if (in_.capacity() > kKeptCapacity) std::string().swap(in_);
    in_read_ = 0;
  }
  if (!unread()) session_.client().nothing_to_read();
  if (got > 0) return {Status::ok, 0, got};
  if (body_ == Body::tunnel && ended_in_) {
    end_given_ = true;
    return {Status::eof, 0, 0};
  }
  if (!std::exchange(window_opened_, true) && open_ && !ended_in_ &&
      nghttp2_session_get_stream_effective_local_window_size(connection_.native(), id_) <
          kReadWindow) {
    nghttp2_session_set_local_window_size(connection_.native(), NGHTTP2_FLAG_NONE, id_,
                                          kReadWindow);
    connection_.flush_later();
  }
  return {Status::blocked, 0, 0};
}

net::IoResult Http2Stream::peek() {
  if (broken_) return failed();
  return {unread() ? Status::ok : Status::blocked, 0, unread() ? std::size_t{1} : 0};
}

net::IoResult Http2Stream::failed() const { return {Status::error, ECONNRESET, 0}; }

// ---- to the client
// ---------------------------------------------------------------------------------

void Http2Stream::send_head(std::string_view head, bool body) {
  if (!open_) return;
  auto* native = connection_.native();
  auto& answer = connection_.answer();
  answer.read(head, body_ == Body::tunnel);
  const auto& fields = name_values(answer);
  connection_.flush_later();
  if (answer.status() < 200) {
    nghttp2_submit_headers(native, NGHTTP2_FLAG_NONE, id_, nullptr, fields.data(), fields.size(),
                           nullptr);
    return;
  }
  head_sent_ = true;
  left_ = answer.length();
  has_body_ = body && left_ != 0;
  ended_out_ = !has_body_;
  nghttp2_data_provider provider{};
  provider.source.ptr = this;
  provider.read_callback = give_piece;
  nghttp2_submit_response(native, id_, fields.data(), fields.size(),
                          has_body_ ? &provider : nullptr);
}

Http2Stream::Piece Http2Stream::offer(std::size_t size) {
  Piece piece;
  piece.size = std::min({size, source_.size(), most_in_frame_});
  if (left_) piece.size = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size, *left_));
  const bool all = piece.size == source_.size();
  piece.end = (all && (last_ || end_wanted_)) || (left_ && *left_ == piece.size);
  piece.nothing = piece.size == 0 && !piece.end;
  if (piece.end) {
    ended_out_ = true;
    piece.trailers = !trailers_out_.empty();
    if (piece.trailers) connection_.answer().read_trailers(trailers_out_);
  }
  if (piece.nothing || piece.end) session_.client().tell({.writable = true});
  return piece;
}

std::string_view Http2Stream::take(std::size_t size) {
  const auto piece = source_.substr(0, size);
  source_.remove_prefix(piece.size());
  if (left_) *left_ -= piece.size();
  return piece;
}

net::IoResult Http2Stream::send(std::string_view bytes, bool last) {
  // Beyond the length that was announced, nothing can follow.
  if (ended_out_) return {Status::ok, 0, bytes.size()};
  if (!open_ || broken_) return failed();
  source_ = bytes;
  last_ = last;
  nghttp2_session_resume_data(connection_.native(), id_);
  connection_.push();
  last_ = false;
  const auto taken = bytes.size() - std::exchange(source_, {}).size();
  if (ended_out_) return {Status::ok, 0, bytes.size()};
  if (broken_) return failed();
  if (taken < bytes.size()) session_.client().no_room();
  if (taken == 0 && !bytes.empty()) return {Status::blocked, 0, 0};
  return {Status::ok, 0, taken};
}

bool Http2Stream::finish(std::string_view trailers) {
  if (ended_out_ || broken_ || !head_sent_) return true;
  if (!std::exchange(end_wanted_, true)) {
    connection_.answer().read_trailers(trailers);
    if (!connection_.answer().fields().empty()) trailers_out_.assign(trailers);
  }
  nghttp2_session_resume_data(connection_.native(), id_);
  connection_.push();
  if (!ended_out_) session_.client().no_room();
  return ended_out_ || broken_;
}

net::IoResult Http2Stream::write(std::string_view bytes) {
  if (broken_) return failed();
  std::size_t head = 0;
  if (!head_sent_) {
    const auto end = bytes.find(kHeadEnd);
    if (end == std::string_view::npos) return {Status::error, EPROTO, 0};
    head = end + kHeadEnd.size();
    send_head(bytes.substr(0, head), true);
    if (!head_sent_ || head == bytes.size()) return {Status::ok, 0, head};
  }
  auto sent = send(bytes.substr(head), false);
  if (head > 0 && sent.blocked()) sent.status = Status::ok;
  sent.size += head;
  return sent;
}

// Files go by read and send: there is no socket of its own to copy them to.
net::IoResult Http2Stream::write_file(int, std::uint64_t, std::size_t) {
  return {Status::error, ENOTSUP, 0};
}

void Http2Stream::end_writing() { static_cast<void>(finish({})); }

}  // namespace weir::proxy
