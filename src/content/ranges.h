// Parts of an answer: Range (RFC 9110 section 14) as nginx reads it, and what frames the parts.
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::content {

struct ByteRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;  // one past the last byte
  [[nodiscard]] std::int64_t size() const { return end - begin; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

enum class RangeVerdict : std::uint8_t {
  ignore,         // the whole answer, with `Accept-Ranges: bytes`
  partial,        // 206 with one range or several
  unsatisfiable,  // 416 with append_unsatisfied_range
};

// `max_ranges` where it is not configured. Then many small ranges are ignored as well, whose
// framing would make the answer larger than the whole.
inline constexpr std::uint32_t kUnlimitedRanges = 0x7fffffff;

// Reads `field`, the value of Range, for an answer of `length` bytes. Ignored are other units, more
// than `max_ranges` ranges, and several ranges of more bytes together than `length`.
// `ranges` has what is to be sent only if the verdict is partial.
[[nodiscard]] RangeVerdict parse_ranges(std::string_view field, std::int64_t length,
                                        std::uint32_t max_ranges, std::vector<ByteRange>& ranges);

// Appends the value of Content-Range: "bytes 0-99/1000"; "bytes */1000".
void append_content_range(ByteRange range, std::int64_t length, std::string& out);
void append_unsatisfied_range(std::int64_t length, std::string& out);

// The frame of an answer with several ranges: part_head, the bytes, part_head, the bytes, end.
class Multipart {
 public:
  // `number` makes the boundary; it must be one that the content does not contain, so a random one.
  // `content_type` is that of the whole, with its charset; empty: none.
  Multipart(std::uint64_t number, std::string_view content_type, std::int64_t length);

  // "multipart/byteranges; boundary=00000000000000000017"
  [[nodiscard]] std::string content_type() const;
  void append_part_head(ByteRange range, std::string& out) const;
  void append_end(std::string& out) const;
  // Of the whole body: Content-Length.
  [[nodiscard]] std::int64_t size(std::span<const ByteRange> ranges) const;

 private:
  std::string boundary_;
  std::string part_head_;  // up to the numbers
  std::int64_t length_;
};

}  // namespace weir::content
