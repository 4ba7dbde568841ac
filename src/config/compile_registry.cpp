#include "config/handlers.h"
#include "config/tls_config.h"
#include "registry/connection.h"
#include "registry/layout.h"

namespace weir::config {
namespace {

using Form = RegistryConfig::Form;

// One `registry` being read.
struct RegistryReader {
  const Call& call;
  RegistryConfig& registry;
  std::string certificates;  // `ca`: its contents
  bool verify = true;
  bool has_tls = false;  // a parameter that only rediss:// has
  const Argument* form = nullptr;

  void time(const Parameter& parameter, Duration least, Duration& out) {
    const auto time = time_argument(call, value_of(parameter));
    if (!time) return;
    if (*time < least) {
      return call.error(*parameter.argument, std::string(parameter.key) + " must be " +
                                                 std::to_string(least.count()) + "ms or more");
    }
    out = *time;
  }

  void text(const Parameter& parameter, std::string& out) {
    out = parameter.value;
    if (out.empty()) call.error(*parameter.argument, std::string(parameter.key) + " is empty");
  }

  void pattern(const Parameter& parameter, std::string& out) {
    text(parameter, out);
    if (!out.empty() && out.find("{id}") == std::string::npos) {
      call.error(*parameter.argument, "there is no {id} in " + quote(out) +
                                          "; write it where the number of the slot stands");
    }
  }

  void take_form(const Parameter& parameter, Form kind) {
    if (form != nullptr) {
      return call.error(*parameter.argument, "only one of field, pointer and address can be given");
    }
    form = parameter.argument;
    registry.form = kind;
    kind == Form::address ? pattern(parameter, registry.detail) : text(parameter, registry.detail);
    if (kind == Form::pointer && !registry.detail.starts_with('/')) {
      call.error(*parameter.argument, "a JSON pointer begins with /, such as /addr");
    }
  }

  void take_ca(const Parameter& parameter) {
    has_tls = true;
    const auto file = call.compiler.secret(call, value_of(parameter));
    if (file && *file) certificates = *file->text;
  }

  void take(const Parameter& parameter) {
    const auto key = parameter.key;
    if (key == "app") {
      text(parameter, registry.app);
      if (!registry.app.empty() && !registry::is_app_name(registry.app)) {
        call.error(*parameter.argument, "invalid name " + quote(registry.app) +
                                            "; use up to 64 letters, digits, - . and _");
      }
    } else if (key == "forget") {
      time(parameter, Duration{0}, registry.forget);
    } else if (key == "poll") {
      time(parameter, Duration{100}, registry.poll);
    } else if (key == "key") {
      pattern(parameter, registry.key);
    } else if (key == "field") {
      take_form(parameter, Form::field);
    } else if (key == "pointer") {
      take_form(parameter, Form::pointer);
    } else if (key == "address") {
      take_form(parameter, Form::address);
    } else if (key == "channel") {
      text(parameter, registry.channel);
    } else if (key == "ca") {
      take_ca(parameter);
    } else if (key == "name") {
      has_tls = true;
      text(parameter, registry.tls_name);
    } else if (key == "verify") {
      has_tls = true;
      if (const auto on = on_off(call, parameter)) verify = *on;
    } else {
      registry.counts_fails = registry.counts_fails || key == "max_fails";
      take_peer_parameter(call, parameter, registry.node);
    }
  }

  // What the parameters say together.
  void finish() {
    if (registry.app.empty() == registry.key.empty()) {
      return call.error(registry.app.empty()
                            ? "app=NAME is missing; or give key=PATTERN for a foreign layout"
                            : "app is for weir's own layout, key for a foreign one; leave one out");
    }
    if (!registry.app.empty()) {
      if (form != nullptr) call.error(*form, "goes with key=PATTERN only");
      if (!registry.channel.empty()) call.error("channel goes with key=PATTERN only");
      registry.channel = registry::events_channel(registry.app);
    } else if (form == nullptr) {
      registry.form = Form::text;
    }
    if (!registry.url.tls) {
      if (has_tls) call.error("ca, name and verify are for rediss://");
      return;
    }
    if (!verify && !certificates.empty()) return call.error("ca has no meaning with verify=off");
    std::string error;
    registry.tls = registry::make_tls(certificates, verify, error);
    registry.tls_identity = certificates + (verify ? "verified" : "not verified");
    if (registry.tls == nullptr) call.error("ca: " + error);
  }
};

}  // namespace

void compile_registry(const Call& call) {
  auto& upstream = *call.scope.upstream;
  RegistryConfig registry;
  registry.position = call.directive.position;
  std::string error;
  auto url = registry::Url::parse(call.arg(0).text, error);
  if (!url) {
    upstream.registry.emplace();  // there is one: what is missing is not a server
    // Not the URL itself: there may be a password in it.
    return call.error(call.arg(0), "invalid URL: " + error);
  }
  registry.url = std::move(*url);
  RegistryReader reader{call, registry, {}};
  for (const auto& parameter : parameters(call, 1)) reader.take(parameter);
  reader.finish();
  upstream.registry = std::move(registry);
}

}  // namespace weir::config
