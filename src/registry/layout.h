// The open layout of the node registry: where a node's record is, what is in it, who serves.
//
//   weir:{APP}:node:ID   hash, expires; ID 0 to 31
//     addr      host:port                 instance  text of its own for each process
//     state     starting, ready, draining mode      NocoBase's WORKER_MODE, as set
//     weight    1 to 65535                version   of the application
//     since     ms since 1970             drain     not empty: draining, by an operator
//   weir:{APP}:events    channel: "ID STATE" at each change; "ID gone" at a release
//   weir:{APP}:earlier   hash: addr -> ID it had last and gets back after a restart
//
// {APP} in braces keeps an application's keys in one slot of Redis Cluster. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "registry/resp.h"

namespace weir::registry {

inline constexpr std::size_t kSlots = 32;  // NocoBase's worker IDs have 5 bits

// Letters, digits, - . and _; 1 to 64 of them.
[[nodiscard]] bool is_app_name(std::string_view app);
[[nodiscard]] std::string node_key(std::string_view app, std::size_t id);
[[nodiscard]] std::string events_channel(std::string_view app);
[[nodiscard]] std::string earlier_key(std::string_view app);

enum class NodeState : std::uint8_t { starting, ready, draining };
[[nodiscard]] const char* to_string(NodeState state);
[[nodiscard]] std::optional<NodeState> parse_state(std::string_view text);

struct NodeRecord {
  std::string addr;
  std::string instance;
  NodeState state = NodeState::ready;
  std::string mode;
  std::uint32_t weight = 1;
  std::string version;
  std::uint64_t since = 0;  // ms since 1970; 0: not told
  bool drained = false;     // by an operator: `state` is draining whatever the node says
};

// The fields that read_record() wants, for HMGET.
[[nodiscard]] std::string read_command(std::string_view app, std::size_t id);
// The answer to it. Nullopt and an empty `error`: there is no node. Nullopt and a text: there is
// something, and it makes no sense.
[[nodiscard]] std::optional<NodeRecord> read_record(const RespValue& answer, std::string& error);

// Whether a node of this WORKER_MODE serves requests: "" and "!" do, "!,a" does; "*", "-" and
// "a,b" do not.
[[nodiscard]] bool serves_requests(std::string_view mode);

}  // namespace weir::registry
