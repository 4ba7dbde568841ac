#include "main/report.h"

#include <unistd.h>

namespace weir::main {

void say(const std::string& name, const std::string& text) {
  const auto line = name + ": " + text + "\n";
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, line.data(), line.size());
}

Configurator::Report to_stderr(const std::string& name, LogLevel least) {
  return [name, least](LogLevel level, const std::string& text) {
    if (level >= least) say(name, "[" + std::string(to_string(level)) + "] " + text);
  };
}

}  // namespace weir::main
