// What is said before the logs are open: "weir: [emerg] text" on standard error. Any thread.
#pragma once

#include <string>

#include "main/configurator.h"

namespace weir::main {

// "NAME: text".
void say(const std::string& name, const std::string& text);
// Says what has at least this level, as "NAME: [level] text".
[[nodiscard]] Configurator::Report to_stderr(const std::string& name, LogLevel least);

}  // namespace weir::main
