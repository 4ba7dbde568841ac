// The way of an answer to the client: its head, then its body, compressed and framed as the head
// says, as fast as the client takes it and the configuration allows. What the client does not take
// is held: in memory, and for a client that is slow in a file, so that the peer need not wait for
// it. Never suspends: whoever has bytes asks room(), waits for the client to be writable while
// held() > 0, and calls flush(). Owned by the main exchange; a subrequest writes through its
// main's. Worker thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "net/loop.h"
#include "proxy/body_filter.h"

namespace weir::proxy {

class Http2Stream;

class Sender {
 public:
  enum class Framing : std::uint8_t {
    none,         // no body
    plain,        // counted by the head, or until the connection closes
    chunked,      // weir makes the chunks
    raw_chunked,  // the bytes have them already
    stream,       // of HTTP/2: Options::stream makes the frames
  };
  struct Options {
    Framing framing = Framing::plain;
    Http2Stream* stream = nullptr;  // the client's; null: HTTP/1
    bool flush = false;             // nothing is held back by compression
    bool hold_head = false;         // the head waits for the body's first bytes
    std::uint64_t memory = 0;       // bytes held before the source has to wait, or the file begins
    std::uint64_t file = 0;         // bytes that a file may hold; 0: no file
    std::string file_directory = {};  // empty: the system's
    std::uint64_t most = 0;           // bytes held before the answer fails; 0: no limit
    std::uint64_t rate = 0;           // bytes a second; 0: no limit
    std::uint64_t rate_after = 0;     // bytes that go without
  };
  // Bytes in front of a piece in which its frame can be written, and behind it.
  static constexpr std::size_t kFrameRoom = 18;
  static constexpr std::size_t kTailRoom = 16;

  Sender() = default;
  ~Sender() { reset(); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void reset();
  // Begins an answer to `client`. `head` goes out with the first bytes of the body, or by flush().
  void begin(net::Descriptor& client, const net::Loop& loop, const Options& options,
             std::unique_ptr<BodyFilter> compressor, std::string_view head);
  [[nodiscard]] bool begun() const { return client_ != nullptr; }
  // Begins a body that has nobody to go to: it is held for take().
  void begin_held(const net::Loop& loop, const Options& options);
  // Puts the next piece of it into `out`. False: there is no more.
  bool take(std::string& out);

  // A piece of the body. `room`: bytes free in front of `data`, with kTailRoom free behind it.
  // `last`: the body ends with it.
  void write(char* data, std::size_t size, std::size_t room, bool last);
  // The same for bytes that stand anywhere.
  void write(std::string_view bytes, bool last);
  // Bytes of a file as a piece of a body that is not framed, as many as go at once: call it only
  // when drained(). 0 with no error(): the client takes no more for now.
  std::size_t write_file(int file, std::uint64_t offset, std::size_t size);
  [[nodiscard]] bool takes_files() const {
    return !holds() && compressor_ == nullptr && options_.framing == Framing::plain;
  }
  // Ends a body whose last piece was not marked. `trailers`: lines, each with its CRLF.
  void finish(std::string_view trailers);

  // Sends what is held. Errors of this and of all writes before.
  Error flush();
  // Everything given so far has gone, or is not to go yet.
  [[nodiscard]] bool drained() const { return held() == 0; }
  [[nodiscard]] std::size_t held() const {
    return holds() ? 0 : head_.size() + in_memory() + in_file() + (ending_ ? 1 : 0);
  }
  // More may be written now.
  [[nodiscard]] bool room() const;
  // When there will be, if the client takes nothing until then: it counts as slow from then on.
  // TimePoint::max(): not by waiting.
  [[nodiscard]] TimePoint room_at() const;
  // Nothing goes before this time, because of the rate; TimePoint::min(): no wait.
  [[nodiscard]] TimePoint paused_until() const { return paused_until_; }
  // More is held, and the client may take it.
  [[nodiscard]] bool can_flush() const;
  // The client does not keep up.
  [[nodiscard]] bool lagging() const { return in_memory() > 0; }

  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }  // bytes, head included
  // Bytes have gone since the last call.
  bool moved() { return std::exchange(moved_, false); }
  // Size of the body before and after compression: $gzip_ratio.
  [[nodiscard]] std::uint64_t plain_size() const { return plain_size_; }
  [[nodiscard]] std::uint64_t coded_size() const { return coded_size_; }
  [[nodiscard]] Options& options() { return options_; }

 private:
  [[nodiscard]] std::size_t in_memory() const { return tail_.size() - tail_sent_; }
  [[nodiscard]] std::size_t in_file() const {
    return static_cast<std::size_t>(file_written_ - file_read_);
  }
  // Nothing is sent for now.
  [[nodiscard]] bool holds() const {
    return client_ == nullptr || (options_.hold_head && !head_.empty());
  }
  void push(char* data, std::size_t size, std::size_t room);
  // `all`: nothing else is held.
  std::size_t send(std::string_view bytes, bool all);
  void send_stream_head();
  void keep(std::string_view bytes);
  [[nodiscard]] bool file_has_room() const {
    return options_.file > 0 && file_written_ < options_.file;
  }
  [[nodiscard]] bool slow() const;
  bool refill();
  std::uint64_t allowance();
  void fail(Errc what, int sys) {
    if (error_.ok()) error_ = {what, sys};
  }

  net::Descriptor* client_ = nullptr;
  const net::Loop* loop_ = nullptr;
  Options options_;
  std::unique_ptr<BodyFilter> compressor_;
  std::string head_;     // not sent yet
  std::string encoded_;  // room, what the compressor made, room
  std::string tail_;     // bytes that the client has not taken yet
  std::size_t tail_sent_ = 0;
  int file_ = -1;
  std::uint64_t file_written_ = 0;
  std::uint64_t file_read_ = 0;
  bool ended_ = false;
  bool ending_ = false;   // a stream whose end has not been told yet
  std::string trailers_;  // of a stream, as lines
  bool moved_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t plain_size_ = 0;
  std::uint64_t coded_size_ = 0;
  TimePoint began_{};
  TimePoint last_moved_{};  // when the client took something last
  TimePoint paused_until_ = TimePoint::min();
  Error error_;
};

}  // namespace weir::proxy
