// The tree of directives that both syntaxes parse to. Plain values of the thread that loads.
#pragma once

#include <string>
#include <vector>

#include "config/model.h"

namespace weir::config {

struct Argument {
  std::string text;  // quotes and escapes removed
  Position position;
  bool quoted = false;
};

struct Directive;
using Block = std::vector<Directive>;

struct Directive {
  std::string name;
  std::vector<Argument> args;
  bool has_block = false;
  Block block;
  Position position;
};

}  // namespace weir::config
