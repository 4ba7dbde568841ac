// Passes the body of a peer's answer on to the client: as it came where nothing has to be changed,
// else without its chunks and through filters, with back-pressure. Lives in the frame of
// Exchange::deliver; worker thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/chunked.h"
#include "net/task.h"
#include "proxy/attempt.h"
#include "proxy/body_filter.h"
#include "proxy/relay_options.h"
#include "proxy/sender.h"

namespace weir::proxy {

class ResponseRelay {
 public:
  using Options = RelayOptions;
  ResponseRelay(Exchange& exchange, Attempt& attempt, const Options& options);

  // Until all has gone to the client (or has been read, without one), or one side has failed.
  net::Task<Error> run();

  // The peer's answer ended as it should.
  [[nodiscard]] bool whole() const { return finished_; }
  // The peer sent bytes after the answer's end.
  [[nodiscard]] bool excess() const { return excess_; }
  // The peer's trailer lines, if they were taken out of the body.
  [[nodiscard]] const std::string& trailers() const { return trailers_; }

 private:
  struct Piece {
    char* data = nullptr;
    std::size_t size = 0;
  };
  // Makes what is to be sent of `size` bytes at `data` (in the thread's buffer, with room before
  // and after); notes the end of the body.
  Error transform(char* data, std::size_t size, Piece& piece);
  Error skim(char* data, std::size_t size, Piece& piece);
  Error unchunk(char* data, std::size_t size, Piece& piece);
  std::size_t take_trailers(const char* data, std::size_t end, std::uint32_t before);
  Error ended_by_peer(int sys);
  Error take(char* data, std::size_t size);
  Error read();
  void send(Piece piece);
  [[nodiscard]] bool wants_more() const;
  [[nodiscard]] bool peer_paused();
  [[nodiscard]] bool goes_on_without(Error error);

  Exchange& x_;
  Attempt& attempt_;
  Worker& worker_;
  const config::RequestConfig& config_;
  Options options_;
  http::Framing framing_;
  http::ChunkedDecoder decoder_;
  std::uint64_t remaining_ = 0;
  bool finished_ = false;
  bool excess_ = false;
  std::string trailers_;
  std::string filtered_;
  std::size_t read_size_ = net::Scratch::kSize;
  bool moved_ = false;
  std::uint64_t sent_ = 0;  // of the request, when that was looked at last
  TimePoint began_;
  TimePoint peer_paused_until_ = TimePoint::min();
  std::uint64_t taken_ = 0;
  Error filter_error_;
  Error client_lost_;  // what is read is only stored
};

}  // namespace weir::proxy
