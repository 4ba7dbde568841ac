// The first pass of the compiler: names may be used before they are defined, so they are collected
// first. And what refers to them: values with variables, patterns.
#include <algorithm>

#include "config/handlers.h"
#include "config/variable_names.h"

namespace weir::config {
namespace {

constexpr bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// nginx's own format for access logs.
constexpr std::string_view kCombined =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
    "\"$http_referer\" \"$http_user_agent\"";

// weir's own: an object a line. Numbers are those that always are; the others are text, lists over
// attempts among them.
constexpr std::string_view kJson =
    R"({"time":"$time_iso8601","msec":$msec,"request_id":"$request_id",)"
    R"("remote_addr":"$remote_addr","remote_user":"$remote_user","method":"$request_method",)"
    R"("scheme":"$scheme","host":"$host","uri":"$request_uri","protocol":"$server_protocol",)"
    R"("status":"$status","end_code":"$end_code","request_time":$request_time,)"
    R"("request_length":$request_length,"bytes_sent":$bytes_sent,)"
    R"("body_bytes_sent":$body_bytes_sent,"connection":$connection,)"
    R"("connection_requests":$connection_requests,"referer":"$http_referer",)"
    R"("user_agent":"$http_user_agent","server_name":"$server_name",)"
    R"("upstream_addr":"$upstream_addr","upstream_status":"$upstream_status",)"
    R"("upstream_reason":"$upstream_reason","upstream_connect_time":"$upstream_connect_time",)"
    R"("upstream_header_time":"$upstream_header_time",)"
    R"("upstream_response_time":"$upstream_response_time",)"
    R"("upstream_queue_time":"$upstream_queue_time","tls":"$ssl_protocol"})";

// Variables of nginx that weir has not, and families of them.
bool nginx_has_variable(std::string_view name) {
  constexpr std::string_view kNames =
      "ancient_browser fastcgi_path_info fastcgi_script_name memcached_key modern_browser msie "
      "proxy_add_via "
      "quic realip_add_x_forwarded_for server_tokens session_log_id slice_range uid_got uid_reset "
      "uid_set upstream_cache_age upstream_cache_key upstream_cache_last_modified "
      "upstream_cache_etag upstream_first_byte_time upstream_last_server_name "
      "upstream_session_time";
  constexpr std::string_view kFamilies[] = {"ssl_", "geoip_", "jwt_"};
  const auto names = split_words(kNames);
  if (std::find(names.begin(), names.end(), name) != names.end()) return true;
  return std::any_of(std::begin(kFamilies), std::end(kFamilies),
                     [&](std::string_view family) { return name.starts_with(family); });
}

std::string_view pattern_of(std::string_view text) {
  text.remove_prefix(1);
  if (text.starts_with('*')) text.remove_prefix(1);
  return text;
}

// Splits "http://$host/x" into literals and names of variables.
class ValueReader {
 public:
  explicit ValueReader(std::string_view text) : rest_(text) {}

