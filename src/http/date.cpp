#include "http/date.h"

#include <chrono>
#include <cstring>

#include "http/chars.h"

namespace weir::http {
namespace {

constexpr char kDays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void two_digits(int number, char* out) {
  out[0] = static_cast<char>('0' + number / 10);
  out[1] = static_cast<char>('0' + number % 10);
}

// Reads on from a place in a text; beyond the end there are NULs.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] std::size_t left() const { return at_ < text_.size() ? text_.size() - at_ : 0; }
  void skip(std::size_t count) { at_ += count; }
  bool take(char want) { return peek() == want && (skip(1), true); }
  // Exactly `count` digits.
  bool number(int count, int& value) {
    value = 0;
    for (int i = 0; i < count; ++i) {
      const char c = peek();
      if (!is_digit(c)) return false;
      value = value * 10 + (c - '0');
      skip(1);
    }
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

struct Parts {
  int year = 0;
  int month = 0;  // 1 to 12
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

// Three letters, of which only those count that tell a month from the others.
bool take_month(Cursor& in, int& month) {
  const char second = in.peek(1);
  const char third = in.peek(2);
  switch (in.peek()) {
    case 'J':
      month = second == 'a' ? 1 : third == 'n' ? 6 : 7;
      break;
    case 'F':
      month = 2;
      break;
    case 'M':
      month = third == 'r' ? 3 : 5;
      break;
    case 'A':
      month = second == 'p' ? 4 : 8;
      break;
    case 'S':
      month = 9;
      break;
    case 'O':
      month = 10;
      break;
    case 'N':
      month = 11;
      break;
    case 'D':
      month = 12;
      break;
    default:
      return false;
  }
  in.skip(3);
  return true;
}

bool take_time(Cursor& in, Parts& parts) {
  return in.number(2, parts.hour) && in.take(':') && in.number(2, parts.minute) && in.take(':') &&
         in.number(2, parts.second);
}

// "Nov  6 08:49:37 1994"
bool take_asctime(Cursor& in, Parts& parts) {
  if (!take_month(in, parts.month)) return false;
  in.skip(1);
  in.take(' ');
  if (!in.number(in.peek(1) == ' ' ? 1 : 2, parts.day)) return false;
  return in.take(' ') && take_time(in, parts) && in.take(' ') && in.number(4, parts.year);
}

// "06 Nov 1994 08:49:37", or "06-Nov-94 08:49:37"
bool take_day_first(Cursor& in, Parts& parts) {
  if (!in.number(2, parts.day)) return false;
  const char between = in.peek();
  const bool two_digit_year = between == '-';
  if (!two_digit_year && (between != ' ' || in.left() < 18)) return false;
  in.skip(1);
  if (!take_month(in, parts.month) || !in.take(between)) return false;
  if (!in.number(two_digit_year ? 2 : 4, parts.year)) return false;
  if (two_digit_year) parts.year += parts.year < 70 ? 2000 : 1900;
  return in.take(' ') && take_time(in, parts);
}

}  // namespace

std::optional<std::time_t> parse_date(std::string_view text) {
  const auto word_end = text.find_first_of(", ");
  if (word_end == std::string_view::npos) return std::nullopt;
  const auto begin = text.find_first_not_of(' ', word_end + 1);
  if (begin == std::string_view::npos || text.size() - begin < 18) return std::nullopt;
  Cursor in(text.substr(begin));
  Parts parts;
  if (!(text[word_end] == ' ' ? take_asctime(in, parts) : take_day_first(in, parts))) {
    return std::nullopt;
  }
  if (parts.hour > 23 || parts.minute > 59 || parts.second > 59) return std::nullopt;
  using namespace std::chrono;
  const auto month = year{parts.year} / parts.month;
  if (parts.day > static_cast<int>(static_cast<unsigned>((month / last).day()))) {
    return std::nullopt;
  }
  const sys_days first{month / 1};
  return static_cast<std::time_t>((first.time_since_epoch().count() + parts.day - 1)) * 86400 +
         parts.hour * 3600 + parts.minute * 60 + parts.second;
}

void format_date(std::time_t time, char* out) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  const int year = parts.tm_year + 1900;
  std::memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", kDateSize);
  std::memcpy(out, kDays + 3 * parts.tm_wday, 3);
  two_digits(parts.tm_mday, out + 5);
  std::memcpy(out + 8, kMonths + 3 * parts.tm_mon, 3);
  two_digits(year / 100, out + 12);
  two_digits(year % 100, out + 14);
  two_digits(parts.tm_hour, out + 17);
  two_digits(parts.tm_min, out + 20);
  two_digits(parts.tm_sec, out + 23);
}

}  // namespace weir::http
