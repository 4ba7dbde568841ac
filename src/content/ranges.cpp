#include "content/ranges.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "http/chars.h"

namespace weir::content {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kBoundarySize = 20;

// What nginx reckons a part's head and the answer's own with, to tell whether ranges are worth it.
constexpr std::int64_t kHeadOfPart = 256;
constexpr std::int64_t kHeadOfAnswer = 4096;

void skip_spaces(std::string_view& in) {
  while (in.starts_with(' ')) in.remove_prefix(1);
}

bool take_number(std::string_view& in, std::int64_t& value) {
  if (in.empty() || !http::is_digit(in.front())) return false;
  const auto [end, error] = std::from_chars(in.data(), in.data() + in.size(), value);
  in.remove_prefix(static_cast<std::size_t>(end - in.data()));
  return error == std::errc{};
}

bool at_end_of_spec(std::string_view in) { return in.empty() || in.front() == ','; }

// "0-99", "100-", "-100" at the start of `in`. False: malformed. An empty range is one that the
// answer does not reach.
bool take_spec(std::string_view& in, std::int64_t length, ByteRange& range) {
  skip_spaces(in);
  const bool suffix = in.starts_with('-');
  if (!suffix) {
    if (!take_number(in, range.begin)) return false;
    skip_spaces(in);
    if (!in.starts_with('-')) return false;
  }
  in.remove_prefix(1);
  if (!suffix) {
    skip_spaces(in);
    if (at_end_of_spec(in)) {
      range.end = length;
      return true;
    }
  }
  std::int64_t last = 0;
  if (!take_number(in, last)) return false;
  skip_spaces(in);
  if (!at_end_of_spec(in)) return false;
  if (suffix) {
    range.begin = last < length ? length - last : 0;
    range.end = length;
  } else {
    range.end = last >= length ? length : last + 1;
  }
  return true;
}

void append_number(std::int64_t number, std::string& out) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_numbers(ByteRange range, std::int64_t length, std::string& out) {
  append_number(range.begin, out);
  out.push_back('-');
  append_number(range.end - 1, out);
  out.push_back('/');
  append_number(length, out);
}

std::int64_t digits_of(std::int64_t number) {
  std::int64_t digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

}  // namespace

RangeVerdict parse_ranges(std::string_view field, std::int64_t length, std::uint32_t max_ranges,
                          std::vector<ByteRange>& ranges) {
  ranges.clear();
  constexpr std::string_view unit = "bytes=";
  if (max_ranges == 0 || field.size() <= unit.size() ||
      !http::equal_ignoring_case(field.substr(0, unit.size()), unit)) {
    return RangeVerdict::ignore;
  }
  auto in = field.substr(unit.size());
  std::int64_t total = 0;
  while (true) {
    ByteRange range;
    if (!take_spec(in, length, range)) return RangeVerdict::unsatisfiable;
    if (range.begin < range.end) {
      if (ranges.size() == max_ranges) return RangeVerdict::ignore;
      if (total > kMax - range.size()) return RangeVerdict::unsatisfiable;
      total += range.size();
      ranges.push_back(range);
    } else if (range.begin == 0) {
      return RangeVerdict::ignore;
    }
    if (in.empty()) break;
    in.remove_prefix(1);
  }
  if (ranges.empty()) return RangeVerdict::unsatisfiable;
  if (ranges.size() == 1) return RangeVerdict::partial;
  if (total > length) return RangeVerdict::ignore;
  const auto heads = static_cast<std::int64_t>(ranges.size()) * kHeadOfPart;
  if (max_ranges == kUnlimitedRanges && heads - kHeadOfAnswer > length - total) {
    return RangeVerdict::ignore;
  }
  return RangeVerdict::partial;
}

void append_content_range(ByteRange range, std::int64_t length, std::string& out) {
  out.append("bytes ");
  append_numbers(range, length, out);
}

void append_unsatisfied_range(std::int64_t length, std::string& out) {
  out.append("bytes */");
  append_number(length, out);
}

Multipart::Multipart(std::uint64_t number, std::string_view content_type, std::int64_t length)
    : boundary_(std::to_string(number)), length_(length) {
  boundary_.insert(0, kBoundarySize - boundary_.size(), '0');
  part_head_.append("\r\n--").append(boundary_).append("\r\n");
  if (!content_type.empty()) {
    part_head_.append("Content-Type: ").append(content_type).append("\r\n");
  }
  part_head_.append("Content-Range: bytes ");
}

std::string Multipart::content_type() const {
  return "multipart/byteranges; boundary=" + boundary_;
}

void Multipart::append_part_head(ByteRange range, std::string& out) const {
  out.append(part_head_);
  append_numbers(range, length_, out);
  out.append("\r\n\r\n");
}

void Multipart::append_end(std::string& out) const {
  out.append("\r\n--").append(boundary_).append("--\r\n");
}

std::int64_t Multipart::size(std::span<const ByteRange> ranges) const {
  constexpr std::size_t marks = 2 + 4;  // "-", "/" and the empty line
  const auto fixed = static_cast<std::int64_t>(part_head_.size() + marks) + digits_of(length_);
  auto total = static_cast<std::int64_t>(4 + kBoundarySize + 4);
  for (const auto& range : ranges) {
    total += fixed + digits_of(range.begin) + digits_of(range.end - 1) + range.size();
  }
  return total;
}

}  // namespace weir::content
