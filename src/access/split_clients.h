// nginx's `split_clients`: a value by a hash of a text, in given shares. Immutable after make();
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::access {

// MurmurHash2 (Austin Appleby), seed 0, as nginx has it.
[[nodiscard]] std::uint32_t murmur_hash2(std::string_view text);

class SplitClients {
 public:
  struct Part {
    std::optional<std::uint32_t>
        share;  // hundredths of a percent, 1 to 10000; nullopt: "*", the rest
    std::string value;
  };

  // "0.5%" as 50. nullopt: malformed, more than two decimals, or nothing.
  [[nodiscard]] static std::optional<std::uint32_t> parse_share(std::string_view text);

  // nullopt: the shares are more than 100 %, "*" counting as all that is left.
  [[nodiscard]] static std::optional<SplitClients> make(std::vector<Part> parts);

  // The value for `text`; empty if it is in no share.
  [[nodiscard]] std::string_view find(std::string_view text) const;

 private:
  struct Limit {
    std::optional<std::uint32_t> below;  // hashes below this; nullopt: all
    std::string value;
  };
  std::vector<Limit> limits_;
};

}  // namespace weir::access
