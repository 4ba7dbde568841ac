#include "access/secure_link.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "access/base64.h"
#include "access/digest.h"

namespace weir::access {
namespace {

constexpr std::size_t kLongestSum = 24;  // 16 bytes in base64, padded

std::optional<std::time_t> parse_time(std::string_view text) {
  std::time_t time = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time);
  if (error != std::errc{} || end != text.data() + text.size() || time == 0) return std::nullopt;
  return time;
}

bool has_sum(std::string_view sum, std::initializer_list<std::string_view> parts) {
  char computed[kMd5Size];
  return md5(parts, computed) && equal_in_constant_time(sum, {computed, sizeof computed});
}

// 32 hexadecimal digits as 16 bytes.
bool decode_hexadecimal(std::string_view digits, char* out) {
  if (digits.size() != 2 * kMd5Size) return false;
  for (std::size_t i = 0; i < kMd5Size; ++i) {
    unsigned byte = 0;
    const char* begin = digits.data() + 2 * i;
    const auto [end, error] = std::from_chars(begin, begin + 2, byte, 16);
    if (error != std::errc{} || end != begin + 2) return false;
    out[i] = static_cast<char>(byte);
  }
  return true;
}

}  // namespace

LinkCheck check_link(std::string_view value, std::string_view text, std::time_t now) {
  LinkCheck check;
  std::optional<std::time_t> expires;
  if (const auto comma = value.find(','); comma != std::string_view::npos) {
    const auto until = value.substr(comma + 1);
    value = value.substr(0, comma);
    expires = parse_time(until);
    if (!expires) return check;
    check.expires = until;
  }
  std::string sum;
  if (value.size() > kLongestSum || !decode_base64(value, Alphabet::url, sum) ||
      !has_sum(sum, {text})) {
    return check;
  }
  check.verdict = expires && *expires < now ? LinkVerdict::expired : LinkVerdict::valid;
  return check;
}

std::optional<std::string_view> check_secret_link(std::string_view target,
                                                  std::string_view secret) {
  const auto before_sum = target.find('/', 1);
  if (before_sum == std::string_view::npos) return std::nullopt;
  const auto before_link = target.find('/', before_sum + 1);
  if (before_link == std::string_view::npos) return std::nullopt;
  const auto digits = target.substr(before_sum + 1, before_link - before_sum - 1);
  const auto link = target.substr(before_link + 1);
  char sum[kMd5Size];
  if (link.empty() || !decode_hexadecimal(digits, sum) ||
      !has_sum({sum, sizeof sum}, {link, secret})) {
    return std::nullopt;
  }
  return link;
}

}  // namespace weir::access
