// What the program is called and where its files are: by the name it was started under, weir or
// nginx, unless the build says otherwise. Constant after main() has made it.
#pragma once

#include <string>

namespace weir::main {

struct Program {
  std::string name;  // in messages: "nginx" if started under that name, else "weir"
  std::string prefix;
  std::string conf_path;
  std::string pid_path;
  std::string error_log_path;
  std::string http_log_path;
  std::string user;  // of the engine, if started as root and the configuration names none
};

// `argv0`: a path or a bare name.
[[nodiscard]] Program program_called(const std::string& argv0);

// "nginx version: nginx/1.31.5 (weir/0.1.0)\n": what -v prints.
[[nodiscard]] std::string version_line();
// "nginx/1.31.5 (weir/0.1.0)".
[[nodiscard]] std::string version();
// What -V prints besides: library, features, paths, modules.
[[nodiscard]] std::string build_text(const Program& program);

}  // namespace weir::main
