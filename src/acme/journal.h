// Which orders of an issuer have failed, and when they are tried again: kept in a file, so that
// programs that are started again and again do not order each time. Values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace weir::acme {

struct Attempt {
  std::uint32_t failures = 0;  // in a row
  WallTime next{};             // not before this
  std::string why;
  bool operator==(const Attempt&) const = default;
};

struct Journal {
  std::string account;                      // what was ordered by: of another nothing is known
  std::map<std::string, Attempt> attempts;  // by the name of the certificate's file
  bool operator==(const Journal&) const = default;
};

[[nodiscard]] std::string to_text(const Journal& journal);
// Lines that cannot be read are left out.
[[nodiscard]] Journal journal_of(std::string_view text);

}  // namespace weir::acme
