// The line between master and engine: messages of a kind and a text, with descriptors. Kept by one
// thread at either end.
//
// A message is one packet of a Unix socket; descriptors that do not fit into one packet go ahead in
// packets of their own, texts that do not (a configuration) in a file in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace weir::main {

enum class Kind : std::uint8_t {
  // to the engine
  configure,      // a Handover; answered by applied or refused
  reopen,         // a Handover of logs only: the files, opened again
  operators,      // a Handover of the operators' socket only, or of none: where verbs come from
  reload_failed,  // the text says why; the engine only tells of it
  quit,           // end when requests have ended
  ping,           // answered by pong when every thread has run
  state_saved,    // the answer to `state`; the text says what went wrong
  certificates,   // those that have changed on disk and are not good: "PATH\tWHY\n" each
  kept,           // the answer to `keep`; the text says what went wrong
  // to the master
  applied,
  refused,  // the text says why; nothing has changed
  pong,
  state,  // what operators have set, to be kept; answered by state_saved, in the order sent
  keep,   // a file to be written: its path, a line feed, its text; answered by kept, in order
  // either way
  descriptors,  // of the next message
};

struct Message {
  Kind kind{};
  std::string text;
  std::vector<UniqueFd> fds;
};

class Channel {
 public:
  Channel() = default;
  explicit Channel(UniqueFd fd) : fd_(std::move(fd)) {}
  // Both ends; empty ones: errno says why.
  [[nodiscard]] static std::pair<Channel, Channel> make();

  [[nodiscard]] int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }
  int release() { return fd_.release(); }

  // Sends within a few seconds, or says no: the other end is gone, or does not read. Texts may be
  // of any length; `fds` stay the caller's.
  bool send(Kind kind, std::string_view text = {}, const std::vector<int>& fds = {});

  enum class Got : std::uint8_t { message, nothing, closed };
  // Does not wait.
  Got receive(Message& out);

 private:
  bool send_packet(Kind kind, std::string_view text, const int* fds, std::size_t count);
  Got receive_packet(Message& out);

  UniqueFd fd_;
  std::vector<UniqueFd> ahead_;  // descriptors of the message to come
};

}  // namespace weir::main
