// Decompressing gzip while it passes (RFC 1952), members behind each other included. What comes out
// is bounded at each call, however little went in. Belongs to one answer and one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weir::content {

class Gunzip {
 public:
  enum class Result : std::uint8_t {
    all_taken,  // of the input
    full,       // there is more: write to the client, then call again with what is left of `in`
    bad,        // no gzip, damaged, or out of memory: the answer must be cut off
  };

  Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip();

  // Takes from the front of `in` and appends at most `room` bytes, above 0, to `out`. After `full`
  // the rest of `in` may be empty: something still waits to be written.
  [[nodiscard]] Result read(std::string_view& in, std::size_t room, std::string& out);

  // At the end of the input: whether a member, with its check sum, is complete. If not, the input
  // was cut off, or empty.
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  bool complete_ = false;
};

}  // namespace weir::content
