#include "proxy/http2_callbacks.h"

#include <nghttp2/nghttp2.h>

#include <string>
#include <string_view>

#include "proxy/http2_connection.h"
#include "proxy/http2_stream.h"

namespace weir::proxy {

using http::Nuisance;

// A friend of the connection: the functions that nghttp2 is given.
struct Http2Callbacks {
  static constexpr std::size_t kMostHead = std::size_t{1} << 20;  // of an answer
  static constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40;
  static constexpr Duration kPatience{1000};

  static Http2Connection& of(void* user) { return *static_cast<Http2Connection*>(user); }
  static Http2Stream* stream_of(nghttp2_session* session, std::int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static std::string_view text(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }
  static bool ends_stream(const nghttp2_frame& frame) {
    return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  }

  static int begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    of(user).trailer_size_ = 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    auto* stream = of(user).open_stream(frame->hd.stream_id);
    if (stream == nullptr) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
  }

  static int header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) {
    auto& connection = of(user);
    auto* stream = stream_of(session, frame->hd.stream_id);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
      return trailer(connection, stream, text(name, name_size), text(value, value_size));
    }
    if (stream == nullptr || stream != connection.opening_) return 0;
    switch (connection.request_.add(text(name, name_size), text(value, value_size))) {
      case http::Http2Request::Added::ok:
        return 0;
      case http::Http2Request::Added::malformed:
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      case http::Http2Request::Added::flood:
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
  }

