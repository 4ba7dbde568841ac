#include "main/convert.h"

#include <getopt.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "config/convert.h"
#include "main/report.h"

namespace weir::main {
namespace {

constexpr const char* kUsage =
    "usage: weir convert FILE [-o OUT]\n"
    "\n"
    "  FILE    configuration, in nginx's syntax or in YAML, with all that it includes\n"
    "  -o OUT  where its YAML goes (default: standard output)\n";

struct Arguments {
  std::string file;
  std::string out;  // empty: standard output
};

// -1: go on; else the exit status.
int parse(int count, char** arguments, Arguments& out) {
  for (int option; (option = ::getopt(count, arguments, "o:h?")) != -1;) {
    if (option == 'o' && *optarg != '\0') {
      out.out = optarg;
    } else if (option == 'h') {
      std::fputs(kUsage, stdout);
      return 0;
    } else {
      std::fputs(kUsage, stderr);
      return 1;
    }
  }
  if (optind + 1 != count) {
    std::fputs(kUsage, stderr);
    return 1;
  }
  out.file = arguments[optind];
  return -1;
}

bool write(const std::string& program, const std::string& text, const std::string& path) {
  std::FILE* file = path.empty() ? stdout : std::fopen(path.c_str(), "w");
  bool ok = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr) ok = (path.empty() ? std::fflush(file) : std::fclose(file)) == 0 && ok;
  if (!ok) {
    say(program,
        "cannot write " + (path.empty() ? "standard output" : path) + ": " + std::strerror(errno));
  }
  return ok;
}

}  // namespace

int convert(const std::string& program, int count, char** arguments) {
  Arguments wanted;
  if (const int status = parse(count, arguments, wanted); status >= 0) return status;
  const auto converted = config::convert(wanted.file, {});
  for (const auto& diagnostic : converted.diagnostics) {
    say(program, diagnostic.text());
  }
  if (!converted.ok) {
    say(program, wanted.file + " is not converted");
    return 1;
  }
  return write(program, converted.yaml, wanted.out) ? 0 : 1;
}

}  // namespace weir::main
