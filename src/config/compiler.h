// From the tree of directives to the model: declares what has a name (upstreams, maps, log
// formats, captures), calls the handler of each directive, then resolves inheritance.
// One load, one thread; private to this folder.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/directives.h"
#include "config/settings.h"
#include "config/tree.h"

namespace weir::config {

struct LocationDraft {
  LocationKind kind = LocationKind::prefix;
  std::string path;
  Pattern pattern;
  bool internal = false;
  Settings settings;
  std::vector<Rule> rules;
  std::optional<TryFiles> try_files;
  Content content;
  std::optional<bool> random_index;
  std::uint32_t allowed_methods = 0;
  std::unique_ptr<LocationDraft> except;
  std::vector<std::unique_ptr<LocationDraft>> nested;
  // The settings of the `if`s among the rules, and whose they are.
  std::vector<std::pair<IfRule*, std::unique_ptr<LocationDraft>>> ifs;
  LocationDraft* outer = nullptr;  // null: the server's own level

  [[nodiscard]] ProxyConfig* proxy() { return std::get_if<ProxyConfig>(&content); }
  Position position;
};

struct ServerDraft {
  std::vector<ServerName> names;
  std::string primary_name;
  std::vector<Listen> listens;
  std::optional<bool> ssl;  // `ssl on`: every listener of it speaks TLS
  LocationDraft root;
  std::optional<AcmeCertificate> acme;  // as it was asked for
};

// A server of stream; `root` has what it shares with http.
struct StreamDraft : ServerDraft {
  StreamSettings own;
  std::optional<std::uint32_t> upstream;
  Value target;
  std::optional<Value> answer;
  std::string host;
};

// The block that a directive stands in: which kind, and what it fills in. Only the pointers of
// that kind are set.
struct Scope {
  std::uint32_t contexts = 0;
  Settings* settings = nullptr;        // http, server, location, stream
  ServerDraft* server = nullptr;       // server
  LocationDraft* location = nullptr;   // server, location
  std::vector<Rule>* rules = nullptr;  // server, location, if
  UpstreamConfig* upstream = nullptr;
  MatchConfig* match = nullptr;
  AdminConfig* admin = nullptr;
  StreamSettings* stream = nullptr;      // stream, server of stream
  StreamDraft* stream_server = nullptr;  // server of stream
  TraceConfig* trace = nullptr;
  AcmeIssuer* acme = nullptr;
  std::string_view method_line{};  // upstream: the method of choice that stands before, by name
  bool access_log_off = false;     // http, server, location: `access_log off` stands before
};

class Compiler;
class TlsContexts;

// One directive to compile.
struct Call {
  Compiler& compiler;
  Scope& scope;
  const Directive& directive;
  const DirectiveInfo& info;

  [[nodiscard]] const Argument& arg(std::size_t i) const { return directive.args[i]; }
  [[nodiscard]] std::size_t count() const { return directive.args.size(); }
  // "directive: message", at the directive or at one of its arguments.
  void error(const std::string& message) const;
  void error(const Argument& at, const std::string& message) const;
  void warning(const std::string& message) const;
};

// A parameter of a directive, checked against DirectiveInfo::parameters.
struct Parameter {
  std::string_view key;
  std::string_view value;
  bool has_value = false;
  const Argument* argument = nullptr;
};
// The parameters from argument `from` on; unknown, repeated and unsupported ones are reported and
// left out.
[[nodiscard]] std::vector<Parameter> parameters(const Call& call, std::size_t from);

class Compiler {
 public:
  // `directory`: of the main file; ends with '/', or is empty.
  Compiler(const LoadOptions& options, Dialect dialect, std::string directory,
           Diagnostics& diagnostics);

  // The model of `tree`; incomplete if there were errors.
  std::unique_ptr<Model> compile(const Block& tree);
  // Of that model.
  [[nodiscard]] std::vector<StapleUse> take_staples() { return std::move(staples_); }

