// What can be worked out about a location's headers before the first request: which fields of the
// client and of the peer pass, which are set. Built once, shared as const by all workers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "http/chars.h"
#include "http/head.h"

namespace weir::proxy {

// A set of field names. Most look-ups are answered by one bit.
class NameSet {
 public:
  void add(std::string_view name);  // any case
  [[nodiscard]] bool has(std::string_view name) const {
    return (bits_ >> hash(name) & 1) != 0 && search(name);
  }
  [[nodiscard]] bool empty() const { return names_.empty(); }

 private:
  static unsigned hash(std::string_view name) {
    const auto lower = [](char c) { return static_cast<unsigned>(c | 0x20); };
    return static_cast<unsigned>((name.size() * 7 + lower(name.front()) * 3 + lower(name.back())) &
                                 63U);
  }
  [[nodiscard]] bool search(std::string_view name) const;

  std::uint64_t bits_ = 0;
  std::vector<std::string> names_;  // lower case
};

using http::equal_ignoring_case;

class Plan {
 public:
  explicit Plan(const config::Location& location);

  // Whether a request field with this known id never passes to the peer.
  [[nodiscard]] bool drops_request(http::FieldId id) const {
    return drop_request_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] bool drops_response(http::FieldId id) const {
    return drop_response_[static_cast<std::size_t>(id)];
  }
  // The fields that proxy_set_header sets.
  struct SetHeader {
    enum class Kind : std::uint8_t { plain, upgrade, connection };
    std::string prefix;  // "Name: "
    const config::Value* value = nullptr;
    Kind kind = Kind::plain;
    bool checked = false;  // the value might hold what would break a head's lines
  };
  [[nodiscard]] const std::vector<SetHeader>& set_headers() const { return set_headers_; }
  // Fields of the request that proxy_set_header replaces.
  [[nodiscard]] const NameSet& replaced() const { return replaced_; }
  // Fields of the answer that proxy_hide_header hides.
  [[nodiscard]] const NameSet& hidden() const { return hidden_; }
  // Fields of an answer (a bit for each FieldId) that say more than what passes untouched: their
  // presence calls for a closer look, see Answer.
  [[nodiscard]] std::uint64_t looks_at() const { return looks_at_; }
  // proxy_set_header Upgrade is there: the location takes part in protocol upgrades.
  [[nodiscard]] bool sets_upgrade() const { return sets_upgrade_; }

 private:
  void look_at_answers(const config::Location& location);

  using IdFlags = std::array<bool, 64>;
  IdFlags drop_request_{};
  IdFlags drop_response_{};
  std::vector<SetHeader> set_headers_;
  NameSet replaced_;
  NameSet hidden_;
  std::uint64_t looks_at_ = 0;
  bool sets_upgrade_ = false;
};

}  // namespace weir::proxy
