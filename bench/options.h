// What the programs that load a proxy are told on their command lines.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "sockets.h"

namespace bench {

struct LoadOptions {
  std::uint16_t port = 0;
  std::string request;  // the bytes, out of a file
  std::size_t connections = 0;
  std::size_t warm = 1;
  double seconds = 0;
};

inline std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) die(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Ends the program, with its usage, if what it cannot do without is missing. `flag(name)`: true if
// it is one, and has no value; `other(name, value)`: what only this program has.
template <class Flag, class Other>
void parse(int argc, char** argv, LoadOptions& options, Flag flag, Other other) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (flag(name)) continue;
    if (i + 1 == argc) break;
    const char* value = argv[++i];
    if (name == "--port") options.port = number<std::uint16_t>(value, "--port");
    if (name == "--request") options.request = read_file(value);
    if (name == "--connections") options.connections = number<std::size_t>(value, "-c");
    if (name == "--warm") options.warm = number<std::size_t>(value, "--warm");
    if (name == "--seconds") options.seconds = std::atof(value);
    other(name, value);
  }
  if (options.port == 0 || options.request.empty()) {
    std::fprintf(stderr, "usage: %s --port P --request FILE [options]; see the source's head\n",
                 argv[0]);
    std::exit(2);
  }
}

}  // namespace bench
