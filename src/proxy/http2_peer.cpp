#include "proxy/http2_peer.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "proxy/http2_peer_callbacks.h"

namespace weir::proxy {
namespace {

using Status = net::IoResult::Status;

// Frames that wait for the socket; with more, nothing is taken of the request's body.
constexpr std::size_t kMostOut = 128 * 1024;
// What a peer may send of an answer before it is taken, and of all of a connection.
constexpr std::int32_t kWindow = 256 * 1024;
constexpr std::int32_t kConnectionWindow = 1024 * 1024;
// Of a chunked body, what is looked at in one piece, which may have to be held.
constexpr std::size_t kPiece = 16 * 1024;
// What a chunk has around its bytes: its size, and the line ends.
constexpr std::size_t kChunkRoom = 24;
// A request leaves no more than this behind in a buffer for the next one.
constexpr std::size_t kKeptCapacity = 16 * 1024;
// Events that cost a peer nothing, see Http2Guard.
constexpr std::uint32_t kFloodLimit = 500;

constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::uint8_t* bytes_of(std::string_view text) {
  // nghttp2 copies; it has no pointers to const.
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

// For the calls of nghttp2; one is made at a time.
const std::vector<nghttp2_nv>& name_values(const http::Http2ToPeer& request) {
  static thread_local std::vector<nghttp2_nv> made;
  made.clear();
  for (const auto& field : request.fields()) {
    made.push_back({bytes_of(field.name), bytes_of(field.value), field.name.size(),
                    field.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return made;
}

void empty(std::string& text) {
  if (text.capacity() > kKeptCapacity) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

}  // namespace

// ---- the connection
// --------------------------------------------------------------------------------

Http2Peer::Http2Peer(net::Descriptor& socket, const net::Loop& loop)
    : socket_(socket), loop_(loop), guard_(kFloodLimit, loop.now()) {}

Http2Peer::~Http2Peer() {
  if (native_ == nullptr) return;
  say_goodbye();
  nghttp2_session_del(native_);
}

bool Http2Peer::begin(bool secure) {
  secure_ = secure;
  native_ = make_http2_session(*this);
  if (native_ == nullptr) return false;
  // A server has no preface before its frames.
  scanner_.scan(std::string(http::Http2Scanner::kPrefaceSize, ' '), [](std::uint8_t) {});
  const std::array<nghttp2_settings_entry, 2> settings{{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(kWindow)},
  }};
  nghttp2_submit_settings(native_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(native_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  return true;
}

bool Http2Peer::reusable() const {
  return !broken_ && !going_ && nghttp2_session_check_request_allowed(native_) != 0 &&
         nghttp2_session_get_remote_settings(native_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) > 0;
}

// So that the peer need not take the end of the connection for a failure.
void Http2Peer::say_goodbye() {
  if (dead_) return;
  if (open_) nghttp2_submit_rst_stream(native_, NGHTTP2_FLAG_NONE, id_, NGHTTP2_CANCEL);
  cancelled_ = true;
  const auto code = broken_ ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_NO_ERROR;
  nghttp2_submit_goaway(native_, NGHTTP2_FLAG_NONE, 0, static_cast<std::uint32_t>(code), nullptr,
                        0);
  broken_ = false;
  pump();
  if (unsent() > 0 && socket_.writable()) socket_.write(std::string_view(out_).substr(sent_));
}

net::Descriptor& Http2Peer::begin_request(std::size_t head_limit, bool trailers) {
  head_limit_ = head_limit;
  grpc_ = trailers;
  failure_ = Failure::none;
  detail_.clear();
  head_sent_ = to_head_ = all_out_ = ended_out_ = cancelled_ = malformed_ = false;
  body_out_ = ToPeer::Body::none;
  left_out_ = 0;
  chunks_ = http::ChunkedDecoder();
  head_came_ = ended_in_ = end_given_ = false;
  body_in_ = FromPeer::Body::none;
  informational_ = 0;
  stream_.open_layer(*this);
  return stream_;
}

bool Http2Peer::end_request() {
  if (const auto left = in_.size() - in_read_; left > 0 && !dead_) {
    nghttp2_session_consume_connection(native_, left);
  }
  if (open_ && !dead_) {
    cancelled_ = true;
    nghttp2_submit_rst_stream(native_, NGHTTP2_FLAG_NONE, id_, NGHTTP2_CANCEL);
  }
  open_ = false;
  id_ = -1;
  for (auto* text : {&held_, &trailers_out_, &text_, &in_, &trailers_in_}) empty(*text);
  held_sent_ = text_read_ = in_read_ = 0;
  push();
  if (out_.empty()) empty(out_);
  return reusable();
}

void Http2Peer::happened(bool look) {
  static thread_local std::array<char, 64 * 1024> buffer;
  while (!broken_ && (socket_.readable() || look)) {
    look = false;
    const auto got = socket_.read(buffer.data(), buffer.size());
    if (got.blocked()) break;
    if (got.ok()) {
      receive({buffer.data(), got.size});
      continue;
    }
    dead_ = true;
    sys_ = got.error;
    const bool explained = going_ && going_code_ != NGHTTP2_NO_ERROR;
    break_off(Failure::closed, explained ? nghttp2_http2_strerror(going_code_) : std::string());
  }
  push();
}

void Http2Peer::break_off(Failure why, std::string detail) {
  broken_ = true;
  fail(why, std::move(detail));
}

void Http2Peer::fail(Failure why, std::string detail) {
  if (failure_ != Failure::none || ended_in_) return;
  failure_ = why;
  detail_ = std::move(detail);
  stream_.tell({.readable = true, .writable = true});
}

net::IoResult Http2Peer::failed() const {
  if (failure_ == Failure::closed && sys_ == 0) return {Status::eof, 0, 0};
  return {Status::error, failure_ == Failure::bad ? EPROTO : sys_ != 0 ? sys_ : ECONNRESET, 0};
}

void Http2Peer::note(http::Nuisance what) {
  if (guard_.note(what, loop_.now())) return;
  const auto worst = http::kNuisanceWords[static_cast<std::size_t>(guard_.worst())];
  break_off(Failure::bad, "a flood of HTTP/2 frames (" + std::string(worst) + ")");
}

// ---- the request
// -----------------------------------------------------------------------------------

net::IoResult Http2Peer::write(std::string_view bytes) {
  if (failure_ != Failure::none) return failed();
  std::size_t taken = 0;
  const bool begins = !head_sent_;
  if (begins) {
    const auto end = bytes.find(kHeadEnd);
    if (end == std::string_view::npos) return {Status::error, EPROTO, 0};
    taken = end + kHeadEnd.size();
    if (!send_head(bytes.substr(0, taken))) return {Status::error, EPROTO, 0};
  }
  for (;;) {
    taken += send_body(bytes.substr(taken));
    // A push may find that there is room again; else an event will.
    if (taken < bytes.size()) stream_.no_room();
    push();
    if (taken == bytes.size() || !stream_.writable() || failure_ != Failure::none) break;
  }
  // What came with the end of a handshake makes no event of its own.
  if (begins && socket_.readable()) happened();
  if (taken == 0 && !bytes.empty()) {
    return failure_ != Failure::none ? failed() : net::IoResult{Status::blocked, 0, 0};
  }
  return {Status::ok, 0, taken};
}

bool Http2Peer::send_head(std::string_view head) {
  if (!to_.read(head, secure_)) return false;
  head_sent_ = true;
  to_head_ = to_.is_head();
  body_out_ = to_.body();
  left_out_ = to_.length();
  ended_out_ = body_out_ == ToPeer::Body::none;
  nghttp2_data_provider provider{};
  provider.read_callback = [](nghttp2_session* session, std::int32_t id, std::uint8_t*,
                              std::size_t most, std::uint32_t* flags, nghttp2_data_source*,
                              void* user) -> ssize_t {
    auto& peer = *static_cast<Http2Peer*>(user);
    if (id != peer.id_) return NGHTTP2_ERR_DEFERRED;
    const auto piece = peer.next_piece(most);
    if (piece.nothing) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (piece.end) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (piece.trailers) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto& fields = name_values(peer.to_);
      nghttp2_submit_trailer(session, id, fields.data(), fields.size());
    }
    return static_cast<ssize_t>(piece.size);
  };
  const auto& fields = name_values(to_);
  id_ = nghttp2_submit_request(native_, nullptr, fields.data(), fields.size(),
                               ended_out_ ? nullptr : &provider, nullptr);
  open_ = id_ > 0;
  return open_;
}

std::size_t Http2Peer::send_body(std::string_view bytes) {
  // Nothing is missed by a peer that has answered, nor by one that has all.
  if (ended_out_ || ended_in_) return bytes.size();
  switch (body_out_) {
    case ToPeer::Body::none:
      return bytes.size();
    case ToPeer::Body::counted: {
      const auto mine = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_out_));
      const auto taken = offer(bytes.substr(0, mine));
      return ended_out_ ? bytes.size() : taken;
    }
    case ToPeer::Body::chunked:
      return send_chunks(bytes);
  }
  return bytes.size();
}

std::size_t Http2Peer::send_chunks(std::string_view bytes) {
  std::size_t at = 0;
  std::string_view data;  // not offered yet: the end of all may follow, and goes in the same frame
  while (held_.empty() || offer_held()) {
    if (at == bytes.size() || all_out_) break;
    const auto piece = bytes.substr(at, kPiece);
    const auto before = chunks_.trailer_bytes();
    const auto step = chunks_.next(piece);
    if (step.status == http::ChunkedDecoder::Status::error) {
      fail(Failure::reset, "the request's body is no chunked one");
      return at;
    }
    at += step.consumed;
    if (const auto size = chunks_.trailer_bytes() - before; size > 0) {
      trailers_out_.append(piece.substr(step.consumed - chunks_.end_bytes() - size, size));
    }
    all_out_ = step.status == http::ChunkedDecoder::Status::done;
    if (step.data.empty()) continue;
    if (!data.empty()) give(data);
    data = step.data;
    if (!held_.empty()) held_.append(std::exchange(data, {}));
  }
  if (!data.empty() || (all_out_ && !ended_out_ && held_.empty())) give(data);
  return at;
}

void Http2Peer::give(std::string_view data) { held_.append(data.substr(offer(data))); }

bool Http2Peer::offer_held() {
  offer({});
  return held_.empty();
}

std::size_t Http2Peer::offer(std::string_view bytes) {
  source_ = bytes;
  if (open_) nghttp2_session_resume_data(native_, id_);
  pump();
  return bytes.size() - std::exchange(source_, {}).size();
}

Http2Peer::Piece Http2Peer::next_piece(std::size_t most) {
  const auto there = held_.empty() ? source_.size() : held_.size() - held_sent_;
  Piece piece;
  piece.size = std::min(most, there);
  piece.end = body_out_ == ToPeer::Body::counted ? piece.size == left_out_
                                                 : all_out_ && piece.size == there;
  piece.nothing = piece.size == 0 && !piece.end;
  if (piece.end) {
    ended_out_ = true;
    to_.read_trailers(trailers_out_);
    piece.trailers = !to_.fields().empty();
  }
  if (piece.nothing || piece.end) stream_.tell({.writable = true});
  return piece;
}

std::string_view Http2Peer::take_piece(std::size_t size) {
  if (body_out_ == ToPeer::Body::counted) left_out_ -= size;
  if (held_.empty()) {
    const auto piece = source_.substr(0, size);
    source_.remove_prefix(size);
    return piece;
  }
  held_sent_ += size;
  return std::string_view(held_).substr(held_sent_ - size, size);
}

void Http2Peer::pump() {
  while (!broken_ && !dead_ && unsent() < kMostOut) {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(native_, &bytes);
    if (size < 0) {
      dead_ = true;
      break_off(Failure::bad, nghttp2_strerror(static_cast<int>(size)));
    }
    if (size <= 0) return;
    out_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
}

void Http2Peer::push() {
  while (!broken_) {
    pump();
    if (unsent() == 0 || !socket_.writable()) break;
    const auto sent = socket_.write(std::string_view(out_).substr(sent_));
    if (sent.status == Status::error) {
      // What the peer has said before may tell why.
      dead_ = true;
      sys_ = sent.error;
      break_off(Failure::closed, {});
      break;
    }
    sent_ += sent.size;
    if (unsent() > 0) break;
    out_.clear();
    sent_ = 0;
  }
  if (sent_ > kMostOut) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
}

net::IoResult Http2Peer::write_file(int, std::uint64_t, std::size_t) {
  return {Status::error, ENOTSUP, 0};
}

// ---- the answer, to those who read
// -----------------------------------------------------------------

bool Http2Peer::unread() const {
  if (text_read_ < text_.size() || in_read_ < in_.size()) return true;
  return ended_in_ && !end_given_ && body_in_ == FromPeer::Body::chunked;
}

net::IoResult Http2Peer::read(char* to, std::size_t size) {
  std::size_t got = read_text(to, size);
  if (text_read_ == text_.size()) {
    empty(text_);
    text_read_ = 0;
    if (got < size) got += read_body(to + got, size - got);
  }
  if (!unread() && failure_ == Failure::none) stream_.nothing_to_read();
  if (got > 0) return {Status::ok, 0, got};
  if (failure_ != Failure::none) return failed();
  return {Status::blocked, 0, 0};
}

std::size_t Http2Peer::read_text(char* to, std::size_t size) {
  const auto count = std::min(size, text_.size() - text_read_);
  std::memcpy(to, text_.data() + text_read_, count);
  text_read_ += count;
  return count;
}

std::size_t Http2Peer::read_body(char* to, std::size_t size) {
  if (body_in_ == FromPeer::Body::chunked) return read_chunk(to, size);
  const auto count = std::min(size, in_.size() - in_read_);
  std::memcpy(to, in_.data() + in_read_, count);
  consumed(count);
  return count;
}

std::size_t Http2Peer::read_chunk(char* to, std::size_t size) {
  const auto there = in_.size() - in_read_;
  if (there > 0 && size > kChunkRoom) {
    const auto count = std::min(there, size - kChunkRoom);
    char* at = std::to_chars(to, to + kChunkRoom, count, 16).ptr;
    std::memcpy(at, "\r\n", 2);
    std::memcpy(at + 2, in_.data() + in_read_, count);
    at += 2 + count;
    std::memcpy(at, "\r\n", 2);
    at += 2;
    consumed(count);
    const auto got = static_cast<std::size_t>(at - to);
    return got + (in_.empty() && got < size ? read_chunk(at, size - got) : 0);
  }
  if (there > 0) {
    // Room for less than a chunk: it is put aside, and read in parts.
    const auto count = std::min(there, kChunkRoom);
    char digits[8];
    const auto end = std::to_chars(digits, digits + sizeof digits, count, 16).ptr;
    text_.append(digits, end).append("\r\n").append(in_, in_read_, count).append("\r\n");
    consumed(count);
  } else if (ended_in_ && !end_given_) {
    end_given_ = true;
    text_.append("0\r\n").append(trailers_in_).append("\r\n");
  }
  return read_text(to, size);
}

void Http2Peer::consumed(std::size_t size) {
  in_read_ += size;
  if (in_read_ == in_.size()) {
    in_.clear();
    in_read_ = 0;
  }
  if (size == 0 || dead_) return;
  nghttp2_session_consume(native_, id_, size);
  if (nghttp2_session_want_write(native_) != 0) push();
}

net::IoResult Http2Peer::peek() {
  if (unread()) return {Status::ok, 0, 1};
  return failure_ != Failure::none ? failed() : net::IoResult{Status::blocked, 0, 0};
}

}  // namespace weir::proxy
