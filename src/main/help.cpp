#include "main/help.h"

#include <algorithm>

#include "admin/metrics.h"
#include "admin/verbs.h"
#include "config/directives.h"
#include "main/reference.h"

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

std::string end_codes_markdown() {
  std::string text =
      "`$end_code` has two letters, `--` for a request that ended as it should.\n\n"
      "| first letter | what ended the request |\n|---|---|\n";
#define WEIR_END_CAUSE(id, letter, what) text += std::string("| `") + letter + "` | " what " |\n";
#define WEIR_END_PHASE(id, letter, doing)
#include "proxy/end_codes.def"
#undef WEIR_END_CAUSE
#undef WEIR_END_PHASE
  text += "\n| second letter | while |\n|---|---|\n";
#define WEIR_END_CAUSE(id, letter, what)
#define WEIR_END_PHASE(id, letter, doing) text += std::string("| `") + letter + "` | " doing " |\n";
#include "proxy/end_codes.def"
#undef WEIR_END_CAUSE
#undef WEIR_END_PHASE
  return text;
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

// `text` behind `lead`, broken into lines of at most 96 columns that begin at column `indent`.
std::string hanging(std::string lead, std::string_view text, std::size_t indent) {
  constexpr std::size_t kWidth = 96;
  lead.resize(std::max(lead.size() + 1, indent), ' ');
  std::string out;
  for (const auto word : config::split_words(text)) {
    if (!lead.ends_with(' ')) {
      if (lead.size() + 1 + word.size() > kWidth) {
        out += lead + "\n";
        lead.assign(indent, ' ');
      } else {
        lead += ' ';
      }
    }
    lead += word;
  }
  return out + lead + "\n";
}

std::string option_lines(const Program& program) {
  std::string text;
  for (const auto& option : option_table()) {
    auto lead = "  -" + std::string(option.name);
    if (!option.argument.empty()) lead += " " + std::string(option.argument);
    text += hanging(std::move(lead), option_help(option, program), 18);
  }
  return text;
}

std::string command_lines(bool asks) {
  std::string text;
  for (const auto& command : command_table()) {
    if (command.asks != asks) continue;
    auto lead = "  " + std::string(command.name) + " " + std::string(command.arguments);
    text += hanging(std::move(lead), command.help, 27);
  }
  return text;
}

}  // namespace

std::string usage(const Program& program) {
  return version_line() + "Usage: " + program.name +
         " [-?hvVtTq] [-s signal] [-p prefix] [-e file] [-c file] [-g directives]\n"
         "       " +
         program.name + " COMMAND ...\n\n" + option_lines(program) +
         "\nCommands, each with --help:\n" + command_lines(false) +
         "\nVerbs, which tell the running process of -c FILE or --socket PATH at once what to "
         "do:\n" +
         command_lines(true) +
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
  if (topic == "end_codes") return end_codes_markdown();
  return std::nullopt;
}

}  // namespace weir::main
