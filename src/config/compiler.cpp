#include "config/compiler.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "config/handlers.h"
#include "config/resolve_host.h"
#include "config/variable_names.h"

namespace weir::config {
namespace {

std::string plural(std::size_t count, const char* word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

// Of the errors of read_file(): nobody has written the file.
bool is_absent(const std::string& error) {
  return error == std::strerror(ENOENT) || error == std::strerror(ENOTDIR);
}

}  // namespace

void Call::error(const std::string& message) const {
  compiler.diagnostics().error(directive.position, directive.name + ": " + message);
}
void Call::error(const Argument& at, const std::string& message) const {
  compiler.diagnostics().error(at.position, directive.name + ": " + message);
}
void Call::warning(const std::string& message) const {
  compiler.diagnostics().warning(directive.position, directive.name + ": " + message);
}

Compiler::Compiler(const LoadOptions& options, Dialect dialect, std::string directory,
                   Diagnostics& diagnostics)
    : options_(options),
      directory_(std::move(directory)),
      diagnostics_(diagnostics),
      model_(std::make_unique<Model>()) {
  model_->dialect = dialect;
  model_->prefix = options.prefix;
  model_->directory = directory_;
}

std::unique_ptr<Model> Compiler::compile(const Block& tree) {
  declare(tree);
  if (model_->dialect == Dialect::yaml) model_->workers = processor_count();
  Scope top;
  top.contexts = in_main | in_http;
  top.settings = &http_;
  walk(tree, top);
  if (!http_.access_log && !options_.access_log.empty() && model_->dialect == Dialect::nginx) {
    AccessLog log;
    log.path = Value(options_.access_log);
    http_.access_log.emplace().push_back(std::move(log));
  }
  run_deferred_checks();
  const auto& trace = model_->trace;
  if (trace.position.line > 0 && trace.host.empty() && !diagnostics_.failed()) {
    diagnostics_.error(trace.position,
                       "otel_trace: otel_exporter is missing; write otel_exporter { endpoint "
                       "http://127.0.0.1:4318/v1/traces; }");
  }
  finish();
  return std::move(model_);
}

void Compiler::walk(const Block& block, Scope& scope) {
  std::map<std::string, std::uint32_t> seen;
  for (const auto& directive : block) {
    if (diagnostics_.full()) return;
    check(directive, scope, seen);
  }
}

void Compiler::check(const Directive& directive, Scope& scope,
                     std::map<std::string, std::uint32_t>& seen) {
  const auto* info = find_directive(directive.name, scope.contexts);
  if (info == nullptr) return report_unknown(directive, scope.contexts);
  const Call call{*this, scope, directive, *info};
  if (!info->has(kRepeats)) {
    const auto [first, fresh] = seen.emplace(directive.name, directive.position.line);
    if (!fresh) {
      return call.error("is duplicate; first at line " + std::to_string(first->second));
    }
  }
  if (info->has(kSecret) && !directive.args.empty()) {
    model_->secrets.push_back(directive.args.back().position);
  }
  if (check_shape(call) && info->handler != nullptr) info->handler(call);
}

// A directive that is not supported is told of once: it often stands in every server.
void Compiler::report_unknown(const Directive& directive, std::uint32_t contexts) {
  if (!unsupported_advice(directive.name).empty() && !report_once(directive.name)) {
    return;
  }
  diagnostics_.error(directive.position, unknown_directive(directive.name, contexts, false));
}

bool Compiler::check_shape(const Call& call) {
  const auto& info = call.info;
  const bool may_block = info.has(kBlock) || info.has(kMayBlock);
  if (call.directive.has_block ? !may_block : info.has(kBlock)) {
    call.error(info.has(kBlock) ? "a block is missing; put its directives between { and }"
                                : "takes no block; end it with \";\"");
    return false;
  }
  const std::size_t count = call.count();
  if (count < info.min_args || (info.max_args != kMany && count > info.max_args)) {
    std::string want = plural(info.min_args, "argument");
    if (info.max_args == kMany) {
      want = "at least " + want;
    } else if (info.max_args != info.min_args) {
      want = std::to_string(info.min_args) + " to " + plural(info.max_args, "argument");
    }
    call.error("takes " + want + ", " + std::to_string(count) + " given");
    return false;
  }
  if (info.has(kFlag)) {
    const auto word = lower(call.arg(0).text);
    if (word != "on" && word != "off") {
      call.error(call.arg(0), "invalid value " + quote(call.arg(0).text) + "; use on or off");
      return false;
    }
  }
  return true;
}

std::vector<Parameter> parameters(const Call& call, std::size_t from) {
  std::vector<Parameter> out;
  std::vector<std::string_view> known;
  const auto words = split_words(call.info.parameters);
  for (const auto word : words) {
    if (word.front() != '!') known.push_back(word.substr(0, word.find('=')));
  }
  for (std::size_t i = from; i < call.count(); ++i) {
    const Argument& argument = call.arg(i);
    const std::string_view text = argument.text;
    const auto equals = text.find('=');
    Parameter parameter{text.substr(0, equals), {}, equals != std::string_view::npos, &argument};
    if (parameter.has_value) parameter.value = text.substr(equals + 1);
    const std::string bare(parameter.key);
    const auto has = [&](const std::string& form) {
      return std::find(words.begin(), words.end(), form) != words.end();
    };
    if (has("!" + bare) || has("!" + bare + "=") || has("!" + bare + "=?")) {
      call.error(argument, "parameter " + quote(bare) + " is not supported yet; remove it");
    } else if (std::find(known.begin(), known.end(), parameter.key) == known.end()) {
      call.error(argument, "unknown parameter " + quote(text) + did_you_mean(bare, known));
    } else if (parameter.has_value && has(bare)) {
      call.error(argument, "parameter " + quote(bare) + " takes no value");
    } else if (!parameter.has_value && has(bare + "=")) {
      call.error(argument, "parameter " + quote(bare) + " needs a value: " + bare + "=...");
    } else {
      // As in nginx the last one holds.
      if (std::any_of(out.begin(), out.end(),
                      [&](const Parameter& p) { return p.key == parameter.key; })) {
        call.warning("parameter " + quote(bare) + " is given twice");
      }
      out.push_back(parameter);
    }
  }
  return out;
}

std::string Compiler::path(const std::string& name) const {
  return name.starts_with('/') ? name : options_.prefix + name;
}

std::string Compiler::beside(const std::string& name) const {
  return name.starts_with('/') ? name : directory_ + name;
}

std::optional<TlsFile> Compiler::secret(const Call& call, const Argument& argument) {
  TlsFile file;
  file.position = argument.position;
  if (argument.text.empty()) return file;
  file.path = beside(argument.text);
  auto text = std::make_shared<std::string>();
  std::string error;
  if (!read_secret(file.path, *text, error)) {
    call.error(argument, "cannot read " + quote(file.path) + ": " + error);
    return std::nullopt;
  }
  file.text = std::move(text);
  return file;
}

TlsFile Compiler::stored(const std::string& path, const Position& at) {
  TlsFile file;
  file.path = path;
  file.position = at;
  auto text = std::make_shared<std::string>();
  std::string error;
  if (read_secret(path, *text, error)) {
    file.text = std::move(text);
  } else if (!is_absent(error)) {
    file = stored_before(path, at);
    const auto problem = "cannot read " + quote(path) + ": " + error;
    if (file) {
      diagnostics_.warning(at, problem + "; what was in force stays");
    } else {
      diagnostics_.error(at, problem + "; weir keeps it itself: make it readable, or remove it");
    }
  }
  return file;
}

TlsFile Compiler::stored_before(const std::string& path, const Position& at) const {
  TlsFile file;
  file.path = path;
  file.position = at;
  auto text = std::make_shared<std::string>();
  if (options_.kept_before && options_.kept_before(path, *text)) file.text = std::move(text);
  return file;
}

bool Compiler::read_secret(const std::string& path, std::string& text, std::string& error) const {
  return options_.read_secret ? options_.read_secret(path, text, error)
                              : read_file(path, text, error);
}

std::vector<IpAddress> Compiler::addresses(const Call& call, const Argument& argument,
                                           const std::string& host, std::uint16_t port) {
  if (const auto ip = IpAddress::parse(host, port)) return {*ip};
  std::string error;
  auto found = options_.resolve ? options_.resolve(host, error) : resolve_host(host, error);
  if (found.empty()) {
    call.error(argument, "host " + quote(host) + " is not found: " + error +
                             "; write an address, or mend the name");
  }
  for (auto& address : found) address.set_port(port);
  return found;
}

namespace {
template <class Map>
std::optional<std::uint32_t> look_up(const Map& map, std::string_view key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}
}  // namespace

std::optional<std::uint32_t> Compiler::find_upstream(std::string_view name) const {
  return look_up(upstreams_, lower(name));
}
std::optional<std::uint32_t> Compiler::find_log_format(std::string_view name) const {
  return look_up(log_formats_, name);
}
std::optional<std::uint32_t> Compiler::find_user_variable(std::string_view name) const {
  return look_up(user_variables_, name);
}
std::optional<std::uint32_t> Compiler::find_limit_zone(std::string_view name) const {
  return look_up(limit_zones_, name);
}

std::vector<std::string_view> Compiler::log_format_names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, index] : log_formats_) names.push_back(name);
  return names;
}

