#include "main/reference.h"

#include <cstdio>
#include <vector>

#include "admin/verbs.h"
#include "main/report.h"
#include "main/schema.h"

namespace weir::main {
namespace {

using Completes = OptionInfo::Completes;

constexpr OptionInfo kOptions[] = {
#define WEIR_OPTION(name, argument, completes, help) \
  OptionInfo{name, argument, Completes::completes, help},
#include "main/options.def"
#undef WEIR_OPTION
};

constexpr CommandInfo kCommands[] = {
#define WEIR_COMMAND(name, arguments, options, help) \
  CommandInfo{name, arguments, options, help, false},
#include "main/commands.def"
#undef WEIR_COMMAND
};

}  // namespace

std::span<const OptionInfo> option_table() { return kOptions; }

std::string option_help(const OptionInfo& option, const Program& program) {
  std::string text(option.help);
  const auto fill = [&](std::string_view mark, const std::string& value) {
    if (const auto at = text.find(mark); at != std::string::npos) {
      text.replace(at, mark.size(), value);
    }
  };
  fill("@prefix@", program.prefix);
  fill("@conf@", program.conf_path);
  fill("@error_log@", program.error_log_path);
  return text;
}

std::span<const CommandInfo> command_table() {
  static const auto table = [] {
    std::vector<CommandInfo> made(std::begin(kCommands), std::end(kCommands));
    for (const auto& verb : admin::verb_table()) {
      made.push_back({verb.name, verb.arguments, verb.options, verb.help, true});
    }
    return made;
  }();
  return table;
}

bool is_reference_command(std::string_view name) {
  return name == "schema" || name == "completion" || name == "man";
}

int reference_command(const Program& program, int argc, char** argv) {
  const std::string command = argv[0];
  const std::string word = argc > 1 ? argv[1] : "";
  std::optional<std::string> text;
  if (command == "schema" && argc == 1) text = configuration_schema();
  if (command == "completion" && argc == 2) text = completion_script(word);
  if (command == "man" && argc == 2) text = manual_page(word, program);
  if (!text) {
    std::string usage = "usage: " + program.name + " " + command;
    for (const auto& row : kCommands) {
      if (row.name == command && !row.arguments.empty()) usage += " " + std::string(row.arguments);
    }
    const bool asked = word == "-h" || word == "--help";
    std::fprintf(asked ? stdout : stderr, "%s\n", usage.c_str());
    return asked ? 0 : 1;
  }
  if (std::fputs(text->c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  say(program.name, "cannot write to standard output");
  return 1;
}

}  // namespace weir::main
