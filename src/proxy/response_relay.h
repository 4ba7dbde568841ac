// Passes a peer's answer on to the client: head and first bytes in one write, the rest as it comes,
// with back-pressure. Lives in the frame of Exchange::proxy; worker thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/chunked.h"
#include "net/task.h"
#include "proxy/attempt.h"
#include "proxy/heads.h"

namespace weir::proxy {

class ResponseRelay {
 public:
  ResponseRelay(Exchange& exchange, Attempt& attempt);

  // Until the answer has gone to the client, or one side has failed.
  net::Task<Error> run();

  // The peer's answer ended as it should.
  [[nodiscard]] bool whole() const { return finished_; }
  // The peer sent bytes after the answer's end.
  [[nodiscard]] bool excess() const { return excess_; }

 private:
  struct Piece {
    char* data = nullptr;
    std::size_t size = 0;
    [[nodiscard]] std::string_view view() const { return {data, size}; }
  };
  // Makes what the client gets of `size` bytes at `data` (in the thread's buffer, with room before
  // and after); notes the end of the body.
  Error transform(char* data, std::size_t size, Piece& piece);
  Error unchunk(char* data, std::size_t size, Piece& piece);
  Error ended_by_peer(int sys);
  Error begin();
  Error read();
  Error flush();
  void write(std::string_view bytes);
  [[nodiscard]] std::size_t held() const { return tail_.size() - tail_sent_; }
  [[nodiscard]] bool wants_more() const;

  Exchange& x_;
  Attempt& attempt_;
  Worker& worker_;
  const config::ProxyConfig& proxy_;
  Delivery delivery_;
  http::ChunkedDecoder decoder_;
  std::uint64_t remaining_ = 0;
  bool finished_ = false;
  bool excess_ = false;
  std::string tail_;  // bytes that the client has not taken yet
  std::size_t tail_sent_ = 0;
  std::size_t read_size_ = net::Scratch::kSize;
  Error error_;
  bool moved_ = false;
};

// How the answer's body is to be delivered to this client.
[[nodiscard]] Delivery choose_delivery(const http::RequestHead& request,
                                       const http::ResponseHead& response);

}  // namespace weir::proxy