  // Too many of them are their stream's business, far too many the connection's.
  static int trailer(Http2Connection& connection, Http2Stream* stream, std::string_view name,
                     std::string_view value) {
    connection.trailer_size_ += name.size() + value.size() + http::Http2Request::kFieldCost;
    const auto most = connection.limits_.head;
    if (connection.trailer_size_ > most * http::Http2Request::kFloodFactor) {
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (stream == nullptr) return 0;
    if (connection.trailer_size_ > most) {
      connection.log(LogLevel::info, "client sent too large trailers");
      connection.refuse(*stream, NGHTTP2_ENHANCE_YOUR_CALM);
    } else {
      stream->receive_trailer(name, value);
    }
    return 0;
  }

  // A field that must not be: the request is malformed (RFC 9113 section 8.2.1).
  static int invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*,
                            std::size_t, const std::uint8_t*, std::size_t, std::uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static void data_end(nghttp2_session* session, const nghttp2_frame& frame) {
    if (!ends_stream(frame)) return;
    if (auto* stream = stream_of(session, frame.hd.stream_id)) stream->receive_end();
  }

  // One who cancels after a while has waited for an answer, and can have no more of them on their
  // way than streams.
  static void reset_received(Http2Connection& connection, const Http2Stream* stream) {
    if (stream != nullptr && connection.now() - stream->began() >= kPatience) return;
    connection.note(Nuisance::reset);
  }

  static int frame_received(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    auto& connection = of(user);
    const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_DATA:
        if (frame->hd.length == frame->data.padlen && !ends_stream(*frame)) {
          connection.note(Nuisance::empty_data);
        }
        data_end(session, *frame);
        break;
      case NGHTTP2_HEADERS:
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
          auto* stream = stream_of(session, frame->hd.stream_id);
          if (stream != nullptr) connection.head_complete(*stream, ends_stream(*frame));
        } else {
          data_end(session, *frame);
        }
        break;
      case NGHTTP2_RST_STREAM:
        reset_received(connection, stream_of(session, frame->hd.stream_id));
        break;
      case NGHTTP2_PING:
        // The answer to the one that came with the announcement of the end.
        if (ack && connection.noticed_ && !connection.going_) {
          connection.goaway_at_ = connection.now();
        } else {
          connection.note(Nuisance::ping);
        }
        break;
      case NGHTTP2_SETTINGS:
        if (!ack && connection.greeted_) connection.note(Nuisance::settings);
        connection.greeted_ = true;
        break;
      case NGHTTP2_WINDOW_UPDATE:
        connection.note(Nuisance::window_update);
        break;
      case NGHTTP2_PRIORITY:
        connection.note(Nuisance::priority);
        break;
      default:
        connection.note(Nuisance::other);
    }
    return 0;
  }

  static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error, void* user) {
    auto& connection = of(user);
    connection.log(LogLevel::info, "client sent an invalid frame of type " +
                                       std::to_string(frame->hd.type) + ": " +
                                       nghttp2_strerror(error));
    return 0;
  }

  static int data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                  const std::uint8_t* bytes, std::size_t size, void*) {
    if (auto* stream = stream_of(session, id)) {
      stream->receive(text(bytes, size));
    } else {
      nghttp2_session_consume(session, id, size);
    }
    return 0;
  }

  static int stream_close(nghttp2_session* session, std::int32_t id, std::uint32_t, void* user) {
    if (auto* stream = stream_of(session, id)) of(user).stream_closed(*stream);
    return 0;
  }

  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY && of(user).noticed_ && !of(user).going_) {
      // Only now: nghttp2 sends a ping ahead of all else, and whoever answers it has to know.
      nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, nullptr);
    }
    if (frame->hd.type == NGHTTP2_HEADERS && ends_stream(*frame)) of(user).guard_.answered();
    if (frame->hd.type != NGHTTP2_RST_STREAM) return 0;
    const auto code = frame->rst_stream.error_code;
    // Those that the client has caused.
    if (code == NGHTTP2_PROTOCOL_ERROR || code == NGHTTP2_STREAM_CLOSED ||
        code == NGHTTP2_FLOW_CONTROL_ERROR || code == NGHTTP2_ENHANCE_YOUR_CALM ||
        (code == NGHTTP2_REFUSED_STREAM && !of(user).going_)) {
      of(user).note(Nuisance::bad_stream);
    }
    return 0;
  }

  // A head that nghttp2 refuses to send: the stream would wait for it for good.
  static int frame_not_sent(nghttp2_session* session, const nghttp2_frame* frame, int error,
                            void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || error == NGHTTP2_ERR_STREAM_CLOSED ||
        error == NGHTTP2_ERR_STREAM_CLOSING || error == NGHTTP2_ERR_SESSION_CLOSING) {
      return 0;
    }
    of(user).log(LogLevel::error,
                 std::string("the head of an answer cannot be sent: ") + nghttp2_strerror(error));
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                              NGHTTP2_INTERNAL_ERROR);
    return 0;
  }

  // Right after the stream has offered them.
  static int send_data(nghttp2_session* session, nghttp2_frame* frame, const std::uint8_t* head,
                       std::size_t size, nghttp2_data_source*, void* user) {
    auto* stream = stream_of(session, frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    constexpr std::size_t kHead = 9;
    auto& connection = of(user);
    connection.out_.append(text(head, kHead));
    connection.out_.append(stream->take(size));
    if (size > 0) connection.guard_.sent(size, stream->gave_what_it_could(size));
    if (ends_stream(*frame)) connection.guard_.answered();
    return 0;
  }

  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) return nullptr;
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(made, invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, frame_received);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, frame_not_sent);
    nghttp2_session_callbacks_set_send_data_callback(made, send_data);
    return made;
  }

  static nghttp2_option* options() {
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) return nullptr;
    // Windows grow when an exchange has taken the bytes.
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_max_send_header_block_length(made, kMostHead);
    // Http2Guard counts resets, and knows which of them were paid for.
    nghttp2_option_set_stream_reset_rate_limit(made, kNoLimit, kNoLimit);
    return made;
  }
};

nghttp2_session* make_http2_session(Http2Connection& connection) {
  static const nghttp2_session_callbacks* callbacks = Http2Callbacks::make();
  static const nghttp2_option* options = Http2Callbacks::options();
  nghttp2_session* made = nullptr;
  if (callbacks == nullptr || options == nullptr) return nullptr;
  if (nghttp2_session_server_new2(&made, callbacks, &connection, options) != 0) return nullptr;
  return made;
}

}  // namespace weir::proxy
