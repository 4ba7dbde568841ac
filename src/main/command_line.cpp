#include "main/command_line.h"

#include <array>
#include <string_view>

namespace weir::main {
namespace {

struct ValueOption {
  char letter;
  std::optional<std::string> Arguments::*member;
  const char* wants;
};
constexpr std::array<ValueOption, 4> kValues = {{{'p', &Arguments::prefix, "directory name"},
                                                 {'e', &Arguments::error_log, "file name"},
                                                 {'c', &Arguments::config, "file name"},
                                                 {'g', &Arguments::directives, "parameter"}}};

constexpr std::array<std::string_view, 4> kSignals = {"stop", "quit", "reopen", "reload"};

class Parser {
 public:
  Parser(int argc, const char* const* argv, Arguments& out) : argc_(argc), argv_(argv), out_(out) {}

  std::string run() {
    for (index_ = 1; index_ < argc_ && error_.empty(); ++index_) {
      const std::string_view argument = argv_[index_];
      if (argument.starts_with("--") && long_option(argument.substr(2))) continue;
      if (!argument.starts_with('-')) {
        error_ = "invalid option: \"" + std::string(argument) + "\"";
      } else {
        letters(argument.substr(1));
      }
    }
    if (error_.empty() && out_.diff && !out_.test) error_ = "--diff is an option of -t";
    return error_;
  }

 private:
  // False: there is none of that name.
  bool long_option(std::string_view name) {
    if (name == "diff") return out_.diff = true;
    if (name != "socket") return false;
    if (index_ + 1 < argc_) {
      out_.socket = argv_[++index_];
    } else {
      error_ = "option \"--socket\" requires a path";
    }
    return true;
  }

  void letters(std::string_view rest) {
    while (!rest.empty() && error_.empty()) {
      const char letter = rest.front();
      rest.remove_prefix(1);
      if (flag(letter, rest.empty())) continue;
      return option(letter, rest);
    }
  }

  // `last`: nothing follows in the same argument.
  bool flag(char letter, bool last) {
    switch (letter) {
      case '?':
      case 'h':
        out_.help = true;
        if (last && index_ + 1 < argc_ && *argv_[index_ + 1] != '-') out_.topic = argv_[++index_];
        return true;
      case 'v':
        return out_.version = true;
      case 'V':
        return out_.version = out_.configure = true;
      case 't':
        return out_.test = true;
      case 'T':
        return out_.test = out_.dump = true;
      case 'q':
        return out_.quiet = true;
      default:
        return false;
    }
  }

  void option(char letter, std::string_view attached) {
    for (const auto& option : kValues) {
      if (option.letter == letter) {
        (out_.*option.member) = value(letter, attached, option.wants);
        return;
      }
    }
    if (letter != 's') {
      error_ = std::string("invalid option: \"") + letter + "\"";
      return;
    }
    out_.signal = value(letter, attached, "parameter");
    for (const auto known : kSignals) {
      if (out_.signal == known) return;
    }
    if (error_.empty()) error_ = "invalid option: \"-s " + out_.signal + "\"";
  }

  std::string value(char letter, std::string_view attached, const char* wants) {
    if (!attached.empty()) return std::string(attached);
    if (index_ + 1 < argc_) return argv_[++index_];
    error_ = std::string("option \"-") + letter + "\" requires " + wants;
    return {};
  }

  int argc_;
  const char* const* argv_;
  Arguments& out_;
  int index_ = 1;
  std::string error_;
};

}  // namespace

std::string parse_arguments(int argc, const char* const* argv, Arguments& out) {
  return Parser(argc, argv, out).run();
}

}  // namespace weir::main
