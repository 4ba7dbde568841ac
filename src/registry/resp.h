// RESP2, the protocol of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec): what
// a server says, read piece by piece and within bounds, and commands as bytes. No I/O. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::registry {

struct RespValue {
  enum class Type : std::uint8_t { nil, simple, error, integer, bulk, array };
  Type type = Type::nil;
  std::string text;              // of simple, error and bulk
  std::int64_t integer = 0;      // of integer
  std::vector<RespValue> items;  // of array

  [[nodiscard]] bool is_error() const { return type == Type::error; }
  [[nodiscard]] bool is_text() const { return type == Type::simple || type == Type::bulk; }
  // An error whose first word is `code`: "WRONGTYPE Operation against …".
  [[nodiscard]] bool is_error(std::string_view code) const;
  friend bool operator==(const RespValue&, const RespValue&) = default;
};

// What is more than this is an error, whatever the server meant by it.
struct RespLimits {
  std::size_t line = 4096;          // bytes of a line, its end not counted
  std::size_t bulk = 256 * 1024;    // bytes of a text
  std::size_t total = 1024 * 1024;  // bytes of a whole value
  std::size_t values = 16 * 1024;   // in a whole value, nested ones included
  std::size_t depth = 8;
};

class RespParser {
 public:
  explicit RespParser(RespLimits limits = {}) : limits_(limits) {}

  enum class Status : std::uint8_t { value, need_more, error };
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // Takes the next whole value out of what was fed. After an error nothing can be read any more.
  [[nodiscard]] Status next(RespValue& out);
  // Why the last status was error.
  [[nodiscard]] const std::string& error() const { return error_; }
  // Bytes that were fed and belong to no value yet.
  [[nodiscard]] std::size_t pending() const { return buffer_.size() - at_ + taken_; }

 private:
  struct Frame {
    RespValue array;
    std::size_t left = 0;
  };
  enum class Step : std::uint8_t { whole, part, need_more, error };

  Step read_one(RespValue& out);
  Step read_header(std::string_view line, RespValue& out);
  Step read_bulk(RespValue& out);
  Step begin_array(std::int64_t count, RespValue& out);
  Step fail(std::string text);
  // Puts a whole value where it belongs; true: `value` is a top-level one.
  bool settle(RespValue& value);
  void consume(std::size_t bytes);

  RespLimits limits_;
  std::string buffer_;
  std::size_t at_ = 0;       // read so far
  std::size_t scanned_ = 0;  // behind at_: no end of line there
  std::size_t taken_ = 0;    // bytes of the present top-level value before at_
  std::size_t values_ = 0;   // of the present top-level value
  bool in_bulk_ = false;
  std::size_t bulk_left_ = 0;  // bytes of the text, without its end
  std::vector<Frame> stack_;
  std::string error_;
};

// A command as the array of texts that Redis takes: any bytes may stand in the words.
[[nodiscard]] std::string format_command(std::span<const std::string> words);
[[nodiscard]] std::string format_command(std::initializer_list<std::string_view> words);

}  // namespace weir::registry
