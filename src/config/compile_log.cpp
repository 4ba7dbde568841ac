#include <algorithm>
#include <array>

#include "config/address_text.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

constexpr std::array<std::string_view, 8> kLevels = {"debug", "info", "notice", "warn",
                                                     "error", "crit", "alert",  "emerg"};
constexpr std::uint64_t kDefaultBuffer = 64 * 1024;
constexpr std::uint64_t kMaxBuffer = 64u << 20;
constexpr std::uint16_t kSyslogPort = 514;

constexpr std::array<std::string_view, 24> kFacilities = {
    "kern",   "user",     "mail",   "auth",   "intern", "lpr",    "news",   "uucp",
    "clock",  "authpriv", "ftp",    "ntp",    "audit",  "alert",  "cron",   "",
    "local0", "local1",   "local2", "local3", "local4", "local5", "local6", "local7"};
constexpr std::array<std::string_view, 8> kSeverities = {"emerg", "alert",  "crit", "error",
                                                         "warn",  "notice", "info", "debug"};

template <std::size_t N>
std::optional<std::uint8_t> find_word(const std::array<std::string_view, N>& words,
                                      std::string_view word) {
  const auto at = std::find(words.begin(), words.end(), word);
  if (word.empty() || at == words.end()) return std::nullopt;
  return static_cast<std::uint8_t>(at - words.begin());
}

bool syslog_server(const Call& call, const Argument& at, std::string_view text,
                   SyslogConfig& syslog) {
  AddressRules rules;
  rules.default_port = kSyslogPort;
  std::string error;
  const auto address = parse_address(text, rules, error);
  if (!address) {
    call.error(at, "invalid server " + quote(text) + ": " + error);
    return false;
  }
  if (!address->where.unix_path.empty()) {
    syslog.server.unix_path = address->where.unix_path;
    return true;
  }
  const auto found = call.compiler.addresses(call, at, address->where.host, address->where.port);
  if (!found.empty()) syslog.server.ip = found.front();
  return !found.empty();
}

bool valid_tag(std::string_view tag) {
  return tag.size() <= 32 && std::all_of(tag.begin(), tag.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

// What follows "syslog:"; nullopt after an error.
std::optional<SyslogConfig> compile_syslog(const Call& call, const Argument& at,
                                           std::string_view text) {
  SyslogConfig syslog;
  bool has_server = false;
  bool ok = true;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const auto equals = word.find('=');
    const auto key = word.substr(0, equals);
    const auto value =
        equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
    if (key == "server") {
      has_server = syslog_server(call, at, value, syslog);
      ok = ok && has_server;
    } else if (key == "facility" && find_word(kFacilities, value)) {
      syslog.facility = *find_word(kFacilities, value);
    } else if (key == "severity" && find_word(kSeverities, value)) {
      syslog.severity = *find_word(kSeverities, value);
    } else if (key == "tag" && valid_tag(value)) {
      syslog.tag = value;
    } else if (word == "nohostname") {
      syslog.hostname = false;
    } else {
      call.error(at, "syslog: invalid parameter " + quote(word) +
                         "; known are server=, facility=, severity=, tag= and nohostname");
      ok = false;
    }
  }
  if (ok && !has_server)
    call.error(at, "syslog: the server is missing; write syslog:server=ADDRESS");
  if (!ok || !has_server) return std::nullopt;
  return syslog;
}

bool check_path(const Call& call, const Argument& path) {
  if (path.text.starts_with("memory:")) {
    call.error(path, "logs in memory are not supported; name a file");
  } else if (path.text.empty()) {
    call.error(path, "the path is empty; name a file");
  } else {
    return true;
  }
  return false;
}

void apply_gzip(const Call& call, const Parameter& parameter, AccessLog& log) {
  log.gzip = 1;
  if (log.buffer == 0) log.buffer = kDefaultBuffer;
  if (!parameter.has_value) return;
  const Argument value{std::string(parameter.value), parameter.argument->position, false};
  if (const auto level = number_argument(call, value, 1, 9)) log.gzip = static_cast<int>(*level);
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
  } else if (parameter.key == "gzip") {
    apply_gzip(call, parameter, log);
  } else if (parameter.key == "if") {
    log.condition = call.compiler.value(call, value);
  } else if (parameter.key == "off") {
    call.error(*parameter.argument, "\"off\" stands alone");
  }
}

