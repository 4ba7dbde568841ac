#include "config/print_settings.h"

#include <type_traits>

#include "config/print.h"

namespace weir::config {
namespace {

// One overload a type of setting. `text()` of a struct names what is in it.
class Texts {
 public:
  explicit Texts(const Model& model) : model_(model) {}

  std::string text(bool value) const { return value ? "on" : "off"; }
  std::string text(std::uint32_t value) const { return std::to_string(value); }
  std::string text(std::uint64_t value) const { return std::to_string(value); }
  std::string text(Duration value) const { return print(value); }
  std::string text(const std::string& value) const { return "\"" + value + "\""; }
  std::string text(const Value& value) const { return "\"" + print(value, model_) + "\""; }
  template <class Enum>
  requires std::is_enum_v<Enum> std::string text(Enum value)
  const { return std::to_string(static_cast<int>(value)); }
  template <class T>
  std::string text(const std::optional<T>& value) const {
    return value ? text(*value) : "none";
  }
  template <class T>
  std::string text(const std::vector<T>& list) const {
    std::string out = "[";
    for (const auto& item : list) out += (out.size() > 1 ? ", " : "") + text(item);
    return out + "]";
  }
  std::string text(const HeaderBuffers& b) const {
    return std::to_string(b.count) + " x " + std::to_string(b.size);
  }
  std::string text(const KeepaliveTimeout& t) const { return print(t.idle) + " " + text(t.header); }
  std::string text(const Cidr& network) const { return network.text(); }
  std::string text(const IpAddress& address) const { return address.text(); }
  std::string text(const ResolverConfig& r) const {
    return text(r.servers) + " valid=" + text(r.valid) + " ipv4=" + text(r.ipv4) +
           " ipv6=" + text(r.ipv6);
  }
  std::string text(const RootConfig& r) const {
    return text(r.path) + (r.alias ? " alias " + std::to_string(r.prefix) : "") +
           (r.whole ? " whole" : "");
  }
  std::string text(const TypeMap& types) const {
    if (types == nullptr) return "none";
    std::string out = "{";
    for (const auto& [extension, type] : *types) out += " " + extension + "=" + type;
    return out + " }";
  }
  std::string text(const ErrorPage& page) const {
    std::string out;
    for (const auto code : page.codes) out += std::to_string(code) + " ";
    return out + (page.status ? "=" + std::to_string(*page.status) + " " : "") + text(page.uri);
  }
  std::string text(const std::optional<SyslogConfig>& syslog) const {
    if (!syslog) return "";
    return " syslog " + syslog->server.text() + " " + std::to_string(syslog->facility) + " " +
           std::to_string(syslog->severity) + " " + syslog->tag +
           (syslog->hostname ? "" : " nohost");
  }
  std::string text(const ErrorLog& log) const {
    return log.path + " " + text(log.level) + text(log.syslog);
  }
  std::string text(const AccessLog& log) const {
    return text(log.path) + " " + model_.log_formats[log.format].name +
           " buffer=" + text(log.buffer) + " flush=" + text(log.flush) +
           " gzip=" + std::to_string(log.gzip) + " if=" + text(log.condition) + text(log.syslog);
  }
  std::string text(const AccessRule& rule) const {
    return (rule.allow ? "allow " : "deny ") + (rule.network ? rule.network->text() : "all");
  }
  std::string text(const AuthRequestSet& set) const {
    return print(Value({{{}, set.variable, true}}), model_) + " " + text(set.value);
  }
  std::string text(const LimitReq& limit) const {
    return model_.limit_zones[limit.zone].name + " burst=" + text(limit.burst) +
           " delay=" + text(limit.delay);
  }
  std::string text(const LimitConn& limit) const {
    return model_.limit_zones[limit.zone].name + " " + text(limit.connections);
  }
  std::string text(const SecureLink& link) const {
    return text(link.link) + " " + text(link.md5) + " " + link.secret;
  }
  std::string text(const Pattern& pattern) const { return print(pattern); }
  std::string text(const ValidReferers& r) const {
    return std::string(r.none ? "none " : "") + (r.blocked ? "blocked " : "") +
           (r.server_names ? "server_names " : "") + text(r.names) + text(r.patterns);
  }
  std::string text(const Symlinks& s) const { return text(s.deny) + " " + text(s.from); }
  std::string text(const HeaderValue& header) const {
    return header.name + ": " + text(header.value) + (header.always ? " always" : "");
  }
  std::string text(const ExpiresConfig& e) const {
    return text(e.kind) + " " + std::to_string(e.time.count()) + " " + text(e.value) +
           (e.modified ? " modified" : "");
  }
  std::string text(const TypeSet& types) const { return types.all ? "*" : text(types.types); }
  std::string text(const GzipDisable& d) const {
    std::string out = d.msie6 ? "msie6" : "";
    for (const auto& agent : d.agents) out += " " + agent->text();
    return out;
  }
  std::string text(const SubFilter& sub) const { return text(sub.from) + " " + text(sub.to); }
  std::string text(const ProxyBind& bind) const {
    return text(bind.address) + (bind.transparent ? " transparent" : "");
  }
  std::string text(const ProxyBuffers& b) const {
    return std::to_string(b.count) + " x " + std::to_string(b.size);
  }
  std::string text(const RedirectRule& rule) const { return print(rule, model_); }
  std::string text(const ProxyRedirect& r) const {
    return std::string(r.off ? "off " : "") + (r.default_ ? "default " : "") + text(r.rules);
  }
  std::string text(const CookieRule& rule) const {
    return text(rule.from) + print(rule.pattern) + " -> " + text(rule.to);
  }
  std::string text(const CookieFlags& flags) const {
    return text(flags.cookie) + print(flags.pattern) + " " + text(flags.flags);
  }
  std::string text(const TlsFile& file) const { return file.path; }
  std::string text(const TlsCommand& command) const { return command.name + "=" + command.value; }
  std::string text(const TlsSessionCache& cache) const {
    return text(cache.kind) + " " + text(cache.sessions) + " " + cache.zone + " " +
           text(cache.size);
  }
  std::string text(const ProxyStore& store) const {
    return text(store.on) + " " + text(store.path);
  }

