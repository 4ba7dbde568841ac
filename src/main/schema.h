// The JSON Schema (draft 2020-12) of a configuration in YAML, made of the table of directives:
// which keys may stand where, and what forms their values may have. It refuses nothing that the
// reader accepts; what values mean is checked by `weir -t` alone. Pure.
#pragma once

#include <string>

namespace weir::main {

[[nodiscard]] std::string configuration_schema();

}  // namespace weir::main