// nginx's parts of debug (debug_http ...) are one level here.
std::optional<LogLevel> find_level(std::string_view word) {
  constexpr std::array<std::string_view, 7> kParts = {"debug_core",  "debug_alloc", "debug_mutex",
                                                      "debug_event", "debug_http",  "debug_mail",
                                                      "debug_stream"};
  if (std::find(kParts.begin(), kParts.end(), word) != kParts.end()) return LogLevel::debug;
  const auto level = find_word(kLevels, word);
  if (!level) return std::nullopt;
  return static_cast<LogLevel>(*level);
}

bool is_parameter(std::string_view text) {
  return text == "gzip" || text.find('=') != std::string_view::npos;
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
  if (path.text.starts_with("syslog:")) {
    log.syslog = compile_syslog(call, path, std::string_view(path.text).substr(7));
    if (!log.syslog) return;
  } else if (auto value = path_argument(call, path)) {
    log.path = std::move(*value);
  } else {
    return;
  }
  log.position = call.directive.position;
  std::size_t next = 1;
  if (call.compiler.in_stream() && (call.count() == 1 || is_parameter(call.arg(1).text))) {
    return call.error("stream has no format of its own; name one of log_format behind the path");
  }
  if (call.count() > 1 && !is_parameter(call.arg(1).text)) {
    const auto& name = call.arg(1);
    const auto format = call.compiler.ready_log_format(name.text);
    if (!format) {
      return call.error(name, "unknown log format " + quote(name.text) +
                                  did_you_mean(name.text, call.compiler.log_format_names()));
    }
    log.format = *format;
    next = 2;
  }
  for (const auto& parameter : parameters(call, next)) apply(call, parameter, log);
  if (log.buffer > 0 && !log.path.is_constant()) {
    return call.error(
        path, "a path with variables cannot be buffered; leave out buffer=, flush= and gzip");
  }
  if (log.buffer > 0 && log.syslog) return call.error(path, "logs to syslog cannot be buffered");
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
  // Each word by itself: the name of a variable ends with its word.
  std::vector<Value::Part> parts;
  for (; i < call.count(); ++i) {
    const auto value = call.compiler.value(call, call.arg(i));
    if (!value) return;
    for (const auto& part : value->parts()) {
      if (parts.empty() || parts.back().is_variable || part.is_variable) {
        parts.push_back(part);
      } else {
        parts.back().literal += part.literal;
      }
    }
  }
  format.format = Value(std::move(parts));
  formats[*index] = std::move(format);
}

void compile_error_log(const Call& call) {
  ErrorLog log;
  log.position = call.directive.position;
  const auto& path = call.arg(0);
  if (!check_path(call, path)) return;
  if (path.text.starts_with("syslog:")) {
    log.syslog = compile_syslog(call, path, std::string_view(path.text).substr(7));
    if (!log.syslog) return;
  } else if (path.text.find('$') != std::string::npos) {
    return call.error(path, "variables in the path of an error log have no meaning; name a file");
  } else if (path.text != "stderr") {
    log.path = call.compiler.path(path.text);
  }
  for (std::size_t i = 1; i < call.count(); ++i) {
    const auto& word = call.arg(i);
    const auto level = find_level(word.text);
    if (!level) {
      return call.error(word,
                        "unknown level " + quote(word.text) + did_you_mean(word.text, kLevels));
    }
    if (call.count() > 2 && !word.text.starts_with("debug_")) {
      return call.error(word, "one level is enough; only parts of debug stand together");
    }
    log.level = *level;
  }
  const bool top = (call.scope.contexts & in_main) != 0;
  if (top) return call.compiler.model().error_logs.push_back(std::move(log));
  auto& list = call.scope.settings->error_log;
  if (!list) list.emplace();
  list->push_back(std::move(log));
}

void compile_error_log_limit(const Call& call) {
  auto& limit = call.compiler.model().error_log_limit;
  if (call.arg(0).text == "off") {
    if (call.count() > 1) return call.error(call.arg(1), "after off there is nothing to say");
    limit.lines = 0;
    return;
  }
  const auto lines = number_argument(call, call.arg(0), 1, 1'000'000);
  if (lines) limit.lines = *lines;
  if (call.count() == 1) return;
  constexpr Duration kLeast{1000};
  constexpr Duration kMost = std::chrono::hours{24};
  const auto window = time_argument(call, call.arg(1));
  if (!window) return;
  if (*window < kLeast || *window > kMost) {
    return call.error(call.arg(1), "a time from 1s to 24h is expected, such as 10s");
  }
  limit.window = *window;
}

}  // namespace weir::config
