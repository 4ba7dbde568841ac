// Server-sent events: the state of weir to those who watch it, whole at first (`state`), then what
// changes (`change`), with a beat each second or two. Control thread only; the Server owns it.
//
// Limits: 16 watchers. One that takes longer than 10 s over a message is dropped; one that is
// behind misses messages, and gets the whole state again instead: nothing piles up.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace weir::admin {

class Events {
 public:
  static constexpr std::size_t kMost = 16;

  struct Parts {
    std::function<boost::json::value()> state;
    const Clock* clock = nullptr;
  };
  // `io` must outlive it.
  Events(boost::asio::io_context& io, Parts parts);
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  [[nodiscard]] bool full() const;
  // Takes over a connection whose request has been read; `head`: of the answer.
  void add(boost::asio::generic::stream_protocol::socket socket, std::string head);
  // Ends all.
  void close();

 private:
  class Watcher;
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with operations that have not ended yet
};

// A message as it is sent: "event: NAME\ndata: ...\n\n".
[[nodiscard]] std::string event_text(std::string_view name, const boost::json::value& data);

}  // namespace weir::admin
