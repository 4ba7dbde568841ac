// What the configuration says of an error log, as the log itself wants it.
#pragma once

#include "base/log.h"
#include "config/request_config.h"

namespace weir::proxy {

[[nodiscard]] inline SyslogTarget syslog_target(const config::SyslogConfig& config) {
  return {config.server, config.facility, config.tag, config.hostname};
}

[[nodiscard]] inline Log::Target log_target(const config::ErrorLog& config) {
  Log::Target target{config.path, static_cast<LogLevel>(config.level), {}};
  if (config.syslog) target.syslog = syslog_target(*config.syslog);
  return target;
}

}  // namespace weir::proxy
