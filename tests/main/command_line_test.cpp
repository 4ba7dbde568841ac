#include "main/command_line.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "main/program.h"

using weir::main::Arguments;

namespace {

std::string describe(const std::vector<const char*>& words) {
  std::vector<const char*> argv = {"weir"};
  argv.insert(argv.end(), words.begin(), words.end());
  Arguments a;
  const auto error = weir::main::parse_arguments(static_cast<int>(argv.size()), argv.data(), a);
  if (!error.empty()) return "error: " + error;
  std::string out;
  const auto flag = [&](bool set, char letter) {
    if (set) out += letter;
  };
  flag(a.help, 'h');
  flag(a.version, 'v');
  flag(a.configure, 'V');
  flag(a.test, 't');
  flag(a.dump, 'T');
  flag(a.quiet, 'q');
  const auto value = [&](const std::optional<std::string>& text, char letter) {
    if (text) out += std::string(" ") + letter + "=" + *text;
  };
  value(a.prefix, 'p');
  value(a.config, 'c');
  value(a.error_log, 'e');
  value(a.directives, 'g');
  if (!a.signal.empty()) out += " s=" + a.signal;
  if (a.diff) out += " diff";
  if (!a.socket.empty()) out += " socket=" + a.socket;
  if (!a.topic.empty()) out += " topic=" + a.topic;
  return out;
}

}  // namespace

TEST_CASE("arguments are read as nginx reads them") {
  struct Row {
    std::vector<const char*> words;
    const char* meaning;
  };
  const Row rows[] = {
      {{}, ""},
      {{"-"}, ""},
      {{"-t"}, "t"},
      {{"-tq"}, "tq"},
      {{"-T"}, "tT"},
      {{"-Tq", "-c", "a"}, "tTq c=a"},
      {{"-vt"}, "vt"},
      {{"-V"}, "vV"},
      {{"-ca"}, " c=a"},
      {{"-tca"}, "t c=a"},
      {{"-tc", "a", "-q"}, "tq c=a"},
      {{"-p", "/x", "-e", "log", "-g", "daemon off; pid p;"}, " p=/x e=log g=daemon off; pid p;"},
      {{"-gdaemon off;"}, " g=daemon off;"},
      {{"-c", "-t"}, " c=-t"},
      {{"-s", "stop"}, " s=stop"},
      {{"-sreload"}, " s=reload"},
      {{"-s", "quit", "-c", "f"}, " c=f s=quit"},
      {{"-?"}, "h"},
      {{"-h"}, "h"},
      {{"-h", "directives"}, "h topic=directives"},
      {{"-h", "-t"}, "ht"},
      {{"-t", "--diff"}, "t diff"},
      {{"-t", "--diff", "--socket", "/run/s"}, "t diff socket=/run/s"},
      {{"--diff"}, "error: --diff is an option of -t"},
      {{"-t", "--socket"}, "error: option \"--socket\" requires a path"},
      {{"-s", "kill"}, "error: invalid option: \"-s kill\""},
      {{"-s"}, "error: option \"-s\" requires parameter"},
      {{"-c"}, "error: option \"-c\" requires file name"},
      {{"-tp"}, "error: option \"-p\" requires directory name"},
      {{"-x"}, "error: invalid option: \"x\""},
      {{"--help"}, "error: invalid option: \"-\""},
      {{"conf"}, "error: invalid option: \"conf\""},
  };
  for (const auto& row : rows) CHECK(describe(row.words) == row.meaning);
}

TEST_CASE("the name decides about the paths") {
  const auto nginx = weir::main::program_called("/usr/sbin/nginx");
  CHECK(nginx.name == "nginx");
  CHECK(nginx.conf_path == "/etc/nginx/nginx.conf");
  CHECK(nginx.pid_path == "/run/nginx.pid");
  for (const char* name : {"weir", "./weir", "/opt/nginx/other"}) {
    const auto weir = weir::main::program_called(name);
    CHECK(weir.name == "weir");
    CHECK(weir.conf_path == "/etc/weir/weir.conf");
  }
  const auto text = weir::main::build_text(nginx);
  for (const char* part : {"built with OpenSSL ", " --prefix=/etc/nginx ",
                           " --conf-path=/etc/nginx/nginx.conf ", " --pid-path=/run/nginx.pid ",
                           " --error-log-path=", " --http-log-path=", " --with-http_realip_module",
                           " --without-http_fastcgi_module"}) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, std::string(part));
  }
  CHECK(weir::main::version_line() == "nginx version: nginx/1.31.5 (weir/" WEIR_VERSION ")\n");
}
