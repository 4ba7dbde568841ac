// What an exchange leaves behind: lines in the logs.
#include <string>

#include "proxy/escape_log.h"
#include "proxy/exchange.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {

void Exchange::write_access_logs() {
  std::string text;
  for (const auto& log : config().access_log) {
    if (log.condition) {
      text.clear();
      evaluate(*log.condition, *this, text);
      if (!is_true(text)) continue;
    }
    std::string path;
    if (!log.syslog) evaluate(log.path, *this, path);
    auto& line = worker_.access_logs().line(log, path, worker_.loop().now());
    const auto& format = runtime().model->log_formats[log.format];
    thread_local std::string value;
    for (const auto& part : format.format.parts()) {
      if (!part.is_variable) {
        line.append(part.literal);
        continue;
      }
      value.clear();
      evaluate(part.variable, *this, value);
      append_log_value(line, value, format.escape);
    }
    worker_.access_logs().end_line();
  }
}

// In nginx's form: what, who, which request.
void Exchange::log(LogLevel level, std::string_view text) {
  if (explanation_ != nullptr) return note(text);
  auto& log = error_log();
  if (!log.enabled(level) || !worker_.may_log(location_->tools().log, level, text)) return;
  std::string line(text);
  line.append(", client: ").append(client_text());
  line.append(", server: ").append(server_->config->primary_name);
  if (has_request()) {
    line.append(", request: \"").append(request().request_line()).append("\"");
    if (!is_main()) line.append(", subrequest: \"").append(path_).append("\"");
    if (request().has(http::FieldId::host)) {
      line.append(", host: \"").append(request().host_text()).append("\"");
    }
  }
  log.write(level, line, session_->id());
}

}  // namespace weir::proxy
