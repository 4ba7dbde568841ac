#include "main/signal_sender.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "main/pid_file.h"
#include "main/report.h"
#include "net/socket.h"

namespace weir::main {
namespace {

constexpr Duration kLookEvery{5};
constexpr Duration kStopTakes = std::chrono::seconds{30};
constexpr Duration kQuitTakes = std::chrono::seconds{60};  // and worker_shutdown_timeout

int number_of(const std::string& signal) {
  return signal == "stop"     ? SIGTERM
         : signal == "quit"   ? SIGQUIT
         : signal == "reopen" ? SIGUSR1
                              : SIGHUP;
}

std::string proc(pid_t pid, const char* what) {
  return "/proc/" + std::to_string(pid) + "/" + what;
}

// A process that has ended but that its parent has not looked at yet counts as gone.
bool is_alive(pid_t pid) {
  if (::kill(pid, 0) != 0 && errno == ESRCH) return false;
  std::ifstream in(proc(pid, "stat"));
  std::string text;
  std::getline(in, text);
  const auto name_end = text.rfind(") ");
  return name_end == std::string::npos || text[name_end + 2] != 'Z';
}

// Whether a process looks like what a pid file of weir or nginx means. Where that cannot be seen,
// it is believed.
bool is_one_of_us(pid_t pid) {
  std::error_code error;
  const auto executable = std::filesystem::read_symlink(proc(pid, "exe"), error);
  if (error) return true;
  std::ifstream in(proc(pid, "comm"));
  std::string name;
  std::getline(in, name);
  const auto is_known = [](const std::string& text) {
    return text.starts_with("weir") || text.starts_with("nginx");
  };
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  return is_known(name) || is_known(executable.filename()) || executable == own;
}

// Until the process is gone and the file does not name it any more.
bool wait_for_end(pid_t pid, const std::string& pid_path, Duration limit) {
  const SystemClock clock;
  const auto deadline = clock.now() + limit;
  std::string ignored;
  while (is_alive(pid) || PidFile::read(pid_path, ignored) == pid) {
    if (clock.now() >= deadline) return false;
    std::this_thread::sleep_for(kLookEvery);
  }
  return true;
}

}  // namespace

int send_signal(const Configurator::Options& options, const std::string& signal) {
  const auto& name = options.program.name;
  const auto fail = [&](const std::string& text) {
    to_stderr(name, LogLevel::error)(LogLevel::error, text);
    return 1;
  };
  const auto reading = Configurator(options).read(to_stderr(name, LogLevel::warn));
  if (reading == nullptr) return 1;
  const auto& pid_path = reading->settings.pid_path;
  std::string error;
  const auto pid = PidFile::read(pid_path, error);
  if (!pid) return fail(error);
  if (!is_alive(*pid)) {
    return fail("the process " + std::to_string(*pid) + " of \"" + pid_path +
                "\" is not running (" + std::to_string(ESRCH) + ": No such process)");
  }
  if (!is_one_of_us(*pid)) {
    return fail("the process " + std::to_string(*pid) + " of \"" + pid_path +
                "\" is another program; remove the file if it is left over");
  }
  const int number = number_of(signal);
  if (::kill(*pid, number) != 0) {
    return fail("kill(" + std::to_string(*pid) + ", " + std::to_string(number) + ") failed " +
                net::errno_text(errno));
  }
  if (signal != "stop" && signal != "quit") return 0;
  const auto limit = signal == "stop" ? kStopTakes : kQuitTakes + reading->model->shutdown_timeout;
  if (wait_for_end(*pid, pid_path, limit)) return 0;
  return fail("the process " + std::to_string(*pid) + " has been told to " + signal +
              ", but has not ended in " + std::to_string(limit.count() / 1000) + " s");
}

}  // namespace weir::main
