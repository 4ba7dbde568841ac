// Which certificates are about to expire, to be told of in the log: at 14 days, at 3 days, when it
// has happened; each once a day. Those of ACME only if they should have been renewed by then.
// Decides on the time it is given; one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "config/tls_config.h"

namespace weir::main {

class ExpiryWarnings {
 public:
  struct Warning {
    LogLevel level = LogLevel::warn;
    std::string text;
  };
  [[nodiscard]] std::vector<Warning> at(const std::vector<config::TlsCertificate>& certificates,
                                        WallTime now);

 private:
  struct Told {
    int stage = 0;  // 0: nothing, then as above
    WallTime when{};
  };
  std::map<std::string, Told> told_;  // by fingerprint
};

}  // namespace weir::main