 private:
  const Model& model_;
};

// One line a rule; the rules of an `if` are indented below it.
class RulePrinter {
 public:
  RulePrinter(const Model& model, std::vector<std::string>& out)
      : texts_(model), model_(model), out_(out) {}

  void run(const std::vector<Rule>& rules, const std::string& indent) {
    for (const auto& rule : rules) {
      out_.push_back(indent + std::visit([&](const auto& r) { return one(r); }, rule));
      if (const auto* inner = std::get_if<std::unique_ptr<IfRule>>(&rule)) {
        run((*inner)->rules, indent + "  ");
        if ((*inner)->location == nullptr) continue;
        for (const auto& line : print_settings((*inner)->location->request, model_)) {
          out_.push_back(indent + "  " + line);
        }
        if (const auto* proxy = (*inner)->location->proxy()) {
          out_.push_back(indent + "  proxy " +
                         (proxy->upstream ? model_.upstreams[*proxy->upstream].name
                                          : print(proxy->target, model_)));
        }
      }
    }
  }

 private:
  std::string one(const SetRule& rule) const {
    return "set " + print(Value({{{}, rule.variable, true}}), model_) + " " +
           texts_.text(rule.value);
  }
  std::string one(const RewriteRule& rule) const {
    return "rewrite " + print(rule.pattern) + " " + texts_.text(rule.replacement) +
           (rule.keeps_args ? " args" : "") + (rule.has_args ? " own_args" : "") + " " +
           texts_.text(rule.then);
  }
  std::string one(const BreakRule&) const { return "break"; }
  std::string one(const ReturnRule& rule) const {
    return "return " + std::to_string(rule.status) + (rule.redirect ? " redirect" : "") +
           (rule.has_text ? " " + texts_.text(rule.text) : "");
  }
  std::string one(const std::unique_ptr<IfRule>& rule) const {
    const auto& c = rule->condition;
    return std::string("if ") + (c.negated ? "not " : "") + texts_.text(c.test) + " " +
           texts_.text(c.subject) + " " + texts_.text(c.other) + " " + print(c.pattern);
  }

  Texts texts_;
  const Model& model_;
  std::vector<std::string>& out_;
};

}  // namespace

std::string print(const Pattern& pattern) {
  if (!pattern) return {};
  return (pattern.regex->caseless() ? "~*" : "~") + pattern.regex->text();
}

std::string print(const RedirectRule& rule, const Model& model) {
  return "\"" + print(rule.from, model) + "\"" + print(rule.pattern) + " -> \"" +
         print(rule.to, model) + "\"";
}

std::string print(const ErrorLog& log) { return Texts(Model{}).text(log); }

std::vector<std::string> print_settings(const RequestConfig& request, const Model& model) {
  const Texts texts(model);
  const RequestConfig plain;
  std::vector<std::string> lines;
  const auto add = [&](const char* name, const std::string& value, const std::string& usual) {
    if (value != usual) lines.push_back(std::string(name) + " " + value);
  };
#define WEIR_SETTING(type, name, ...) add(#name, texts.text(request.name), texts.text(plain.name));
#define WEIR_SETTING_BY_DIALECT(type, name, nginx, careful) WEIR_SETTING(type, name, )
#include "config/settings.def"
#undef WEIR_SETTING
#undef WEIR_SETTING_BY_DIALECT
  return lines;
}

std::vector<std::string> print_rules(const std::vector<Rule>& rules, const Model& model) {
  std::vector<std::string> lines;
  RulePrinter(model, lines).run(rules, "");
  return lines;
}

}  // namespace weir::config
