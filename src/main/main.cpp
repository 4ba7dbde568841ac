// The command line.
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "admin/metrics.h"
#include "base/log.h"
#include "config/directives.h"
#include "config/load.h"
#include "main/engine.h"

namespace {

constexpr const char* kUsage =
    "weir " WEIR_VERSION
    ": a reverse-proxy load balancer\n"
    "\n"
    "usage: weir [-t] [-q] [-c FILE] [-p PREFIX] [-e FILE] [-g DIRECTIVES]\n"
    "\n"
    "  -c FILE        configuration, in nginx's syntax or in YAML (default: PREFIX/weir.conf)\n"
    "  -t             check the configuration and exit\n"
    "  -q             with -t: say only what is wrong\n"
    "  -p PREFIX      base of relative paths (default: /etc/weir/)\n"
    "  -e FILE        error log until, and unless, the configuration names one\n"
    "  -g DIRECTIVES  directives besides those of the configuration\n"
    "  -v, -V         version\n"
    "  -h [TOPIC]     this text, or the reference of: directives, variables, metrics, errors\n"
    "\n"
    "signals: HUP reloads, USR1 reopens logs, QUIT ends when requests have ended, TERM ends now\n";

struct Arguments {
  std::string config;
  std::string prefix = "/etc/weir/";
  std::string error_log;
  std::string directives;
  bool test = false;
  bool quiet = false;
};

enum class Parsed { run, done, bad };

// The reference pages, made from the tables that the program itself works with.
std::string variables_markdown() {
  std::string text = "| variable | value |\n|---|---|\n";
#define WEIR_VARIABLE(id, name, help) text += "| `$" name "` | " help " |\n";
#include "config/variables.def"
#undef WEIR_VARIABLE
  return text +
         "| `$http_NAME` `$sent_http_NAME` `$upstream_http_NAME` | a field of the request, of the "
         "answer to the client, of the peer's answer |\n"
         "| `$arg_NAME` `$cookie_NAME` | an argument of the query, a cookie |\n";
}

std::string errors_markdown() {
  std::string text =
      "| error | fault of | sent to another peer | status | text |\n|---|---|---|---|---|\n";
#define WEIR_ERROR(name, side, retry, status, what) \
  text += "| `" #name "` | " #side " | " #retry " | " #status " | " what " |\n";
#include "base/errors.def"
#undef WEIR_ERROR
  return text;
}

Parsed help(const std::string& topic) {
  std::string text;
  if (topic.empty()) {
    text = kUsage;
  } else if (topic == "directives") {
    text = weir::config::directives_markdown();
  } else if (topic == "variables") {
    text = variables_markdown();
  } else if (topic == "metrics") {
    text = weir::admin::metrics_markdown();
  } else if (topic == "errors") {
    text = errors_markdown();
  } else {
    std::fprintf(stderr, "weir: no help on \"%s\"; see weir -h\n", topic.c_str());
    return Parsed::bad;
  }
  std::fputs(text.c_str(), stdout);
  return Parsed::done;
}

Parsed parse(int argc, char** argv, Arguments& out) {
  for (int option; (option = ::getopt(argc, argv, "c:p:e:g:tqvVh?")) != -1;) {
    switch (option) {
      case 'c':
        out.config = optarg;
        break;
      case 'p':
        out.prefix = optarg;
        if (!out.prefix.ends_with('/')) out.prefix.push_back('/');
        break;
      case 'e':
        out.error_log = optarg;
        break;
      case 'g':
        out.directives = optarg;
        break;
      case 't':
        out.test = true;
        break;
      case 'q':
        out.quiet = true;
        break;
      case 'v':
      case 'V':
        std::fprintf(stderr, "weir version: %s\n", WEIR_VERSION);
        return Parsed::done;
      case 'h':
        return help(optind < argc ? argv[optind] : "");
      default:
        std::fputs(kUsage, stderr);
        return Parsed::bad;
    }
  }
  if (optind < argc) {
    std::fprintf(stderr, "weir: unexpected argument \"%s\"; see weir -h\n", argv[optind]);
    return Parsed::bad;
  }
  return Parsed::run;
}

// Relative to the prefix, as nginx's -c.
std::string config_path(const Arguments& arguments) {
  if (arguments.config.empty()) return arguments.prefix + "weir.conf";
  if (arguments.config.starts_with('/')) return arguments.config;
  if (std::filesystem::exists(arguments.config)) return arguments.config;
  return arguments.prefix + arguments.config;
}

using weir::config::Diagnostic;

void report(const weir::config::LoadResult& loaded, bool quiet) {
  for (const auto& diagnostic : loaded.diagnostics) {
    if (quiet && diagnostic.severity != Diagnostic::Severity::error) continue;
    std::fprintf(stderr, "weir: %s\n", diagnostic.text().c_str());
  }
}

int check(const std::string& path, const weir::config::LoadResult& loaded, bool quiet) {
  report(loaded, quiet);
  if (loaded.model == nullptr) {
    std::fprintf(stderr, "weir: configuration file %s test failed\n", path.c_str());
    return 1;
  }
  // What the machine has to say: names, files. Nothing is bound, nothing is changed.
  weir::proxy::RuntimeBuilder builder(1);
  auto error = builder.build(loaded.model).error;
  if (error.empty()) error = weir::proxy::AccessLogs::check(*loaded.model);
  if (!error.empty()) {
    std::fprintf(stderr, "weir: %s\nweir: configuration file %s test failed\n", error.c_str(),
                 path.c_str());
    return 1;
  }
  if (quiet) return 0;
  for (const auto& accepted : loaded.model->accepted) {
    std::fprintf(stderr, "weir: %s: note: %s: %s\n", accepted.position.text().c_str(),
                 accepted.directive.c_str(), accepted.note.c_str());
  }
  std::fprintf(stderr, "weir: the configuration file %s syntax is ok\n", path.c_str());
  std::fprintf(stderr, "weir: configuration file %s test is successful\n", path.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  switch (parse(argc, argv, arguments)) {
    case Parsed::done:
      return 0;
    case Parsed::bad:
      return 1;
    case Parsed::run:
      break;
  }
  ::signal(SIGPIPE, SIG_IGN);
  const std::string path = config_path(arguments);
  weir::main::Engine::Options options;
  options.config_path = path;
  options.load.prefix = arguments.prefix;
  options.load.global_directives = arguments.directives;
  options.error_log = arguments.error_log;
  const auto loaded = weir::config::load(path, options.load);
  if (arguments.test) return check(path, loaded, arguments.quiet);
  report(loaded, true);
  if (loaded.model == nullptr) return 1;
  options.pid_path = loaded.model->pid_path;

  weir::Log log;
  weir::main::Engine engine(options, loaded.model, log);
  if (const auto error = engine.start(); !error.empty()) {
    std::fprintf(stderr, "weir: %s\n", error.c_str());
    return 1;
  }
  return engine.run();
}
