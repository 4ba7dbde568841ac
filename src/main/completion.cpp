// Completion for shells: a fixed frame for each, and tables made of the options, commands and
// verbs. Names of pools and peers come from `weir status --names`, asked with the -c, -p or
// --socket that stand on the line.
#include <algorithm>
#include <vector>

#include "config/directives.h"
#include "main/completion_frames.h"
#include "main/reference.h"

namespace weir::main {
namespace {

using Completes = OptionInfo::Completes;

// In single quotes.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// What may stand for a word of `arguments`: "pools", "peers", "targets" (either), "files", or "="
// and words; "" nothing that is known.
std::string kind_of(std::string_view word) {
  std::string plain(word);
  std::erase_if(plain, [](char c) { return c == '[' || c == ']'; });
  if (word == "POOL[/PEER]") return "targets";
  if (plain == "POOL/PEER") return "peers";
  if (plain == "POOL") return "pools";
  if (plain == "FILE") return "files";
  if (plain.find('|') == std::string::npos) return "";
  std::replace(plain.begin(), plain.end(), '|', ' ');
  return "=" + plain;
}

struct LongOption {
  std::string_view name;
  bool value;
};

std::vector<LongOption> long_options(const CommandInfo& command) {
  std::vector<LongOption> out;
  for (const auto word : config::split_words(command.options)) {
    out.push_back({word.substr(0, word.find('=')), word.find('=') != std::string_view::npos});
  }
  if (!command.asks) return out;
  out.push_back({"socket", true});
  out.push_back({"help", false});
  return out;
}

// "--json --names" of those that take a value, or of all.
std::string option_words(const CommandInfo& command, bool values_only) {
  std::string out;
  for (const auto& option : long_options(command)) {
    if (values_only && !option.value) continue;
    out += (out.empty() ? "--" : " --") + std::string(option.name);
  }
  return out;
}

std::string letters(bool with_value) {
  std::string out;
  for (const auto& option : option_table()) {
    const bool takes = !option.argument.empty() && option.argument.front() != '[';
    if (!with_value || takes) out += (out.empty() ? "-" : " -") + std::string(option.name);
  }
  return out;
}

const char* completes_word(Completes completes) {
  switch (completes) {
    case Completes::file:
      return "files";
    case Completes::directory:
      return "directories";
    case Completes::signal:
      return "signals";
    case Completes::topic:
      return "topics";
    case Completes::nothing:
      break;
  }
  return "";
}

// case WORD in ... esac of what `make` says of each command.
template <class Make>
std::string cases(const char* indent, const Make& make) {
  std::string out;
  for (const auto& command : command_table()) {
    if (const std::string text = make(command); !text.empty()) {
      out += indent + std::string(command.name) + ") " + text + " ;;\n";
    }
  }
  return out;
}

std::string argument_cases(const CommandInfo& command) {
  std::string out;
  std::size_t position = 0;
  for (const auto word : config::split_words(command.arguments)) {
    const auto kind = kind_of(word);
    ++position;
    if (kind.empty()) continue;
    out += (out.empty() ? "" : "; ") + std::string("(( $2 == ") + std::to_string(position) +
           " )) && echo " + quoted(kind);
  }
  return out;
}

void replace_all(std::string& text, std::string_view mark, const std::string& by) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size())) {
    text.replace(at, mark.size(), by);
  }
}

// What bash and zsh share: functions that answer for a command.
std::string tables() {
  std::string letter_cases;
  for (const auto& option : option_table()) {
    if (const std::string word = completes_word(option.completes); !word.empty()) {
      letter_cases += "    -" + std::string(option.name) + ") echo " + word + " ;;\n";
    }
  }
  std::string out = kCompletionTables;
  replace_all(out, "@LETTERS@", letter_cases);
  const auto said = [](const std::string& words) {
    return words.empty() ? "" : "echo " + quoted(words);
  };
  replace_all(out, "@OPTIONS@", cases("    ", [&](const CommandInfo& command) {
                return said(option_words(command, false));
              }));
  replace_all(out, "@VALUES@", cases("    ", [&](const CommandInfo& command) {
                return said(option_words(command, true));
              }));
  replace_all(out, "@ARGUMENTS@", cases("    ", argument_cases));
  return out;
}

