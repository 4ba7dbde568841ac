// The command line as data, for what is made of it: help, manual pages, completion. And the
// commands that print what the tables say: schema, completion, man. Constant; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "main/program.h"

namespace weir::main {

struct OptionInfo {
  std::string_view name;      // without its first dash: "t", "-diff"
  std::string_view argument;  // "" none; in brackets if it may be left out
  enum class Completes : std::uint8_t { nothing, file, directory, signal, topic } completes;
  std::string_view help;
};
[[nodiscard]] std::span<const OptionInfo> option_table();
// Its help with the program's own paths in it.
[[nodiscard]] std::string option_help(const OptionInfo& option, const Program& program);

struct CommandInfo {
  std::string_view name;
  std::string_view arguments;
  std::string_view options;  // as those of admin::VerbInfo
  std::string_view help;
  bool asks = false;  // a verb: it asks a running weir
};
// Commands, then verbs.
[[nodiscard]] std::span<const CommandInfo> command_table();

inline constexpr std::string_view kHelpTopics =
    "directives variables metrics errors end_codes verbs";
inline constexpr std::string_view kSignalNames = "stop quit reopen reload";

// Completion for `shell`: bash, zsh or fish; nullopt: for no other.
[[nodiscard]] std::optional<std::string> completion_script(std::string_view shell);
// weir(8) and weir.conf(5) in mdoc: "weir", "weir.conf"; nullopt: there is no other.
[[nodiscard]] std::optional<std::string> manual_page(std::string_view name, const Program& program);

// `weir schema`, `weir completion SHELL`, `weir man PAGE`; `argv` begins with the command. The exit
// status.
[[nodiscard]] bool is_reference_command(std::string_view name);
[[nodiscard]] int reference_command(const Program& program, int argc, char** argv);

}  // namespace weir::main
