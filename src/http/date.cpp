#include "http/date.h"

#include <cstring>

namespace weir::http {
namespace {

constexpr char kDays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void two_digits(int number, char* out) {
  out[0] = static_cast<char>('0' + number / 10);
  out[1] = static_cast<char>('0' + number % 10);
}

}  // namespace

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
