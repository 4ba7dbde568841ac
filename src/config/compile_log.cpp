#include <array>

#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::array<std::string_view, 8> kLevels = {"debug", "info", "notice", "warn",
                                                     "error", "crit", "alert",  "emerg"};
constexpr std::uint64_t kDefaultBuffer = 64 * 1024;
constexpr std::uint64_t kMaxBuffer = 64u << 20;

bool check_path(const Call& call, const Argument& path) {
  const auto& text = path.text;
  if (text.starts_with("syslog:") || text.starts_with("memory:")) {
    call.error(path, quote(text.substr(0, 7)) + " is not supported yet; name a file");
  } else if (text.find('$') != std::string::npos) {
    call.error(path, "variables in a path are not supported yet; name a file");
  } else if (text.empty()) {
    call.error(path, "the path is empty; name a file");
  } else {
    return true;
  }
  return false;
}

void apply(const Call& call, const Parameter& parameter, AccessLog& log) {
  const Argument value{std::string(parameter.value), parameter.argument->position, false};
  if (parameter.key == "buffer") {
    const auto size = size_argument(call, value);
    if (size && (*size == 0 || *size > kMaxBuffer)) {
      call.error(*parameter.argument, "the buffer must have 1 byte to 64 MiB");
    } else if (size) {
      log.buffer = *size;
    }
  } else if (parameter.key == "flush") {
    if (const auto time = time_argument(call, value)) log.flush = *time;
  } else if (parameter.key == "if") {
    log.condition = call.compiler.value(call, value);
  } else if (parameter.key == "off") {
    call.error(*parameter.argument, "\"off\" stands alone");
  }
}

}  // namespace

void compile_access_log(const Call& call) {
  auto& list = call.scope.settings->access_log;
  const auto& path = call.arg(0);
  if (path.text == "off") {
    if (call.count() > 1) return call.error(call.arg(1), "\"off\" stands alone");
    // With other lines beside it, nginx lets `off` win.
    list.emplace();
    call.scope.access_log_off = true;
    return;
  }
  if (!check_path(call, path)) return;
  AccessLog log;
  log.path = call.compiler.path(path.text);
  log.position = call.directive.position;
  std::size_t next = 1;
  if (call.count() > 1 && call.arg(1).text.find('=') == std::string::npos) {
    const auto& name = call.arg(1);
    const auto format = call.compiler.find_log_format(name.text);
    if (!format) {
      return call.error(name, "unknown log format " + quote(name.text) +
                                  did_you_mean(name.text, call.compiler.log_format_names()));
    }
    log.format = *format;
    next = 2;
  }
  for (const auto& parameter : parameters(call, next)) apply(call, parameter, log);
  if (log.flush != Duration{0} && log.buffer == 0) log.buffer = kDefaultBuffer;
  if (!list) list.emplace();
  if (!call.scope.access_log_off) list->push_back(std::move(log));
}

void compile_log_format(const Call& call) {
  const auto& name = call.arg(0).text;
  const auto index = call.compiler.find_log_format(name);
  auto& formats = call.compiler.model().log_formats;
  if (!index) return;
  if (!formats[*index].name.empty()) {
    return call.error(call.arg(0), "duplicate format " + quote(name));
  }
  LogFormat format;
  format.name = name;
  std::size_t i = 1;
  if (const auto& escape = call.arg(1); escape.text.starts_with("escape=")) {
    const auto word = escape.text.substr(7);
    if (word == "json") {
      format.escape = LogFormat::Escape::json;
    } else if (word == "none") {
      format.escape = LogFormat::Escape::none;
    } else if (word != "default") {
      call.error(escape, "unknown escape " + quote(word) + "; use default, json or none");
    }
    i = 2;
  }
  Argument text{{}, call.arg(1).position, true};
  for (; i < call.count(); ++i) text.text += call.arg(i).text;
  if (auto value = call.compiler.value(call, text)) format.format = std::move(*value);
  formats[*index] = std::move(format);
}

void compile_error_log(const Call& call) {
  ErrorLog log;
  log.position = call.directive.position;
  const auto& path = call.arg(0);
  if (!check_path(call, path)) return;
  if (path.text != "stderr") log.path = call.compiler.path(path.text);
  if (call.count() == 2) {
    std::size_t level = 0;
    const auto& word = call.arg(1);
    while (level < kLevels.size() && kLevels[level] != word.text) ++level;
    if (level == kLevels.size()) {
      return call.error(word,
                        "unknown level " + quote(word.text) + did_you_mean(word.text, kLevels));
    }
    log.level = static_cast<LogLevel>(level);
  }
  if (call.scope.server != nullptr) {
    return call.compiler.accepted(call, "there is one error log; set it at the top level");
  }
  call.compiler.model().error_logs.push_back(std::move(log));
}

}  // namespace weir::config
