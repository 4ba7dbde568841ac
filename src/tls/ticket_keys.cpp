#include "tls/ticket_keys.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

namespace weir::tls {

std::optional<TicketKeys::Key> TicketKeys::parse(std::string_view bytes) {
  // The name, then the key of the HMAC, then that of AES, in nginx's order for each size.
  Key key;
  key.short_aes = bytes.size() == 48;
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  if (bytes.size() == 80) {
    std::copy_n(from, 16, key.name.begin());
    std::copy_n(from + 16, 32, key.hmac.begin());
    std::copy_n(from + 48, 32, key.aes.begin());
  } else if (bytes.size() == 48) {
    std::copy_n(from, 16, key.name.begin());
    std::copy_n(from + 16, 16, key.aes.begin());
    std::copy_n(from + 32, 16, key.hmac.begin());
  } else {
    return std::nullopt;
  }
  return key;
}

void TicketKeys::set_life(std::chrono::seconds life) {
  const std::lock_guard lock(mutex_);
  life_ = life;
}

std::optional<TicketKeys::Key> TicketKeys::sealing(std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (!fixed_ && !rotate(now)) return std::nullopt;
  return keys_.front();
}

std::optional<TicketKeys::Key> TicketKeys::opening(const unsigned char* name, std::int64_t now,
                                                   bool& first) {
  const std::lock_guard lock(mutex_);
  if (!fixed_ && !rotate(now)) return std::nullopt;
  for (const auto& key : keys_) {
    if (std::memcmp(key.name.data(), name, key.name.size()) != 0) continue;
    first = &key == &keys_.front();
    return key;
  }
  return std::nullopt;
}

// A ticket lives for as long as a key seals, so the key before this one opens what is still good.
bool TicketKeys::rotate(std::int64_t now) {
  const auto life = std::max<std::int64_t>(life_.count(), 1);
  if (!keys_.empty() && now - drawn_ < life) return true;
  if (!keys_.empty() && now - drawn_ >= 2 * life) keys_.clear();
  Key key;
  if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
      RAND_bytes(key.hmac.data(), static_cast<int>(key.hmac.size())) != 1 ||
      RAND_bytes(key.aes.data(), static_cast<int>(key.aes.size())) != 1) {
    return !keys_.empty();
  }
  keys_.insert(keys_.begin(), key);
  if (keys_.size() > 2) keys_.resize(2);
  drawn_ = now;
  return true;
}

}  // namespace weir::tls
