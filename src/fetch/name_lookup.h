// The addresses of a server's name, as the system's resolver finds them, within a time:
// getaddrinfo() itself knows no limit. Coroutines; of any one thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace weir::fetch {

struct Found {
  std::vector<boost::asio::ip::tcp::endpoint> endpoints;
  std::string error;  // why there are none
};

// Called in a thread of its own, which nobody waits for.
using Ask = std::function<Found(const std::string& host, const std::string& port)>;
[[nodiscard]] Found ask_system(const std::string& host, const std::string& port);

// Ends after `limit` at the latest, with an error then.
[[nodiscard]] boost::asio::awaitable<Found> look_up(std::string host, std::string port,
                                                    Duration limit, Ask ask = ask_system);

}  // namespace weir::fetch
