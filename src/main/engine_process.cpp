#include "main/engine_process.h"

#include <dirent.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <deque>

#include "base/log_files.h"
#include "config/units.h"
#include "main/engine.h"
#include "main/process_title.h"
#include "main/renewal.h"
#include "net/socket.h"

namespace weir::main {
namespace {

// Descriptors of the master's, the engine gets its own.
void close_all_but(int kept) {
  std::vector<int> open;
  if (DIR* directory = ::opendir("/proc/self/fd")) {
    while (const auto* entry = ::readdir(directory)) {
      const auto number = config::parse_number(entry->d_name);
      if (number) open.push_back(static_cast<int>(*number));
    }
    std::erase(open, ::dirfd(directory));
    ::closedir(directory);
  } else {
    for (int fd = 0; fd < ::sysconf(_SC_OPEN_MAX); ++fd) open.push_back(fd);
  }
  for (const int fd : open) {
    if (fd > STDERR_FILENO && fd != kept) ::close(fd);
  }
}

void set_environment(const std::vector<std::string>& variables) {
  ::clearenv();
  for (const auto& variable : variables) {
    const auto equals = variable.find('=');
    ::setenv(variable.substr(0, equals).c_str(), variable.c_str() + equals + 1, 1);
  }
  ::tzset();
}

class EngineProcess {
 public:
  EngineProcess(const EngineSetup& setup, Channel channel)
      : setup_(setup), channel_(std::move(channel)) {}
  ~EngineProcess() { line_.release(); }  // the channel closes it
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  int run() {
    for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGUSR1}) signals_.add(number);
    // What the master is told by its users does not concern the engine.
    for (const int number : {SIGHUP, SIGUSR2, SIGWINCH}) ::signal(number, SIG_IGN);
    const auto signals = own_signals();
    ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
    for (const auto& problem : set_limits(setup_.settings.process, setup_.settings.rlimit_nofile)) {
      log_.write(LogLevel::alert, problem);
    }
    set_environment(kept_environment(setup_.start.environment, setup_.settings.process));
    if (const auto error = become(setup_.settings.account); !error.empty()) return refuse(error);
    const auto& directory = setup_.settings.process.working_directory;
    if (!directory.empty() && ::chdir(directory.c_str()) != 0) {
      return refuse("working_directory: chdir(\"" + directory + "\") failed " +
                    net::errno_text(errno));
    }
    engine_.on_ended = [this] { io_.stop(); };
    engine_.on_state = [this](const std::string& text, Engine::Done done) {
      if (!channel_.send(Kind::state, text)) return done("the master process does not take it");
      state_waiters_.push_back(std::move(done));
    };
    engine_.on_keep = [this](const std::string& path, const std::string& text, Engine::Done done) {
      if (!channel_.send(Kind::keep, path + "\n" + text)) {
        return done("the master process does not take it");
      }
      keep_waiters_.push_back(std::move(done));
    };
    wait_for_signal();
    wait_for_master();
    io_.run();
    return status_;
  }

 private:
  // Nothing of it can be served by this process.
  int refuse(const std::string& error) {
    channel_.send(Kind::refused, error);
    return 1;
  }

  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      wait_for_signal();
      if (number == SIGQUIT) {
        drain();
      } else if (number != SIGUSR1) {
        engine_.stop();
      }
    });
  }

  void wait_for_master() {
    line_.async_wait(line_.wait_read, [this](const boost::system::error_code& error) {
      if (error) return;
      Message message;
      for (;;) {
        const auto got = channel_.receive(message);
        if (got == Channel::Got::nothing) break;
        if (got == Channel::Got::closed) return master_is_gone();
        on_message(message);
      }
      wait_for_master();
    });
  }

  void master_is_gone() {
    log_.write(LogLevel::alert, "the master process is gone; the engine ends, too");
    drain();
  }

  void drain() {
    set_process_title(setup_.options.program.name + ": worker process is shutting down");
    engine_.drain();
  }

  void on_message(Message& message) {
    switch (message.kind) {
      case Kind::configure:
        return configure(message);
      case Kind::reopen:
        if (auto handover = decode(message.text, std::move(message.fds))) {
          engine_.reopen(std::move(handover->logs));
          log_.redirect_stderr();
        }
        return;
      case Kind::operators:
        if (auto handover = decode(message.text, std::move(message.fds))) {
          engine_.take_operators(std::move(*handover));
        }
        return;
      case Kind::reload_failed:
        return engine_.reload_failed(message.text);
      case Kind::certificates:
        return engine_.set_certificate_problems(problems_of(message.text));
      case Kind::state_saved:
        return answered(state_waiters_, message.text);
      case Kind::kept:
        return answered(keep_waiters_, message.text);
      case Kind::quit:
        return drain();
      case Kind::ping:
        return engine_.ping([this] { channel_.send(Kind::pong); });
      default:
        return;
    }
  }

  static void answered(std::deque<Engine::Done>& waiters, const std::string& error) {
    if (waiters.empty()) return;
    const auto done = std::move(waiters.front());
    waiters.pop_front();
    done(error);
  }

  void configure(Message& message) {
    auto handover = decode(message.text, std::move(message.fds));
    if (!handover) return answer("the master's message is incomplete");
    engine_.apply(std::move(*handover), [this](const std::string& error) { answer(error); });
  }

  void answer(const std::string& error) {
    if (error.empty()) {
      serves_ = true;
      log_.redirect_stderr();
      channel_.send(Kind::applied);
      return;
    }
    channel_.send(Kind::refused, error);
    if (serves_) return;
    status_ = 1;
    engine_.stop();
  }

  const EngineSetup& setup_;
  Channel channel_;
  boost::asio::io_context io_{1};
  boost::asio::posix::stream_descriptor line_{io_, channel_.fd()};
  boost::asio::signal_set signals_{io_};
  LogFiles files_;
  Log log_{files_};
  Engine engine_{io_, setup_.options, log_, files_};
  std::deque<Engine::Done> state_waiters_;
  std::deque<Engine::Done> keep_waiters_;
  bool serves_ = false;
  int status_ = 0;
};

}  // namespace

int run_engine(const EngineSetup& setup, Channel channel) {
  close_all_but(channel.fd());
  set_process_title(setup.options.program.name + ": worker process");
  return EngineProcess(setup, std::move(channel)).run();
}

}  // namespace weir::main
