// The body of a request: from the client, through what is kept of it, to as many peers as it takes.
//
// Two ways, as nginx's proxy_request_buffering: buffered (all of it is read first, into memory,
// then into an unnamed temporary file, and goes out with a Content-Length), or streamed (passed on
// as it comes, the first `keep` bytes kept for another try). Until start() says which, it stays
// where it is. Worker thread; owned by its exchange.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/chunked.h"
#include "http/head.h"
#include "net/loop.h"

namespace weir::proxy {

class RequestBody {
 public:
  struct Limits {
    std::uint64_t max_size = 0;    // bytes; 0: none
    std::uint64_t memory = 16384;  // buffered bytes kept in memory before the file is used
    std::uint64_t keep = 65536;    // streamed bytes kept for another try
    bool buffered = true;
    bool file_only = false;      // client_body_in_file_only: all of it, in a file with a name
    bool keep_file = false;      // that stays when the request has ended
    std::string directory = {};  // of the file; empty: the system's
  };

  RequestBody() = default;
  ~RequestBody();
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;

  // `first`: bytes that came with the head; they must stay where they are. Those known to be the
  // next request's go to `pending`.
  void arrive(const http::Framing& framing, std::string_view first, std::string& pending);
  // From here on it is read and limited. Has no effect the second time.
  Error start(const Limits& limits, std::string& pending);
  [[nodiscard]] bool started() const { return started_; }
  // Makes `copy` a body that holds the same bytes: this one must be complete and replayable.
  // False: out of descriptors.
  [[nodiscard]] bool share(RequestBody& copy) const;
  // Frees what a large body held. The object can be used again.
  void clear();

  // All of it has come from the client.
  [[nodiscard]] bool complete() const { return complete_; }
  // The client has not sent a byte of a body that it announced.
  [[nodiscard]] bool untouched() const { return !complete_ && received_ == 0; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t remaining() const { return remaining_; }  // counted bodies
  [[nodiscard]] bool counted() const { return kind_ == http::Framing::Kind::counted; }
  // As the client announced it; 0 if it did not.
  [[nodiscard]] std::uint64_t announced() const { return length_; }
  // $request_body: what is in memory, and only if all of it is.
  void append_text(std::string& out) const;
  // $request_body_file: the name of the file, if it has one.
  [[nodiscard]] const std::string& file_path() const { return file_path_; }

  // One read from the client. Bytes after the body's end go to `pending`.
  // Blocked: no error, and nothing came.
  struct ReadResult {
    Error error;
    bool blocked = false;
  };
  ReadResult read(net::Descriptor& client, char* scratch, std::string& pending);

  // What has come is not needed any more: from now on read() discards.
  Error drop(std::string& pending);

  // ---- towards a peer ----
  // How the outgoing head frames it: counted, chunked or none.
  [[nodiscard]] http::Framing outgoing() const;
  void rewind() { cursor_ = 0; }
  // Another peer could be sent the whole body.
  [[nodiscard]] bool replayable() const { return replayable_; }
  // Bytes of it have been sent, and are not held any more: nobody else can have all of it.
  [[nodiscard]] bool lost() const { return lost_; }
  // Everything received so far has been written since rewind().
  [[nodiscard]] bool drained() const { return cursor_ == stored_; }
  // What is next to send, if it is in memory; empty if it is in the file or there is none.
  [[nodiscard]] std::string_view in_memory() const;
  void consume(std::size_t size);
  // Writes what is stored. `scratch` serves to read the file.
  net::IoResult write(net::Descriptor& peer, char* scratch);

 private:
  Error store(std::string_view bytes);
  Error spool(std::string_view bytes);
  Error accept(char* bytes, std::size_t size, std::string& pending);
  Error decode(std::string_view bytes, std::size_t& taken);

  Limits limits_;
  http::Framing::Kind kind_ = http::Framing::Kind::none;
  http::ChunkedDecoder decoder_;
  std::uint64_t length_ = 0;     // counted: of the whole body
  std::uint64_t remaining_ = 0;  // counted: still to come
  std::uint64_t received_ = 0;   // raw bytes from the client
  bool complete_ = true;
  bool replayable_ = true;
  bool started_ = true;
  bool dropping_ = false;
  bool lost_ = false;

  // Stored bytes, in order: first_, then memory_, then the file.
  std::string_view first_;
  std::string memory_;
  int file_ = -1;
  std::string file_path_;
  std::uint64_t in_file_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t cursor_ = 0;
};

}  // namespace weir::proxy
