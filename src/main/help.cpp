#include "main/help.h"

#include <algorithm>

#include "admin/metrics.h"
#include "admin/verbs.h"
#include "config/directives.h"

namespace weir::main {
namespace {

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

std::string verb_lines() {
  std::string text;
  for (const auto& verb : admin::verb_table()) {
    auto call = std::string(verb.name) + " " + std::string(verb.arguments);
    call.resize(std::max<std::size_t>(call.size(), 24), ' ');
    text += "  " + call + " " + std::string(verb.help) + "\n";
  }
  return text;
}

}  // namespace

std::string usage(const Program& program) {
  return version_line() + "Usage: " + program.name +
         " [-?hvVtTq] [-s signal] [-p prefix] [-e file] [-c file] [-g directives]\n"
         "       " +
         program.name +
         " convert FILE [-o OUT]   writes the configuration of FILE in YAML\n"
         "       " +
         program.name +
         " node OPTIONS [-- COMMAND...]   takes a worker ID in a registry and publishes a node\n"
         "       " +
         program.name +
         " registry list|drain|ready|release   shows and changes the nodes of a registry\n"
         "\n"
         "  -?, -h [TOPIC]  this text, or the reference of: directives, variables, metrics, "
         "errors,\n"
         "                  verbs\n"
         "  -v              version\n"
         "  -V              version, what it is built with, where its files are\n"
         "  -t              check the configuration and exit\n"
         "  -T              the same, and print it with all files that it includes\n"
         "  --diff          with -t: which share of its clients a reload of the running process "
         "would\n"
         "                  send to another peer, for each upstream; --socket PATH names the "
         "process\n"
         "  -q              with -t: say only what is wrong\n"
         "  -s SIGNAL       tell the running process: stop, quit, reopen or reload;\n"
         "                  stop and quit return when it has ended\n"
         "  -p PREFIX       base of relative paths (" +
         program.prefix +
         ")\n"
         "  -e FILE         error log where the configuration names none (" +
         program.error_log_path +
         ";\n"
         "                  standard error for YAML); \"stderr\" is standard error\n"
         "  -c FILE         configuration, in nginx's syntax or in YAML (" +
         program.conf_path +
         ")\n"
         "  -g DIRECTIVES   directives of the main context besides those of the file\n"
         "\n"
         "Verbs, which tell the running process of -c FILE or --socket PATH at once what to do:\n" +
         verb_lines() +
         "\n"
         "With a configuration in nginx's syntax it goes into the background as soon as it "
         "serves,\n"
         "unless that says \"daemon off;\". With YAML it stays in the foreground.\n"
         "\n"
         "Signals to the master process: HUP reloads, USR1 opens the logs again, USR2 changes the\n"
         "binary, WINCH lets the serving process end, QUIT ends when requests have ended, TERM "
         "and\n"
         "INT end now.\n";
}

std::optional<std::string> help_page(const std::string& topic) {
  if (topic == "directives") return config::directives_markdown();
  if (topic == "variables") return variables_markdown();
  if (topic == "metrics") return admin::metrics_markdown();
  if (topic == "verbs") return admin::verbs_markdown();
  if (topic == "errors") return errors_markdown();
  return std::nullopt;
}

}  // namespace weir::main
