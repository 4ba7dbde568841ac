// The manual pages in mdoc(7), from the tables that the program works with.
#include <algorithm>

#include "config/directive_rows.h"
#include "config/directives.h"
#include "config/variable_names.h"
#include "main/reference.h"

namespace weir::main {
namespace {

constexpr const char* kDate = "November 26, 2026";  // of the last change of what stands here

// Characters that mdoc would take for its own.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '"') {
      out += "\\(dq";
    } else {
      out += c;
    }
  }
  return out;
}

// An argument of a macro: one word, and no macro itself.
std::string argument(std::string_view text) { return "\"\\&" + escaped(text) + "\""; }

// Text in lines of at most 78 columns, none of which can be taken for a macro; a sentence ends with
// its line.
std::string lines(std::string_view text) {
  constexpr std::size_t kWidth = 78;
  std::string out;
  std::string line;
  const auto flush = [&] {
    if (line.empty()) return;
    if (line.front() == '.' || line.front() == '\'') line.insert(0, "\\&");
    out += line + "\n";
    line.clear();
  };
  for (const auto word : config::split_words(text)) {
    const auto plain = escaped(word);
    if (!line.empty() && line.size() + 1 + plain.size() > kWidth) flush();
    line += (line.empty() ? "" : " ") + plain;
    if (word.ends_with('.')) flush();
  }
  flush();
  return out;
}

std::string sentence(std::string text) {
  if (!text.empty() && !text.ends_with('.')) text += '.';
  return lines(text);
}

std::string header(std::string_view title, int section, std::string_view name,
                   std::string_view about) {
  return ".Dd " + std::string(kDate) + "\n.Dt " + std::string(title) + " " +
         std::to_string(section) + "\n.Os\n.Sh NAME\n.Nm " + std::string(name) + "\n.Nd " +
         std::string(about) + "\n";
}

// ---- weir(8) ----

std::string options(const Program& program) {
  std::string out = ".Bl -tag -width Ds\n";
  for (const auto& option : option_table()) {
    out += ".It Fl " + (option.name == "?" ? std::string("\\&?") : std::string(option.name));
    auto taken = std::string(option.argument);
    const bool optional = taken.starts_with('[');
    std::erase_if(taken, [](char c) { return c == '[' || c == ']'; });
    if (!taken.empty()) out += (optional ? " Op Ar " : " Ar ") + taken;
    out += "\n" + sentence(option_help(option, program));
  }
  return out + ".El\n";
}

std::string commands(bool asks) {
  std::string out = ".Bl -tag -width Ds\n";
  for (const auto& command : command_table()) {
    if (command.asks != asks) continue;
    out += ".It Cm " + std::string(command.name);
    if (!command.arguments.empty()) out += " Ar " + argument(command.arguments);
    out += "\n" + sentence(std::string(command.help));
    std::string list;
    for (const auto word : config::split_words(command.options)) {
      const auto name = word.substr(0, word.find('='));
      list += (list.empty() ? "Options: --" : ", --") + std::string(name);
      if (name.size() < word.size()) list += " VALUE";
    }
    out += sentence(list);
  }
  return out + ".El\n";
}

struct Signal {
  const char* name;
  const char* effect;
};
constexpr Signal kSignals[] = {
    {"SIGHUP", "Reload; a configuration with a mistake changes nothing."},
    {"SIGUSR1", "Open the log files again."},
    {"SIGUSR2", "Change the binary: a new one starts with the same sockets."},
    {"SIGWINCH", "As a daemon: what serves ends when its requests have ended; SIGHUP starts anew."},
    {"SIGQUIT", "End when the requests in progress have ended."},
    {"SIGTERM, SIGINT", "End now."}};

std::string program_page(const Program& program) {
  std::string out = header("WEIR", 8, "weir", "reverse-proxy load balancer");
  out +=
      ".Sh SYNOPSIS\n"
      ".Nm\n.Op Fl ?hvVtTq\n.Op Fl s Ar signal\n.Op Fl p Ar prefix\n.Op Fl e Ar file\n"
      ".Op Fl c Ar file\n.Op Fl g Ar directives\n"
      ".Nm\n.Ar command\n.Op Ar argument ...\n"
      ".Sh DESCRIPTION\n.Nm\n";
  out += lines(
      "stands between clients and groups of application nodes, and shares requests out among them. "
      "It reads the configuration of nginx, or one in YAML, and takes the command line and the "
      "signals of nginx.");
  out +=
      ".Pp\nWith a configuration in nginx's syntax it goes into the background as soon as it\n"
      "serves, unless that says\n.Ic daemon off .\nWith YAML it stays in the foreground.\n"
      ".Pp\nThe options are:\n" +
      options(program);
  out += ".Ss Commands\n" + commands(false);
  out += ".Ss Verbs\n" +
         lines(
             "They ask the running process over a Unix socket, which the configuration of -c "
             "FILE or --socket PATH names. A PEER is named as in the configuration or by its "
             "address.") +
         commands(true);
  out += ".Sh SIGNALS\nThe master process takes:\n.Bl -tag -width Ds\n";
  for (const auto& signal : kSignals) {
    out += ".It " + argument(signal.name) + "\n" + sentence(signal.effect);
  }
  out += ".El\n.Sh FILES\n.Bl -tag -width Ds\n";
  out += ".It Pa " + program.conf_path + "\nThe configuration.\n";
  out += ".It Pa " + program.pid_path + "\nThe number of the master process.\n";
  out +=
      ".It Pa " + program.error_log_path + "\nThe error log, where the configuration names none.\n";
  out += ".It Pa " + program.http_log_path +
         "\nThe access log, where the configuration names none.\n.El\n";
  out +=
      ".Sh EXIT STATUS\n0 on success, 1 on any error; with\n.Fl t\n"
      "0 if the configuration is good.\n";
  return out + ".Sh SEE ALSO\n.Xr weir.conf 5\n";
}

