// What OpenSSL's callbacks need to know of one connection. Lives as long as its SSL object; the
// connection's worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tls/challenges.h"
#include "tls/context.h"

namespace weir::tls {

struct Connection {
  explicit Connection(std::shared_ptr<const Context> first) : context(std::move(first)) {}

  // The context that the handshake is made by. The first one is kept besides: tickets and caches
  // of sessions are its own.
  std::shared_ptr<const Context> context;
  std::shared_ptr<const Context> first = context;
  // Server: finds the context for a name that a client asks for (lower case; empty: none asked
  // for). Null: the first one's.
  std::shared_ptr<const Context> (*choose)(void* chooser, std::string_view name) = nullptr;
  void* chooser = nullptr;
  // Server: of ACME servers, which are answered ahead of all; null: none are.
  const Challenges* challenges = nullptr;
  bool challenge = false;   // it is such a one: nothing follows the handshake
  std::string refusal;      // why the handshake was refused, if it was
  std::string server_name;  // that the client asked for; lower case, without a dot at its end
  bool http2 = false;       // server: ALPN may choose it
  std::string peer;         // client: the key of kept sessions

  // Messages of the handshake protocol that have come after the handshake, as far as application
  // data does not excuse them: each costs its sender less than its receiver.
  static constexpr std::uint32_t kMostMessages = 64;
  std::uint32_t messages = 0;
  bool established = false;
  bool abused = false;
};

}  // namespace weir::tls
