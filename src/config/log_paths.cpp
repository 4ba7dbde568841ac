#include "config/log_paths.h"

#include <set>

#include "config/locations.h"

namespace weir::config {

std::vector<LogPath> log_paths(const Model& model) {
  std::vector<LogPath> paths;
  std::set<std::string> seen;
  const auto add = [&](const std::string& path, const char* directive, const Position& position) {
    if (path != "stderr" && seen.insert(path).second) paths.push_back({path, directive, position});
  };
  const auto add_errors = [&](const std::vector<ErrorLog>& logs) {
    for (const auto& log : logs) {
      if (!log.syslog) add(log.path, "error_log", log.position);
    }
  };
  add_errors(model.error_logs);
  for_each_location(model, [&](const Location& location) {
    add_errors(location.request.error_log);
    for (const auto& log : location.request.access_log) {
      // Those with variables are opened when they are written.
      if (log.syslog || !log.path.is_constant()) continue;
      add(std::string(log.path.constant()), "access_log", log.position);
    }
  });
  return paths;
}

}  // namespace weir::config
