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

// Variables of nginx that weir has not, and families of them.
bool nginx_has_variable(std::string_view name) {
  constexpr std::string_view kNames =
      "ancient_browser binary_remote_addr connection_time connections_active connections_reading "
      "connections_waiting connections_writing document_root fastcgi_path_info "
      "fastcgi_script_name gzip_ratio http2 http3 invalid_referer limit_conn_status limit_rate "
      "limit_req_status memcached_key modern_browser msie quic realip_add_x_forwarded_for "
      "realpath_root request_body request_body_file request_completion request_filename "
      "secure_link secure_link_expires server_tokens session_log_id slice_range uid_got uid_reset "
      "uid_set upstream_cache_age upstream_cache_key upstream_cache_last_modified "
      "upstream_cache_etag upstream_cache_status upstream_first_byte_time "
      "upstream_last_server_name "
      "upstream_queue_time upstream_session_time";
  constexpr std::string_view kFamilies[] = {
      "ssl_",     "proxy_protocol_", "upstream_cookie_",  "sent_trailer_",
      "tcpinfo_", "geoip_",          "upstream_trailer_", "jwt_",
      "otel_"};
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

}  // namespace

void Compiler::declare(const Block& block) {
  if (model_->log_formats.empty()) {
    model_->log_formats.push_back({"combined", {}, LogFormat::Escape::standard});
    log_formats_.emplace("combined", 0);
    std::string literal;
    std::string name;
    std::vector<Value::Part> parts;
    ValueReader reader(kCombined);
    while (reader.next(literal, name)) {
      if (!literal.empty()) parts.push_back({literal, {}, false});
      if (!name.empty()) parts.push_back({{}, *find_variable(name), true});
    }
    model_->log_formats[0].format = Value(std::move(parts));
  }
  for (const auto& directive : block) {
    if (directive.name == "http" && directive.has_block) declare(directive.block);
    if (directive.args.empty()) continue;
    const auto& first = directive.args[0].text;
    if (directive.name == "upstream") {
      const auto index = static_cast<std::uint32_t>(model_->upstreams.size());
      if (upstreams_.emplace(lower(first), index).second) model_->upstreams.emplace_back();
    } else if (directive.name == "log_format") {
      const auto index = static_cast<std::uint32_t>(model_->log_formats.size());
      if (log_formats_.emplace(first, index).second) model_->log_formats.emplace_back();
    } else if (directive.name == "map" && directive.args.size() == 2) {
      const auto& variable = directive.args[1].text;
      if (!variable.starts_with('$')) continue;
      const auto index = static_cast<std::uint32_t>(model_->maps.size());
      if (map_names_.emplace(lower(variable.substr(1)), index).second) model_->maps.emplace_back();
    } else if (directive.name == "defaults") {
      model_->dialect = first == "careful" ? Dialect::yaml : Dialect::nginx;
    }
  }
  declare_captures(block);
}

// The variable that an unsupported directive would make.
void Compiler::declare_foreign(const Directive& directive) {
  const auto& name = directive.name;
  const bool first = name == "set" || name == "auth_request_set" || name == "js_set" ||
                     name == "perl_set" || name == "keyval";
  const bool last = name == "geo" || name == "split_clients";
  if (directive.args.empty() || !(first || last)) return;
  const auto& variable = (first ? directive.args.front() : directive.args.back()).text;
  if (variable.size() > 1 && variable[0] == '$') foreign_.insert(lower(variable.substr(1)));
}

void Compiler::declare_captures(const Block& block) {
  for (const auto& directive : block) {
    declare_foreign(directive);
    if (directive.name == "server_name") {
      for (const auto& arg : directive.args) {
        if (arg.text.starts_with('~')) declare_pattern(arg.text.substr(1));
      }
    } else if (directive.name == "location" && !directive.args.empty()) {
      const auto& first = directive.args[0].text;
      if (first == "~" || first == "~*") {
        if (directive.args.size() > 1) declare_pattern(directive.args[1].text);
      } else if (first.starts_with('~')) {
        declare_pattern(pattern_of(first));
      }
    } else if (directive.name == "map") {
      for (const auto& entry : directive.block) {
        if (entry.name.starts_with('~')) declare_pattern(pattern_of(entry.name));
      }
      continue;
    }
    if (directive.name == "server" || directive.name == "location" || directive.name == "if") {
      declare_captures(directive.block);
    }
  }
}

// Only patterns that can have named groups are compiled for their names; mistakes are reported
// when the directive itself is compiled.
void Compiler::declare_pattern(std::string_view pattern) {
  if (pattern.find("(?") == std::string_view::npos) return;
  std::string error;
  const auto regex = Regex::compile(pattern, true, error);
  if (!regex) return;
  for (const auto& [name, group] : regex->names()) {
    const auto index = static_cast<std::uint32_t>(model_->captures.size());
    if (captures_.emplace(lower(name), index).second) model_->captures.push_back(name);
  }
}

std::optional<VariableRef> Compiler::variable(std::string_view name) const {
  if (name.size() == 1 && name[0] >= '1' && name[0] <= '9') {
    return VariableRef{Variable::capture, static_cast<std::uint32_t>(name[0] - '0'), {}};
  }
  const std::string key = lower(name);
  if (const auto found = map_names_.find(key); found != map_names_.end()) {
    return VariableRef{Variable::map, found->second, {}};
  }
  if (const auto found = captures_.find(key); found != captures_.end()) {
    return VariableRef{Variable::named_capture, found->second, {}};
  }
  return find_variable(name);
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
      for (const auto& row : variable_names()) known.push_back(row.name);
      for (const auto& [map, index] : map_names_) known.push_back(map);
      for (const auto& [capture, index] : captures_) known.push_back(capture);
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

}  // namespace weir::config