const MatchConfig* Compiler::find_match(const std::string& name) const {
  const auto found = matches_.find(name);
  return found == matches_.end() ? nullptr : &found->second;
}

std::uint32_t Compiler::implicit_upstream(HostPort where, const std::string& name,
                                          const Position& at) {
  // Not among the declared names: `http://app:80` is another thing than `upstream app`.
  const std::string key = "\n" + lower(name);
  if (const auto known = look_up(upstreams_, key)) return *known;
  UpstreamConfig upstream;
  upstream.name = name;
  upstream.implicit = true;
  upstream.stream = in_stream_;
  upstream.position = at;
  PeerConfig peer;
  peer.name = name;
  peer.where = std::move(where);
  peer.position = at;
  upstream.peers.push_back(std::move(peer));
  const auto index = static_cast<std::uint32_t>(model_->upstreams.size());
  model_->upstreams.push_back(std::move(upstream));
  upstreams_.emplace(key, index);
  return index;
}

void Compiler::accepted(const Call& call, std::string_view note) {
  model_->accepted.push_back({call.directive.name, std::string(note), call.directive.position});
}

void Compiler::defer_health_check(const Call& call) {
  DeferredCheck check{call.directive,           &call.info, call.scope.location, std::nullopt,
                      call.scope.stream_server, in_stream_};
  if (call.scope.upstream != nullptr) check.upstream = find_upstream(call.scope.upstream->name);
  checks_.push_back(std::move(check));
}

}  // namespace weir::config
