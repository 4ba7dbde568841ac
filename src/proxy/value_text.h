// Forms of values of variables that HTTP and stream have in common. Pure functions.
#pragma once

#include <array>
#include <ctime>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "config/variables.h"
#include "proxy/exchange_types.h"
#include "proxy/text.h"

namespace weir::proxy {

struct ProxiedAddresses;

inline constexpr std::string_view kNginxVersion = "1.31.5";  // whose semantics are followed

// "1.042": seconds with milliseconds.
inline void append_seconds(std::string& out, Duration time) {
  const auto ms = static_cast<std::uint64_t>(time.count() < 0 ? 0 : time.count());
  append_number(out, ms / 1000);
  const auto rest = ms % 1000;
  out.push_back('.');
  out.push_back(static_cast<char>('0' + rest / 100));
  out.push_back(static_cast<char>('0' + rest / 10 % 10));
  out.push_back(static_cast<char>('0' + rest % 10));
}

inline void append_host(std::string& out, const IpAddress& address) {
  char text[64];
  out.append(text, address.write_host(text));
}

inline void append_time(std::string& out, const char* format, bool local, WallTime wall) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(wall);
  std::tm parts{};
  local ? localtime_r(&seconds, &parts) : gmtime_r(&seconds, &parts);
  char text[64];
  out.append(text, std::strftime(text, sizeof text, format, &parts));
}

// "+01:00" as ISO 8601 wants it; strftime writes "+0100".
inline void append_iso8601(std::string& out, WallTime wall) {
  append_time(out, "%Y-%m-%dT%H:%M:%S%z", true, wall);
  out.insert(out.size() - 2, 1, ':');
}

template <class Append>
void append_list(std::string& out, const std::vector<AttemptRecord>& attempts, Append append) {
  bool first = true;
  for (const auto& attempt : attempts) {
    // nginx: a colon between the upstreams that an internal redirect led to.
    if (!first) out.append(attempt.separate ? " : " : ", ");
    first = false;
    append(attempt);
  }
}

inline void append_times(std::string& out, const std::vector<AttemptRecord>& attempts,
                         Duration AttemptRecord::*time) {
  append_list(out, attempts, [&](const AttemptRecord& a) {
    if ((a.*time).count() < 0) {
      out.push_back('-');
    } else {
      append_seconds(out, a.*time);
    }
  });
}

inline void append_counts(std::string& out, const std::vector<AttemptRecord>& attempts,
                          std::uint64_t AttemptRecord::*count) {
  append_list(out, attempts, [&](const AttemptRecord& a) { append_number(out, a.*count); });
}

// Why the peer was chosen: an attempt before it has failed, another one had been meant, or else the
// method.
inline void append_reason(std::string& out, const AttemptRecord& a) {
  if (a.retry != nullptr) {
    out.append("retry:").append(a.retry);
  } else if (a.skipped != upstream::Closed::no) {
    out.append("skip:").append(upstream::to_string(a.skipped));
  } else {
    out.append(upstream::to_string(a.reason));
  }
}

// The name of this machine.
[[nodiscard]] const std::string& host_name();

// An address or a port of the PROXY protocol's header: $proxy_protocol_addr and its like; nothing,
// if there was none.
void append_proxied(std::string& out, config::Variable id, const ProxiedAddresses* proxied);

}  // namespace weir::proxy