std::string command_names() {
  std::string out;
  for (const auto& command : command_table()) {
    out += (out.empty() ? "" : " ") + std::string(command.name);
  }
  return out;
}

std::string bash() {
  std::string out = kBashCompletion;
  replace_all(out, "@TABLES@", tables());
  replace_all(out, "@LETTERS@", letters(true));
  replace_all(out, "@ALL@", letters(false));
  replace_all(out, "@CHOICES@", "-c -p");
  replace_all(out, "@COMMANDS@", command_names());
  replace_all(out, "@SIGNALS@", std::string(kSignalNames));
  replace_all(out, "@TOPICS@", std::string(kHelpTopics));
  return out;
}

// NAME:DESCRIPTION, in quotes; a colon in the description is no separator.
std::string described(std::string_view name, std::string_view help) {
  std::string text(help);
  replace_all(text, ":", "\\:");
  return "        " + quoted(std::string(name) + ":" + text) + "\n";
}

std::string zsh(const Program& program) {
  std::string out = kZshCompletion;
  std::string letter_lines;
  std::string command_lines;
  for (const auto& option : option_table()) {
    letter_lines += described("-" + std::string(option.name), option_help(option, program));
  }
  for (const auto& command : command_table()) {
    command_lines += described(command.name, command.help);
  }
  replace_all(out, "@TABLES@", tables());
  replace_all(out, "@LETTERS@", letters(true));
  replace_all(out, "@CHOICES@", "-c -p");
  replace_all(out, "@DESCRIBED_LETTERS@", letter_lines);
  replace_all(out, "@DESCRIBED_COMMANDS@", command_lines);
  replace_all(out, "@SIGNALS@", std::string(kSignalNames));
  replace_all(out, "@TOPICS@", std::string(kHelpTopics));
  return out;
}

std::string fish_option(const OptionInfo& option, const Program& program) {
  const bool is_long = option.name.starts_with('-');
  std::string line = "complete -c weir " + (is_long ? "-l " + std::string(option.name.substr(1))
                                                    : "-o " + quoted(option.name));
  switch (option.completes) {
    case Completes::file:
      line += " -rF";
      break;
    case Completes::directory:
      line += " -xa '(__fish_complete_directories)'";
      break;
    case Completes::signal:
      line += " -xa " + quoted(kSignalNames);
      break;
    case Completes::topic:
      line += " -xa " + quoted(kHelpTopics);
      break;
    case Completes::nothing:
      line += option.argument.empty() ? "" : " -x";
      break;
  }
  return line + " -d " + quoted(option_help(option, program)) + "\n";
}

std::string fish_command(const CommandInfo& command) {
  const std::string name(command.name);
  const std::string at = "complete -c weir -n '__weir_is " + name;
  std::string out =
      "complete -c weir -n \"__weir_is ''\" -a " + name + " -d " + quoted(command.help) + "\n";
  std::size_t position = 0;
  for (const auto word : config::split_words(command.arguments)) {
    auto kind = kind_of(word);
    ++position;
    if (kind.empty()) continue;
    out += at + " " + std::to_string(position) + "' ";
    if (kind == "files") {
      out += "-F\n";
    } else {
      out += "-a " + (kind[0] == '=' ? quoted(kind.substr(1)) : "'(__weir_names " + kind + ")'") +
             "\n";
    }
  }
  for (const auto& option : long_options(command)) {
    const bool file = option.name == "socket" || option.name == "ca";
    out += at + "' -l " + std::string(option.name) +
           (file           ? " -rF"
            : option.value ? " -x"
                           : "") +
           "\n";
  }
  return out;
}

std::string fish(const Program& program) {
  std::vector<std::string> values;
  for (const auto& command : command_table()) {
    for (const auto& option : long_options(command)) {
      if (option.value) values.push_back("--" + std::string(option.name));
    }
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::string long_words;
  for (const auto& value : values) long_words += (long_words.empty() ? "" : " ") + value;
  std::string out = kFishCompletion;
  replace_all(out, "@LETTERS@", letters(true));
  replace_all(out, "@LONG@", long_words);
  for (const auto& option : option_table()) out += fish_option(option, program);
  for (const auto& command : command_table()) out += fish_command(command);
  return out;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell) {
  const auto program = program_called("weir");
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh(program);
  if (shell == "fish") return fish(program);
  return std::nullopt;
}

}  // namespace weir::main
