// Sending to a syslog server (RFC 3164, as nginx does): datagrams, nothing waits for them.
// Any thread may send.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/unique_fd.h"

namespace weir {

struct SyslogTarget {
  Endpoint server;
  std::uint8_t facility = 23;  // local7
  std::string tag = "nginx";
  bool hostname = true;
  friend bool operator==(const SyslogTarget&, const SyslogTarget&) = default;
};

class SyslogSender {
 public:
  // What cannot be opened now is tried again with each message.
  explicit SyslogSender(SyslogTarget target);

  // `severity`: 0 (emergency) to 7 (debug). False: it could not be sent.
  bool send(unsigned severity, std::string_view text);

 private:
  bool open();

  SyslogTarget target_;
  UniqueFd socket_;
};

}  // namespace weir
