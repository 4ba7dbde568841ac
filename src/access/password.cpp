#include "access/password.h"

#include <crypt.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <string>

#include "access/base64.h"
#include "access/digest.h"

namespace weir::access {
namespace {

constexpr std::string_view kApr1 = "$apr1$";
constexpr std::string_view kPlain = "{PLAIN}";
constexpr std::string_view kSha = "{SHA}";
constexpr std::string_view kSsha = "{SSHA}";

// Passwords and what comes of them do not stay in memory that is used again.
class Secret {
 public:
  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { explicit_bzero(text.data(), text.size()); }
  std::string text;
};

PasswordVerdict compare(std::string_view computed, std::string_view stored) {
  return equal_in_constant_time(computed, stored) ? PasswordVerdict::match
                                                  : PasswordVerdict::mismatch;
}

// Six bits a letter, the lowest first, in the order that crypt(3) has them in.
void append_letters(unsigned bits, int count, std::string& out) {
  constexpr char letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (; count > 0; --count, bits >>= 6) out.push_back(letters[bits & 63]);
}

std::string apr1_text(std::string_view salt, const char* digest) {
  const auto byte = [digest](int i) -> unsigned { return static_cast<unsigned char>(digest[i]); };
  std::string out(kApr1);
  out.append(salt).append("$");
  for (int i = 0; i < 5; ++i) {
    append_letters(byte(i) << 16 | byte(i + 6) << 8 | byte(i == 4 ? 5 : i + 12), 4, out);
  }
  append_letters(byte(11), 2, out);
  return out;
}

// Apache's variant of the MD5 method of FreeBSD's crypt: the same but for its name, which is hashed
// along with the password.
PasswordVerdict verify_apr1(std::string_view key, std::string_view stored) {
  std::string_view salt = stored.substr(kApr1.size(), 8);
  salt = salt.substr(0, salt.find('$'));
  char digest[kMd5Size];
  const std::string_view last(digest, sizeof digest);
  if (!md5({key, salt, key}, digest)) return PasswordVerdict::unusable;

  Secret first;
  first.text.reserve(2 * key.size() + 128);  // growing would leave copies behind
  first.text.append(key).append(kApr1).append(salt);
  for (std::size_t left = key.size(); left > 0; left -= std::min(left, kMd5Size)) {
    first.text.append(last.substr(0, left));
  }
  for (std::size_t bits = key.size(); bits > 0; bits >>= 1) {
    first.text.push_back(bits & 1 ? '\0' : key.front());
  }
  if (!md5({first.text}, digest)) return PasswordVerdict::unusable;

  constexpr std::string_view none;
  for (int round = 0; round < 1000; ++round) {
    const bool odd = round % 2 != 0;
    if (!md5({odd ? key : last, round % 3 != 0 ? salt : none, round % 7 != 0 ? key : none,
              odd ? last : key},
             digest)) {
      return PasswordVerdict::unusable;
    }
  }
  return compare(apr1_text(salt, digest), stored);
}

PasswordVerdict verify_sha(std::string_view key, std::string_view stored) {
  char digest[kSha1Size];
  if (!sha1({key}, digest)) return PasswordVerdict::unusable;
  return compare(encode_base64({digest, sizeof digest}), stored.substr(kSha.size()));
}

// base64(SHA1(key salt) salt); what is no base64, or too short, has no salt.
PasswordVerdict verify_ssha(std::string_view key, std::string_view stored) {
  const auto encoded = stored.substr(kSsha.size());
  std::string decoded;
  std::string_view salt;
  if (decode_base64(encoded, Alphabet::standard, decoded) && decoded.size() > kSha1Size) {
    salt = std::string_view(decoded).substr(kSha1Size);
  }
  char digest[kSha1Size];
  if (!sha1({key, salt}, digest)) return PasswordVerdict::unusable;
  return compare(encode_base64(std::string(digest, sizeof digest).append(salt)), encoded);
}

PasswordVerdict verify_crypt(std::string_view key, std::string_view stored) {
  Secret plain;
  plain.text = key;
  const std::string setting(stored);
  const auto data = std::make_unique<crypt_data>();
  const char* computed = crypt_r(plain.text.c_str(), setting.c_str(), data.get());
  const auto verdict = computed == nullptr ? PasswordVerdict::unusable : compare(computed, stored);
  explicit_bzero(data.get(), sizeof *data);
  return verdict;
}

}  // namespace

PasswordVerdict verify_password(std::string_view plain, std::string_view stored) {
  constexpr char nul = '\0';
  if (plain.find(nul) != std::string_view::npos || stored.find(nul) != std::string_view::npos) {
    return PasswordVerdict::mismatch;
  }
  if (stored.starts_with(kApr1)) return verify_apr1(plain, stored);
  if (stored.starts_with(kPlain)) return compare(plain, stored.substr(kPlain.size()));
  if (stored.starts_with(kSsha)) return verify_ssha(plain, stored);
  if (stored.starts_with(kSha)) return verify_sha(plain, stored);
  return verify_crypt(plain, stored);
}

std::optional<std::string_view> find_user(std::string_view file, std::string_view user) {
  while (!file.empty()) {
    const auto end = file.find('\n');
    auto line = file.substr(0, end);
    file.remove_prefix(end == std::string_view::npos ? file.size() : end + 1);
    if (line.starts_with('#') || !line.starts_with(user)) continue;
    line.remove_prefix(user.size());
    if (!line.starts_with(':')) continue;
    line.remove_prefix(1);
    return line.substr(0, line.find_first_of("\r:"));
  }
  return std::nullopt;
}

}  // namespace weir::access
