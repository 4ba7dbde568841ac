#include "registry/resp.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace weir::registry {
namespace {

bool parse_integer(std::string_view text, std::int64_t& out) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out);
  return result.ec == std::errc{} && result.ptr == end && !text.empty();
}

std::string printable(char c) {
  if (c > ' ' && c < 0x7f) return std::string("\"") + c + "\"";
  static constexpr char digits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return std::string("0x") + digits[byte >> 4] + digits[byte & 15];
}

}  // namespace

bool RespValue::is_error(std::string_view code) const {
  return is_error() && text.starts_with(code) &&
         (text.size() == code.size() || text[code.size()] == ' ');
}

RespParser::Step RespParser::fail(std::string text) {
  error_ = std::move(text);
  return Step::error;
}

RespParser::Status RespParser::next(RespValue& out) {
  if (!error_.empty()) return Status::error;
  while (true) {
    RespValue value;
    const Step step = read_one(value);
    const bool waits = step == Step::need_more;
    if (step != Step::error && (waits ? pending() : taken_) > limits_.total) {
      fail("an answer is too large");
    }
    if (!error_.empty()) return Status::error;
    if (waits) return Status::need_more;
    if (step == Step::part || !settle(value)) continue;
    out = std::move(value);
    taken_ = 0;
    values_ = 0;
    if (at_ == buffer_.size() || at_ > 64 * 1024) {
      buffer_.erase(0, at_);
      at_ = 0;
    }
    return Status::value;
  }
}

bool RespParser::settle(RespValue& value) {
  while (!stack_.empty()) {
    Frame& frame = stack_.back();
    frame.array.items.push_back(std::move(value));
    if (--frame.left > 0) return false;
    value = std::move(frame.array);
    stack_.pop_back();
  }
  return true;
}

void RespParser::consume(std::size_t bytes) {
  at_ += bytes;
  taken_ += bytes;
  scanned_ = 0;
}

RespParser::Step RespParser::read_one(RespValue& out) {
  if (in_bulk_) return read_bulk(out);
  const auto end = buffer_.find("\r\n", at_ + scanned_);
  if (end == std::string::npos) {
    const std::size_t have = buffer_.size() - at_;
    if (have > limits_.line + 1) return fail("a line is too long");
    scanned_ = have == 0 ? 0 : have - 1;  // the last byte may be half of an end
    return Step::need_more;
  }
  if (end - at_ > limits_.line) return fail("a line is too long");
  const std::string line = buffer_.substr(at_, end - at_);
  consume(line.size() + 2);
  if (++values_ > limits_.values) return fail("an answer has too many values");
  return read_header(line, out);
}

RespParser::Step RespParser::read_header(std::string_view line, RespValue& out) {
  if (line.empty()) return fail("an empty line where a value begins");
  const char kind = line.front();
  line.remove_prefix(1);
  if (kind == '+' || kind == '-') {
    out.type = kind == '+' ? RespValue::Type::simple : RespValue::Type::error;
    out.text = line;
    return Step::whole;
  }
  if (kind != ':' && kind != '$' && kind != '*') {
    return fail("not an answer of Redis: it begins with " + printable(kind));
  }
  std::int64_t number = 0;
  if (!parse_integer(line, number)) return fail("a number is no number");
  if (kind == ':') {
    out.type = RespValue::Type::integer;
    out.integer = number;
    return Step::whole;
  }
  if (number == -1) return Step::whole;  // nil
  if (number < 0) return fail("a negative length");
  if (kind == '*') return begin_array(number, out);
  if (static_cast<std::uint64_t>(number) > limits_.bulk) return fail("a text is too long");
  in_bulk_ = true;
  bulk_left_ = static_cast<std::size_t>(number);
  return read_bulk(out);
}

RespParser::Step RespParser::read_bulk(RespValue& out) {
  if (buffer_.size() - at_ < bulk_left_ + 2) return Step::need_more;
  if (buffer_.compare(at_ + bulk_left_, 2, "\r\n") != 0) return fail("a text has no end");
  out.type = RespValue::Type::bulk;
  out.text = buffer_.substr(at_, bulk_left_);
  consume(bulk_left_ + 2);
  in_bulk_ = false;
  return Step::whole;
}

RespParser::Step RespParser::begin_array(std::int64_t count, RespValue& out) {
  out.type = RespValue::Type::array;
  if (count == 0) return Step::whole;
  if (static_cast<std::uint64_t>(count) > limits_.values) return fail("an array is too long");
  if (stack_.size() >= limits_.depth) return fail("arrays are nested too deep");
  stack_.push_back({.array = std::move(out), .left = static_cast<std::size_t>(count)});
  return Step::part;
}

namespace {

template <class Words>
std::string format(const Words& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n";
    out += word;
    out += "\r\n";
  }
  return out;
}

}  // namespace

std::string format_command(std::span<const std::string> words) { return format(words); }
std::string format_command(std::initializer_list<std::string_view> words) { return format(words); }

}  // namespace weir::registry
