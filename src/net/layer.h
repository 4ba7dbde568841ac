// What a descriptor's bytes go through instead of its socket: TLS, or a stream of an HTTP/2
// connection. Results and rules are those of the descriptor's own functions. The loop's thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::net {

struct IoResult;

class Layer {
 public:
  Layer() = default;
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  virtual IoResult read(char* to, std::size_t size) = 0;
  virtual IoResult write(std::string_view bytes) = 0;
  virtual IoResult write_file(int file, std::uint64_t offset, std::size_t size) = 0;
  virtual IoResult peek() = 0;
  // Tells the other side that nothing more comes.
  virtual void end_writing() = 0;
  // The end will look like a failure.
  virtual void forget() = 0;
};

}  // namespace weir::net