// ---- weir.conf(5) ----

std::string count_text(const config::DirectiveInfo& row) {
  if (row.has(config::kFlag)) return "on or off";
  std::string out = std::to_string(row.min_args);
  if (row.max_args == config::kMany) {
    out += " or more";
  } else if (row.max_args != row.min_args) {
    out += " to " + std::to_string(row.max_args);
  }
  if (row.has(config::kBlock)) out += ", and a block";
  if (row.has(config::kMayBlock)) out += ", and a block if need be";
  return out;
}

std::string parameter_text(const config::DirectiveInfo& row) {
  std::string out;
  for (const auto word : config::split_words(row.parameters)) {
    if (word.front() == '!' && !row.has(config::kOperator)) continue;
    out += (out.empty() ? "Parameters: " : ", ") + std::string(word);
  }
  return out;
}

std::string directive(const config::DirectiveInfo& row) {
  std::string out = ".It Ic " + argument(row.name);
  out += "\n" + sentence(std::string(row.help));
  out += sentence(parameter_text(row));
  std::string facts =
      "In " + config::context_names(row.contexts) + "; arguments: " + count_text(row);
  if (!row.yaml_name.empty()) facts += "; in YAML " + std::string(row.yaml_name);
  if (const auto* list = config::ordered_list_of(row)) {
    facts += "; in YAML an item of " + std::string(list->key);
  }
  if (!row.default_text.empty()) facts += "; default: " + std::string(row.default_text);
  return out + sentence(facts);
}

std::string directives() {
  std::string in_force;
  std::string accepted;
  for (const auto& row : config::directive_table()) {
    if (row.support != config::Support::accepted) {
      in_force += directive(row);
      continue;
    }
    accepted += ".It Ic " + argument(row.name) + "\n";
    if (!row.default_text.empty()) {
      accepted += lines("Only " + std::string(row.default_text) + ":");
    }
    accepted += sentence(std::string(row.help));
  }
  std::string refused;
  for (const auto& group : config::unsupported_directives()) {
    refused += ".It Ic " + argument(group.names) + "\n" + sentence(std::string(group.note));
  }
  return ".Sh DIRECTIVES\n.Bl -tag -width Ds\n" + in_force +
         ".El\n.Ss Accepted, without effect\n.Bl -tag -width Ds\n" + accepted +
         ".El\n.Ss Refused\n.Bl -tag -width Ds\n" + refused + ".El\n";
}

std::string variables() {
  std::string out = ".Sh VARIABLES\n.Bl -tag -width Ds\n";
  const auto add = [&](std::string_view name, std::string_view help) {
    out += ".It Va " + argument("$" + std::string(name)) + "\n" + sentence(std::string(help));
  };
  for (const auto& row : config::variable_names()) add(row.name, row.help);
  add("http_NAME, $sent_http_NAME, $upstream_http_NAME",
      "field of the request, of the answer, of the peer's answer");
  add("arg_NAME, $cookie_NAME", "argument of the query, cookie");
  return out + ".El\n";
}

constexpr const char* kSyntax =
    ".Sh DESCRIPTION\n"
    "The configuration of\n.Xr weir 8\nis written in the syntax of nginx, with the defaults of "
    "nginx:\n"
    ".Bd -literal -offset indent\n"
    "upstream app {\n    ip_hash;\n    server 10.0.0.1:13000;\n    server 10.0.0.2:13000;\n"
    "    health_check uri=/health status=200;\n}\n"
    "server {\n    listen 80;\n    location / { proxy_pass http://app; }\n}\n.Ed\n"
    ".Pp\nor in YAML, with the same words and careful defaults:\n"
    ".Bd -literal -offset indent\n"
    "upstreams:\n  app:\n    balance: ip_hash\n    servers: [10.0.0.1:13000, 10.0.0.2:13000]\n"
    "    health_check: { uri: /health, status: 200 }\n"
    "servers:\n  - listen: 80\n    locations:\n      - path: /\n        proxy_pass: http://app\n"
    ".Ed\n"
    ".Pp\nWhich of the two a file is, is told by its content.\n"
    "Rules that run in the order written stand in a list of YAML,\n.Ic rules\nor\n.Ic access .\n"
    "A schema for editors is printed by\n.Ql weir schema ,\nand\n.Ql weir -t -c FILE\n"
    "tells mistakes with file, line and column.\n";

std::string configuration_page(const Program& program) {
  std::string out = header("WEIR.CONF", 5, "weir.conf", "configuration of the load balancer weir");
  out += kSyntax;
  out += directives();
  out += variables();
  out += ".Sh FILES\n.Bl -tag -width Ds\n.It Pa " + program.conf_path +
         "\nThe configuration, unless another is named.\n.El\n";
  return out + ".Sh SEE ALSO\n.Xr weir 8\n";
}

}  // namespace

std::optional<std::string> manual_page(std::string_view name, const Program& program) {
  if (name == "weir") return program_page(program);
  if (name == "weir.conf") return configuration_page(program);
  return std::nullopt;
}

}  // namespace weir::main
