#include "main/top.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <map>
#include <string_view>
#include <thread>
#include <vector>

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

// Where nobody says how large the terminal is, it is taken for an old one.
Screen screen_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
    return {};
  }
  return {size.ws_row, size.ws_col};
}

// The first `columns` letters of a line; letters of UTF-8 are not cut.
std::string_view cut(std::string_view line, std::size_t columns) {
  std::size_t letters = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xc0) != 0x80;
    if (begins && ++letters > columns) return line.substr(0, i);
  }
  return line;
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

std::string fitted(std::string_view text, const Screen& screen) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  // The cursor takes the last line of the screen, and stands behind the last letter of a line.
  const auto width = std::max<std::size_t>(screen.columns, 2) - 1;
  const auto room = std::max<std::size_t>(screen.rows, 3) - 1;
  const auto shown = lines.size() <= room ? lines.size() : room - 1;
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) {
    out.append(cut(lines[i], width)).append("\n");
  }
  if (shown < lines.size()) {
    out.append(cut("... and " + std::to_string(lines.size() - shown) + " lines more", width))
        .append("\n");
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
    std::fputs((screen ? terminal(fitted(text, screen_size())) : text).c_str(), stdout);
    if (std::fflush(stdout) != 0) return 1;
    before = std::move(*now);
    asked = at;
  }
  return 0;
}

}  // namespace weir::main
