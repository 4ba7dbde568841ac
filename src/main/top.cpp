#include "main/top.h"

#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <map>
#include <thread>

#include "main/status_text.h"

namespace weir::main {
namespace {

namespace json = boost::json;

constexpr const char* kHome = "\x1b[H";        // the cursor, to the first line
constexpr const char* kClearLine = "\x1b[K";   // what is left of the line
constexpr const char* kClearBelow = "\x1b[J";  // what is left of the screen
constexpr const char* kClearAll = "\x1b[2J";

std::uint64_t requests_of(const json::object& peer) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : peer.at("requests").as_object()) {
    sum += count.to_number<std::uint64_t>();
  }
  return sum;
}

// By pool and address.
using Counts = std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>;

Counts counts_of(const json::value& status) {
  Counts counts;
  if (!status.is_object()) return counts;
  for (const auto& entry : status.get_object().at("upstreams").as_array()) {
    const auto& pool = entry.as_object();
    for (const auto& each : pool.at("peers").as_array()) {
      const auto& peer = each.as_object();
      counts[std::string(pool.at("name").as_string()) + "/" +
             std::string(peer.at("address").as_string())] = {
          requests_of(peer), peer.at("failures").to_number<std::uint64_t>()};
    }
  }
  return counts;
}

std::string rate(std::uint64_t now, std::uint64_t before, Duration passed) {
  if (passed.count() <= 0 || now < before) return "-";
  return std::to_string((now - before) * 1000 / static_cast<std::uint64_t>(passed.count()));
}

std::string cell(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : std::string();
}

std::string terminal(const std::string& text) {
  std::string out = kHome;
  for (const char c : text) {
    if (c == '\n') out += kClearLine;
    out += c;
  }
  return out + kClearBelow;
}

}  // namespace

std::string top_text(const json::value& now, const json::value& before, Duration passed) {
  const auto earlier = counts_of(before);
  std::string out = "weir, generation " +
                    std::to_string(now.as_object().at("generation").to_number<std::uint64_t>()) +
                    "\n\n";
  for (const auto& entry : now.as_object().at("upstreams").as_array()) {
    const auto& pool = entry.as_object();
    out += pool_line(pool) + "\n";
    TextTable table;
    table.add({"PEER", "STATE", "CONNS", "REQ/S", "FAIL/S", "REQUESTS", "REASON"});
    for (const auto& each : pool.at("peers").as_array()) {
      const auto& peer = each.as_object();
      const auto address = cell(peer.at("address"));
      const auto found = earlier.find(cell(pool.at("name")) + "/" + address);
      const bool known = found != earlier.end();
      const auto requests = requests_of(peer);
      const auto failures = peer.at("failures").to_number<std::uint64_t>();
      table.add({address, cell(peer.at("state")),
                 std::to_string(peer.at("in_flight").to_number<std::uint64_t>()),
                 known ? rate(requests, found->second.first, passed) : "-",
                 known ? rate(failures, found->second.second, passed) : "-",
                 std::to_string(requests), cell(peer.at("reason"))});
    }
    out += table.text(2) + "\n";
  }
  return out;
}

int top(const std::function<std::optional<json::value>()>& ask, const TopOptions& options) {
  const SystemClock clock;
  const bool screen = ::isatty(STDOUT_FILENO) != 0;
  if (screen) std::fputs(kClearAll, stdout);
  json::value before;
  TimePoint asked{};
  for (std::uint64_t i = 0; options.count == 0 || i < options.count; ++i) {
    if (i > 0) std::this_thread::sleep_for(options.interval);
    auto now = ask();
    if (!now) return 1;
    const auto at = clock.now();
    const auto text = top_text(*now, before, at - asked);
    std::fputs((screen ? terminal(text) : text).c_str(), stdout);
    if (std::fflush(stdout) != 0) return 1;
    before = std::move(*now);
    asked = at;
  }
  return 0;
}

}  // namespace weir::main
