// DNS messages (RFC 1035): the query that is sent, and what its reply says about the question.
//
// Replies come from outside: whatever their bytes are, reading ends after a number of steps that
// their size bounds. Plain values and functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace weir::net::dns {

enum class Type : std::uint16_t { a = 1, cname = 5, aaaa = 28, srv = 33 };

// Names are text in lower case without the final dot. A character that cannot be in one (a dot
// inside a label, a control character) reads as a space: nothing that is asked about equals that.
inline constexpr std::size_t kMaxLabel = 63;
// As nginx: the text may have 255 characters, where RFC 1035 leaves room for 253.
inline constexpr std::size_t kMaxName = 255;

// `text` in that form. nullopt if nobody can be asked about it: it is empty or too long, or has an
// empty label, one of more than 63 bytes, or a blank or control character.
[[nodiscard]] std::optional<std::string> normalise(std::string_view text);

// A query with recursion desired, for a name that normalise() gave.
[[nodiscard]] std::string encode_query(std::uint16_t id, std::string_view name, Type type);

// One target of an SRV record (RFC 2782).
struct Service {
  std::string target;
  std::uint16_t priority = 0;  // lower is tried first
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  friend bool operator==(const Service&, const Service&) = default;
};

// What a reply says. The question is told only if has_question; the rest only if the reply is
// whole and `code` is 0.
struct Reply {
  std::uint16_t id = 0;
  bool truncated = false;
  std::uint8_t code = 0;  // RFC 1035's RCODE
  bool has_question = false;
  std::string name;
  Type type{};
  // Of the name, or of the last one in the chain of CNAMEs that begins with it. Port 0.
  std::vector<IpAddress> addresses;
  std::vector<Service> services;
  // The chain ends here with no record of the type: this name is to be asked about.
  std::optional<std::string> alias;
  std::uint32_t ttl = 0;  // seconds; the least of the records that led to the above
};

// At most this many records of an answer are read, and CNAMEs followed in one.
inline constexpr std::size_t kMaxRecords = 256;
inline constexpr int kMaxAliases = 16;

// Reads `message`. Null, or why it is no reply that could be used; `reply.id` is right even then
// if there are two bytes.
[[nodiscard]] const char* parse_reply(std::string_view message, Reply& reply);

}  // namespace weir::net::dns
