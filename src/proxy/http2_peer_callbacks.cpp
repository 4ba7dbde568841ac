// What a peer of HTTP/2 sends: its frames, as nghttp2 has taken them apart.
#include "proxy/http2_peer_callbacks.h"

#include <nghttp2/nghttp2.h>

#include <string>
#include <string_view>

#include "proxy/http2_peer.h"

namespace weir::proxy {
namespace {

using http::Nuisance;

// More interim answers are nobody's hints.
constexpr std::uint32_t kMostInformational = 32;
// More frames of one block of fields hold little but their own heads.
constexpr std::uint32_t kMostContinuations = 64;
constexpr std::size_t kMostHead = std::size_t{1} << 20;  // of a request
// Frames about the connection that a frame of data may be accompanied by.
constexpr std::uint32_t kPaidBySent = 4;
constexpr std::uint32_t kPaidByReceived = 2;

}  // namespace

void Http2Peer::receive(std::string_view bytes) {
  if (!std::exchange(greeted_, true) && bytes.starts_with("HTTP/1.")) {
    return break_off(Failure::bad, "it speaks HTTP/1.1, not HTTP/2");
  }
  // Frames of unknown types, which nghttp2 passes over.
  scanner_.scan(bytes, [this](std::uint8_t type) {
    if (type > NGHTTP2_CONTINUATION) note(Nuisance::other);
  });
  if (broken_) return;
  const auto taken = nghttp2_session_mem_recv(
      native_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) {
    dead_ = true;
    if (problem_.empty()) problem_ = nghttp2_strerror(static_cast<int>(taken));
    return break_off(Failure::bad, problem_);
  }
  // It has ended the session by itself, for an error of the peer's: its GOAWAY says for which.
  if (nghttp2_session_want_read(native_) == 0 && !going_) {
    pump();
    break_off(Failure::bad, problem_);
  }
}

void Http2Peer::head_complete(bool ends) {
  guard_.pay(kPaidByReceived);
  if (head_came_) return answer_ends(from_.trailers());
  if (from_.status() < 200) {
    if (++informational_ > kMostInformational) {
      return break_off(Failure::bad, "too many interim answers");
    }
  } else {
    head_came_ = true;
  }
  body_in_ = from_.write({to_head_, ends, grpc_}, text_);
  stream_.tell({.readable = true});
  if (ends) answer_ends({});
}

void Http2Peer::take_data(std::string_view bytes) {
  if (body_in_ == FromPeer::Body::none) {
    nghttp2_session_consume(native_, id_, bytes.size());
    return;
  }
  if (in_read_ > 0 && in_.size() + bytes.size() > in_.capacity()) {
    in_.erase(0, in_read_);
    in_read_ = 0;
  }
  in_.append(bytes);
  stream_.tell({.readable = true});
}

void Http2Peer::answer_ends(std::string_view trailers) {
  trailers_in_.assign(trailers);
  ended_in_ = true;
  stream_.tell({.readable = true, .writable = true});
}

void Http2Peer::goes_away(std::uint32_t code) {
  going_ = true;
  going_code_ = code;
}

std::string Http2Peer::fault(std::uint32_t code) const {
  return problem_.empty() ? nghttp2_http2_strerror(code) : problem_;
}

void Http2Peer::stream_closed(std::uint32_t code) {
  open_ = false;
  if (cancelled_) return;
  if (malformed_) return fail(Failure::bad, fault(code));
  const bool untouched = !head_came_ && informational_ == 0;
  if (code == NGHTTP2_REFUSED_STREAM && untouched) {
    const bool retires = going_ && going_code_ == NGHTTP2_NO_ERROR;
    const auto why = going_code_ != NGHTTP2_NO_ERROR ? going_code_ : code;
    return fail(retires ? Failure::retired : Failure::refused,
                retires ? "the connection is retired" : nghttp2_http2_strerror(why));
  }
  fail(Failure::reset, std::string("the stream was reset: ") + nghttp2_http2_strerror(code));
}

// A friend of the connection: the functions that nghttp2 is given.
struct Http2PeerCallbacks {
  static Http2Peer& of(void* user) { return *static_cast<Http2Peer*>(user); }
  static std::string_view text(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }
  static bool ends_stream(const nghttp2_frame& frame) {
    return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  }

  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    auto& peer = of(user);
    if (head->type == NGHTTP2_CONTINUATION) {
      if (++peer.continuations_ > kMostContinuations) {
        peer.problem_ = "a flood of HTTP/2 frames (continuation)";
        return NGHTTP2_ERR_CALLBACK_FAILURE;
      }
    }
    return 0;
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& peer = of(user);
    peer.continuations_ = 0;
    if (frame->hd.stream_id == peer.id_) peer.from_.begin(peer.head_limit_, peer.head_came_);
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) {
    auto& peer = of(user);
    if (frame->hd.stream_id != peer.id_) return 0;
    switch (peer.from_.add(text(name, name_size), text(value, value_size))) {
      case http::Http2FromPeer::Added::ok:
        return 0;
      case http::Http2FromPeer::Added::malformed:
        peer.problem_ = "invalid field \"" + std::string(text(name, name_size)) + "\"";
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      case http::Http2FromPeer::Added::too_large:
        peer.problem_ = "its fields are larger than proxy_buffer_size or grpc_buffer_size allows";
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
  }

  // A field that must not be: the answer is malformed (RFC 9113 section 8.2.1).
  static int invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                            std::size_t name_size, const std::uint8_t*, std::size_t, std::uint8_t,
                            void* user) {
    of(user).problem_ = "invalid field \"" + std::string(text(name, name_size)) + "\"";
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& peer = of(user);
    const bool ours = frame->hd.stream_id == peer.id_;
    switch (frame->hd.type) {
      case NGHTTP2_DATA:
        if (frame->hd.length > frame->data.padlen) {
          if (ours) peer.guard_.pay(kPaidByReceived);
        } else if (!ends_stream(*frame)) {
          peer.note(Nuisance::empty_data);
        }
        if (ours && ends_stream(*frame)) peer.answer_ends({});
        break;
      case NGHTTP2_HEADERS:
        if (ours) peer.head_complete(ends_stream(*frame));
        break;
      case NGHTTP2_RST_STREAM:
        if (!ours) peer.note(Nuisance::other);
        break;
      case NGHTTP2_GOAWAY:
        peer.goes_away(frame->goaway.error_code);
        peer.note(Nuisance::other);
        break;
      case NGHTTP2_PING:
        peer.note(Nuisance::ping);
        break;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) peer.note(Nuisance::settings);
        break;
      case NGHTTP2_WINDOW_UPDATE:
        peer.note(Nuisance::window_update);
        break;
      default:
        peer.note(Nuisance::priority);
    }
    return 0;
  }

  static int data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                  const std::uint8_t* bytes, std::size_t size, void* user) {
    auto& peer = of(user);
    if (id == peer.id_) {
      peer.take_data(text(bytes, size));
    } else {
      nghttp2_session_consume(session, id, size);
    }
    return 0;
  }

  static int stream_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    if (id == of(user).id_) of(user).stream_closed(code);
    return 0;
  }

  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& peer = of(user);
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->hd.stream_id == peer.id_) {
      peer.malformed_ = !peer.cancelled_;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
      peer.break_off(Http2Peer::Failure::bad, peer.fault(frame->goaway.error_code));
    }
    return 0;
  }

  // Right after the piece was asked for.
  static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head, std::size_t size,
                       nghttp2_data_source*, void* user) {
    constexpr std::size_t kHead = 9;
    auto& peer = of(user);
    peer.out_.append(text(head, kHead));
    peer.out_.append(peer.take_piece(size));
    if (peer.held_sent_ == peer.held_.size()) {
      peer.held_.clear();
      peer.held_sent_ = 0;
    }
    if (size > 0) peer.guard_.pay(kPaidBySent);
    return 0;
  }

  static int problem(nghttp2_session*, int, const char* message, std::size_t size, void* user) {
    of(user).problem_.assign(message, size);
    return 0;
  }

  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) return nullptr;
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(made, invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(made, send_data);
    nghttp2_session_callbacks_set_error_callback2(made, problem);
    return made;
  }

  static nghttp2_option* options() {
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) return nullptr;
    // Windows grow when the answer is read.
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_max_send_header_block_length(made, kMostHead);
    return made;
  }
};

nghttp2_session* make_http2_session(Http2Peer& peer) {
  static const nghttp2_session_callbacks* callbacks = Http2PeerCallbacks::make();
  static const nghttp2_option* options = Http2PeerCallbacks::options();
  nghttp2_session* made = nullptr;
  if (callbacks == nullptr || options == nullptr) return nullptr;
  if (nghttp2_session_client_new2(&made, callbacks, &peer, options) != 0) return nullptr;
  return made;
}

}  // namespace weir::proxy