  // For handlers.
  Model& model() { return *model_; }
  Diagnostics& diagnostics() { return diagnostics_; }
  const LoadOptions& options() const { return options_; }
  void walk(const Block& block, Scope& scope);
  // Text with variables; nullopt after an error.
  std::optional<Value> value(const Call& call, const Argument& argument);
  // A compiled pattern; null after an error.
  std::shared_ptr<const Regex> regex(const Call& call, const Argument& argument,
                                     std::string_view pattern, bool caseless);
  // The same with the variables that its named groups set; false after an error.
  Pattern pattern(const Call& call, const Argument& argument, std::string_view pattern,
                  bool caseless);
  // The path of a log or pid file, relative ones below the prefix.
  [[nodiscard]] std::string path(const std::string& name) const;
  // The path of a file that nginx looks for beside its configuration.
  [[nodiscard]] std::string beside(const std::string& name) const;
  // A file that nginx looks for beside its configuration, with its contents; without a name: none.
  // nullopt after an error.
  std::optional<TlsFile> secret(const Call& call, const Argument& argument);
  // A file of weir's own; no text: there is none (yet). One that is there and cannot be read is
  // taken as it was when it could last be used; if that is not known, it is an error.
  [[nodiscard]] TlsFile stored(const std::string& path, const Position& at);
  // As it was then; no text: that is not known.
  [[nodiscard]] TlsFile stored_before(const std::string& path, const Position& at) const;
  // Reads a file that is nobody else's business; false: `error` says why not.
  [[nodiscard]] bool read_secret(const std::string& path, std::string& text,
                                 std::string& error) const;
  // The addresses of a host, with `port`: of its name as the system resolves it now. Empty after
  // an error, which was reported at `argument`.
  std::vector<IpAddress> addresses(const Call& call, const Argument& argument,
                                   const std::string& host, std::uint16_t port);
  [[nodiscard]] std::optional<std::uint32_t> find_upstream(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint32_t> find_log_format(std::string_view name) const;
  // The same, and weir's own `json`, which is made where it is first asked for.
  [[nodiscard]] std::optional<std::uint32_t> ready_log_format(std::string_view name);
  [[nodiscard]] std::vector<std::string_view> log_format_names() const;
  // A variable that the configuration makes; its name in lower case, without $.
  [[nodiscard]] std::optional<std::uint32_t> find_user_variable(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint32_t> find_limit_zone(std::string_view name) const;
  // Counts one more address to listen on; false when there are too many (ranges of ports).
  static constexpr std::size_t kMaxListens = 100000;
  bool count_listen() { return ++listens_ <= kMaxListens; }
  // The upstream of a proxy_pass that names no block; made when first used.
  std::uint32_t implicit_upstream(HostPort where, const std::string& name, const Position& at);
  void add_server(std::unique_ptr<ServerDraft> server) { servers_.push_back(std::move(server)); }
  // stream has names of its own for upstreams, variables, formats, zones and matches: between
  // these two calls all of those are looked up among them.
  void enter_stream() { switch_names(); }
  void leave_stream() { switch_names(); }
  [[nodiscard]] bool in_stream() const { return in_stream_; }
  // What the block `stream` itself says.
  Settings& stream_settings() { return stream_; }
  StreamSettings& stream_own_settings() { return stream_own_; }
  void add_stream(std::unique_ptr<StreamDraft> server) { streams_.push_back(std::move(server)); }
  // A variable that is there without being made; its name in any case, without $.
  [[nodiscard]] std::optional<VariableRef> built_in(std::string_view name) const;
  void add_match(const std::string& name, MatchConfig match) { matches_[name] = std::move(match); }
  // Health checks are compiled when all upstreams and matches are known.
  void defer_health_check(const Call& call);
  [[nodiscard]] const MatchConfig* find_match(const std::string& name) const;
  void accepted(const Call& call, std::string_view note);
  // The size that a zone of TLS sessions had where it was first named; `size` if this is there.
  std::uint64_t tls_zone_size(const std::string& zone, std::uint64_t size) {
    return tls_zones_.emplace(zone, size).first->second;
  }
  // `ssl on` of all servers that say nothing themselves.
  void set_ssl(bool on) { ssl_ = on; }
  // True the first time that `directive` is reported as not supported.
  bool report_once(const std::string& directive) { return reported_.insert(directive).second; }

 private:
  struct DeferredCheck {
    Directive directive;
    const DirectiveInfo* info;
    LocationDraft* location;                     // or
    std::optional<std::uint32_t> upstream;       // index
    const StreamDraft* stream_server = nullptr;  // or
    bool stream = false;
  };
  // See enter_stream().
  struct Names {
    std::map<std::string, std::uint32_t, std::less<>> upstreams, user_variables, log_formats,
        limit_zones;
    std::map<std::string, MatchConfig> matches;
  };

  void switch_names();
  void declare(const Block& block);
  void declare_variable(const std::string& text);
  void declare_variables(const Block& block);
  void declare_pattern(std::string_view pattern);
  void declare_limit_zone(const Directive& directive);
  void check(const Directive& directive, Scope& scope, std::map<std::string, std::uint32_t>& seen);
  void report_unknown(const Directive& directive, std::uint32_t contexts);
  bool check_shape(const Call& call);
  std::optional<VariableRef> variable(std::string_view name) const;
  void run_deferred_checks();
  void run_check(const DeferredCheck& check);
  void default_checks();
  void finish();
  void finish_streams(TlsContexts& tls);
  void name_stream_upstreams();
  void check_stream_listens();

  const LoadOptions& options_;
  std::string directory_;
  Diagnostics& diagnostics_;
  std::unique_ptr<Model> model_;
  Settings http_;
  std::vector<std::unique_ptr<ServerDraft>> servers_;
  std::map<std::string, std::uint32_t, std::less<>> upstreams_;       // lower case -> index
  std::map<std::string, std::uint32_t, std::less<>> user_variables_;  // lower case -> index
  std::map<std::string, std::uint32_t, std::less<>> log_formats_;
  std::map<std::string, std::uint32_t, std::less<>> limit_zones_;
  std::map<std::string, MatchConfig> matches_;
  std::map<std::pair<std::string, bool>, std::shared_ptr<const Regex>> regexes_;
  Names other_names_;  // of stream, or while in stream those of http
  bool in_stream_ = false;
  Settings stream_;
  StreamSettings stream_own_;
  std::vector<std::unique_ptr<StreamDraft>> streams_;
  std::vector<DeferredCheck> checks_;
  std::size_t listens_ = 0;
  std::map<std::string, std::uint64_t> tls_zones_;
  bool ssl_ = false;
  std::set<std::string, std::less<>> reported_;
  // Variables of directives that are not supported: an error about those is enough.
  std::set<std::string, std::less<>> foreign_;
  std::vector<std::uint32_t> unchecked_;  // upstreams with `health_check off`
  std::vector<StapleUse> staples_;
};

}  // namespace weir::config
