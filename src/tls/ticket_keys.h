// The keys that session tickets (RFC 5077, RFC 8446 section 4.6.1) are sealed with: those of files,
// or keys of weir's own, which are drawn anew from time to time, so that what is recorded today
// cannot be read with a key that is stolen later. All workers, under a lock.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::tls {

class TicketKeys {
 public:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> hmac{};
    std::array<unsigned char, 32> aes{};
    bool short_aes = false;  // AES-128: of a file of 48 bytes
  };
  // Keys of its own, each for `life`; those before it open tickets for as long again.
  explicit TicketKeys(std::chrono::seconds life) : life_(life) {}
  // Those of files: the first one seals.
  explicit TicketKeys(std::vector<Key> keys) : keys_(std::move(keys)), fixed_(true) {}

  // `ssl_session_ticket_key`'s file: 80 bytes or 48. nullopt: it has another size.
  [[nodiscard]] static std::optional<Key> parse(std::string_view bytes);

  // The key to seal with; nullopt: no randomness is to be had. `now`: seconds since the epoch.
  [[nodiscard]] std::optional<Key> sealing(std::int64_t now);
  // The key of that name; `first`: it is the one that seals.
  [[nodiscard]] std::optional<Key> opening(const unsigned char* name, std::int64_t now,
                                           bool& first);
  // The life of those drawn from now on.
  void set_life(std::chrono::seconds life);

 private:
  bool rotate(std::int64_t now);

  std::mutex mutex_;
  std::vector<Key> keys_;
  bool fixed_ = false;
  std::chrono::seconds life_{0};
  std::int64_t drawn_ = 0;
};

}  // namespace weir::tls
