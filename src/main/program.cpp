#include "main/program.h"

#include <openssl/crypto.h>
#include <openssl/opensslv.h>

namespace weir::main {
namespace {

// The nginx whose configuration and behaviour this is.
constexpr const char* kNginxVersion = "1.31.5";

// A path of the build, or the one that goes with the name.
std::string path_or(const char* built, std::string by_name) {
  return *built == '\0' ? std::move(by_name) : std::string(built);
}

}  // namespace

Program program_called(const std::string& argv0) {
  const auto base = argv0.substr(argv0.rfind('/') + 1);
  Program program;
  program.name = base == "nginx" ? "nginx" : "weir";
  const auto& name = program.name;
  program.prefix = path_or(WEIR_PREFIX, "/etc/" + name + "/");
  if (!program.prefix.ends_with('/')) program.prefix.push_back('/');
  program.conf_path = path_or(WEIR_CONF_PATH, program.prefix + name + ".conf");
  program.pid_path = path_or(WEIR_PID_PATH, "/run/" + name + ".pid");
  program.error_log_path = path_or(WEIR_ERROR_LOG_PATH, "/var/log/" + name + "/error.log");
  program.http_log_path = path_or(WEIR_HTTP_LOG_PATH, "/var/log/" + name + "/access.log");
  program.user = WEIR_USER;
  return program;
}

std::string version() {
  return std::string("nginx/") + kNginxVersion + " (weir/" + WEIR_VERSION + ")";
}

std::string version_line() { return "nginx version: " + version() + "\n"; }

std::string build_text(const Program& program) {
  std::string text = std::string("built with ") + OPENSSL_VERSION_TEXT;
  const std::string running = OpenSSL_version(OPENSSL_VERSION);
  if (running != OPENSSL_VERSION_TEXT) text += " (running with " + running + ")";
  text += "\n";
#define WEIR_FEATURE(line) text += line "\n";
#define WEIR_WITH(module)
#define WEIR_WITHOUT(module)
#include "main/modules.def"
#undef WEIR_FEATURE
#undef WEIR_WITH
#undef WEIR_WITHOUT
  text += "configure arguments:";
  const auto add = [&](const char* option, const std::string& value) {
    text += std::string(" --") + option + "=" + value;
  };
  add("prefix", program.prefix.substr(0, program.prefix.size() - 1));
  add("conf-path", program.conf_path);
  add("pid-path", program.pid_path);
  add("error-log-path", program.error_log_path);
  add("http-log-path", program.http_log_path);
  add("user", program.user);
#define WEIR_FEATURE(line)
#define WEIR_WITH(module) text += " --with-" #module;
#define WEIR_WITHOUT(module) text += " --without-" #module;
#include "main/modules.def"
#undef WEIR_FEATURE
#undef WEIR_WITH
#undef WEIR_WITHOUT
  return text + "\n";
}

}  // namespace weir::main