  // False at the end, or after an error.
  bool next(std::string& literal, std::string& name) {
    literal.clear();
    name.clear();
    if (rest_.empty()) return false;
    const auto dollar = std::min(rest_.find('$'), rest_.size());
    literal = rest_.substr(0, dollar);
    rest_.remove_prefix(dollar);
    return rest_.empty() || take_name(name);
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool take_name(std::string& name) {
    rest_.remove_prefix(1);
    const bool braced = rest_.starts_with('{');
    if (braced) rest_.remove_prefix(1);
    std::size_t size = 0;
    // $1 to $9 are one character long, so that "$10" is $1 and a 0.
    if (!braced && !rest_.empty() && rest_[0] >= '1' && rest_[0] <= '9') {
      size = 1;
    } else {
      while (size < rest_.size() && is_name_character(rest_[size])) ++size;
    }
    name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (size == 0) error_ = "a name is missing after \"$\"";
    if (braced && error_.empty()) {
      if (!rest_.starts_with('}')) {
        error_ = "\"}\" is missing after \"${" + name + "\"";
      } else {
        rest_.remove_prefix(1);
      }
    }
    return error_.empty();
  }

  std::string_view rest_;
  std::string error_;
};

// Of variables that there are.
Value built_in_format(std::string_view text) {
  std::string literal;
  std::string name;
  std::vector<Value::Part> parts;
  ValueReader reader(text);
  while (reader.next(literal, name)) {
    if (!literal.empty()) parts.push_back({literal, {}, false});
    if (!name.empty()) parts.push_back({{}, *find_variable(name), true});
  }
  return Value(std::move(parts));
}

}  // namespace

void Compiler::switch_names() {
  std::swap(upstreams_, other_names_.upstreams);
  std::swap(user_variables_, other_names_.user_variables);
  std::swap(log_formats_, other_names_.log_formats);
  std::swap(limit_zones_, other_names_.limit_zones);
  std::swap(matches_, other_names_.matches);
  in_stream_ = !in_stream_;
}

std::optional<VariableRef> Compiler::built_in(std::string_view name) const {
  return in_stream_ ? find_stream_variable(name) : find_variable(name);
}

// All formats of the configuration are known by now, and one of that name comes first.
std::optional<std::uint32_t> Compiler::ready_log_format(std::string_view name) {
  if (const auto found = find_log_format(name); found || name != "json") return found;
  const auto index = static_cast<std::uint32_t>(model_->log_formats.size());
  model_->log_formats.push_back({"json", built_in_format(kJson), LogFormat::Escape::json});
  log_formats_.emplace("json", index);
  return index;
}

void Compiler::declare(const Block& block) {
  if (model_->log_formats.empty()) {
    model_->log_formats.push_back({"combined", {}, LogFormat::Escape::standard});
    log_formats_.emplace("combined", 0);
    model_->log_formats[0].format = built_in_format(kCombined);
  }
  for (const auto& directive : block) {
    if (directive.name == "http" && directive.has_block) declare(directive.block);
    if (directive.name == "stream" && directive.has_block) {
      enter_stream();
      declare(directive.block);
      leave_stream();
    }
    if (directive.args.empty()) continue;
    const auto& first = directive.args[0].text;
    if (directive.name == "upstream") {
      const auto index = static_cast<std::uint32_t>(model_->upstreams.size());
      if (upstreams_.emplace(lower(first), index).second) {
        model_->upstreams.emplace_back().stream = in_stream_;
      }
    } else if (directive.name == "log_format") {
      const auto index = static_cast<std::uint32_t>(model_->log_formats.size());
      if (log_formats_.emplace(first, index).second) model_->log_formats.emplace_back();
    } else if (directive.name == "limit_req_zone" || directive.name == "limit_conn_zone") {
      declare_limit_zone(directive);
    } else if (directive.name == "defaults") {
      model_->dialect = first == "careful" ? Dialect::yaml : Dialect::nginx;
    }
  }
  declare_variables(block);
}

// `zone=NAME:SIZE` may stand anywhere behind the key.
void Compiler::declare_limit_zone(const Directive& directive) {
  for (const auto& argument : directive.args) {
    if (!argument.text.starts_with("zone=")) continue;
    const auto name = argument.text.substr(5, argument.text.find(':') - 5);
    const auto index = static_cast<std::uint32_t>(model_->limit_zones.size());
    if (!limit_zones_.emplace(name, index).second) continue;
    model_->limit_zones.emplace_back().requests = directive.name == "limit_req_zone";
  }
}

// The variables that directives make, at any depth: they may be used before they are made.
void Compiler::declare_variables(const Block& block) {
  for (const auto& directive : block) {
    const auto& name = directive.name;
    const auto& args = directive.args;
    if (name == "stream" && directive.has_block) continue;  // has variables of its own
    if (name == "map" || name == "geo" || name == "split_clients") {
      if (!args.empty()) declare_variable(args.back().text);
    } else if (name == "set" || name == "auth_request_set") {
      if (!args.empty()) declare_variable(args.front().text);
    } else if (name == "js_set" || name == "perl_set" || name == "keyval") {
      // Of a directive that is not supported: an error about that is enough.
      if (!args.empty() && args.front().text.starts_with('$')) {
        foreign_.insert(lower(args.front().text.substr(1)));
      }
    }
    if (name == "map") {
      for (const auto& entry : directive.block) {
        if (entry.name.starts_with('~')) declare_pattern(pattern_of(entry.name));
      }
      continue;
    }
    for (const auto& arg : args) {
      if (arg.text.find("(?") == std::string::npos) continue;
      declare_pattern(arg.text.starts_with('~') ? pattern_of(arg.text)
                                                : std::string_view(arg.text));
      // The last word of an `if` has its closing parenthesis.
      if (name == "if" && arg.text.ends_with(')')) {
        declare_pattern(std::string_view(arg.text).substr(0, arg.text.size() - 1));
      }
    }
    if (directive.has_block) declare_variables(directive.block);
  }
}

void Compiler::declare_variable(const std::string& text) {
  if (text.size() < 2 || text[0] != '$') return;
  const std::string name = lower(text.substr(1));
  if (is_built_in(name, in_stream_)) return;  // those that can be assigned are not made by it
  const auto index = static_cast<std::uint32_t>(model_->variables.size());
  if (user_variables_.emplace(name, index).second) model_->variables.push_back({text.substr(1)});
}

// Only patterns that can have named groups are compiled for their names; mistakes are reported
// when the directive itself is compiled.
void Compiler::declare_pattern(std::string_view pattern) {
  if (pattern.find("(?") == std::string_view::npos) return;
  std::string error;
  const auto regex = Regex::compile(pattern, true, error);
  if (!regex) return;
  for (const auto& [name, group] : regex->names()) {
    const auto index = static_cast<std::uint32_t>(model_->variables.size());
    if (user_variables_.emplace(lower(name), index).second) model_->variables.push_back({name});
  }
}

std::optional<VariableRef> Compiler::variable(std::string_view name) const {
  if (name.size() == 1 && name[0] >= '1' && name[0] <= '9') {
    return VariableRef{Variable::capture, static_cast<std::uint32_t>(name[0] - '0'), {}};
  }
  const std::string key = lower(name);
  if (const auto found = user_variables_.find(key); found != user_variables_.end()) {
    return VariableRef{Variable::user, found->second, {}};
  }
  return built_in(name);
}

std::optional<Value> Compiler::value(const Call& call, const Argument& argument) {
  std::vector<Value::Part> parts;
  std::string literal;
  std::string name;
  ValueReader reader(argument.text);
  while (reader.next(literal, name)) {
    if (!literal.empty()) parts.push_back({literal, {}, false});
    if (name.empty()) continue;
    const auto reference = variable(name);
    if (!reference && foreign_.contains(lower(name))) return std::nullopt;
    if (!reference) {
      std::vector<std::string_view> known;
      for (const auto& row : in_stream_ ? stream_variable_names() : variable_names()) {
        known.push_back(row.name);
      }
      for (const auto& [user, index] : user_variables_) known.push_back(user);
      call.error(argument, nginx_has_variable(lower(name))
                               ? "variable $" + name + " of nginx is not supported yet; remove it"
                               : "unknown variable " + quote(name) + did_you_mean(name, known));
      return std::nullopt;
    }
    parts.push_back({{}, *reference, true});
  }
  if (!reader.error().empty()) {
    call.error(argument, "in " + quote(argument.text) + " " + reader.error());
    return std::nullopt;
  }
  return Value(std::move(parts));
}

std::shared_ptr<const Regex> Compiler::regex(const Call& call, const Argument& argument,
                                             std::string_view pattern, bool caseless) {
  auto& known = regexes_[{std::string(pattern), caseless}];
  if (known) return known;
  std::string error;
  known = Regex::compile(pattern, caseless, error);
  if (!known) {
    call.error(argument, "invalid regular expression " + quote(pattern) + ": " + error);
  }
  return known;
}

Pattern Compiler::pattern(const Call& call, const Argument& argument, std::string_view pattern,
                          bool caseless) {
  Pattern result{regex(call, argument, pattern, caseless), {}};
  if (!result) return result;
  for (const auto& [name, group] : result.regex->names()) {
    if (const auto index = find_user_variable(lower(name)))
      result.variables.emplace_back(group, *index);
  }
  return result;
}

}  // namespace weir::config
