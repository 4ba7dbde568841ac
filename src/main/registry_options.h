// What `weir node` and `weir registry` are told on their command lines. A value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "registry/link.h"

namespace weir::main {

// Where the registry is and which application's it is.
struct RegistryPlace {
  std::string url;  // empty: from WEIR_REGISTRY_URL, else from REDIS_URL
  std::string app = "main";
  std::string ca;        // a file with certificates
  std::string tls_name;  // that the server's certificate must be for
};

struct NodeOptions {
  RegistryPlace place;
  std::string addr;   // HOST:PORT at which weir is to reach the node
  std::string check;  // URI; empty: a connection to `addr` is enough
  std::string mode;   // WORKER_MODE
  std::string version;
  std::uint32_t weight = 1;
  Duration lease{15'000};
  Duration settle{6'000};
  Duration drain{10'000};         // how long a node that is to end still serves
  Duration stop_timeout{30'000};  // from SIGTERM to SIGKILL
  bool strict = false;            // ends when Redis cannot be reached until the lease is over
  std::vector<std::string> command;
};

struct RegistryCommand {
  enum class What : std::uint8_t { list, drain, ready, release };
  RegistryPlace place;
  What what = What::list;
  std::size_t id = 0;
};

// Both print what is wrong, or the help that was asked for: then true, and `status` to exit with.
[[nodiscard]] bool parse_node(int count, char** arguments, NodeOptions& out, int& status);
[[nodiscard]] bool parse_registry(int count, char** arguments, RegistryCommand& out, int& status);

// The way there. Not empty: what is wrong with it.
[[nodiscard]] std::string make_link_options(const RegistryPlace& place, registry::LinkOptions& out);

}  // namespace weir::main
