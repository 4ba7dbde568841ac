#include "main/configurator.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/mask.h"
#include "config/log_paths.h"
#include "main/kept_files.h"
#include "main/safe_file.h"
#include "main/temp_folders.h"

namespace weir::main {
namespace {

using config::Diagnostic;

LogLevel level_of(Diagnostic::Severity severity) {
  return severity == Diagnostic::Severity::error     ? LogLevel::emerg
         : severity == Diagnostic::Severity::warning ? LogLevel::warn
                                                     : LogLevel::notice;
}

// An address that both clients and operators would be let in by.
std::string shared_with_admin(const config::Model& model, const Settings& settings) {
  auto owns = model.admin.value_or(config::AdminConfig{}).listens;
  if (!settings.control_path.empty()) owns.push_back(control_listen(settings));
  for (const auto& own : owns) {
    const auto clash = [&](const config::ServerConfig& server) -> std::string {
      for (const auto& listen : server.listens) {
        if (listen.text == own.text) {
          return (own.position.line == 0 ? listen : own).position.text() +
                 ": admin: listen: a server listens on " + own.text +
                 ", too; give each an address of its own";
        }
      }
      return {};
    };
    for (const auto& server : model.servers) {
      if (auto text = clash(*server); !text.empty()) return text;
    }
    for (const auto& server : model.streams) {
      if (auto text = clash(*server); !text.empty()) return text;
    }
  }
  return {};
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string cannot_open(const config::LogPath& log, int error) {
  return log.position.text() + ": " + log.directive + ": cannot open \"" + log.path +
         "\": " + std::strerror(error);
}

// With the directory that the name of the program gives it.
UniqueFd open_default_log(const std::string& path) {
  auto fd = open_log_file(path);
  if (fd || errno != ENOENT) return fd;
  if (::mkdir(path.substr(0, path.rfind('/')).c_str(), 0755) != 0) {
    errno = ENOENT;
    return fd;
  }
  return open_log_file(path);
}

}  // namespace

Configurator::Configurator(Options options)
    : options_(std::move(options)),
      stderr_(std::make_shared<const UniqueFd>(LogFiles().open("stderr"))) {}

void Configurator::forget_stderr(Prepared& prepared) {
  for (const auto& target : prepared.error_logs) {
    if (target.path == "stderr" || target.syslog) return;
  }
  stderr_ = prepared.logs.at(prepared.error_logs.front().path);
  prepared.logs["stderr"] = stderr_;
}

std::unique_ptr<Configurator::Reading> Configurator::read(const Report& report) const {
  auto bundle = std::make_shared<Bundle>();
  const auto before = present_ != nullptr ? present_->bundle : nullptr;
  auto loaded = config::load(options_.config_path, recording(options_.load, bundle, before));
  for (const auto& diagnostic : loaded.diagnostics) {
    report(level_of(diagnostic.severity),
           diagnostic.position.text() + ": " + mask_passwords(diagnostic.message));
  }
  if (loaded.model == nullptr) return nullptr;
  auto reading = std::make_unique<Reading>();
  reading->settings = settings_of(*loaded.model, options_.program);
  std::string warning;
  auto error =
      find_account(*loaded.model, options_.program.user, reading->settings.account, warning);
  if (!warning.empty()) report(LogLevel::warn, warning);
  if (error.empty()) error = shared_with_admin(*loaded.model, reading->settings);
  if (!error.empty()) {
    report(LogLevel::emerg, error);
    return nullptr;
  }
  reading->bundle = std::move(bundle);
  reading->model = std::move(loaded.model);
  reading->staples = std::move(loaded.staples);
  return reading;
}

std::unique_ptr<Configurator::Prepared> Configurator::provide(const Reading& reading,
                                                              Duration patience,
                                                              const Report& report) {
  auto prepared = std::make_unique<Prepared>();
  prepared->bundle = reading.bundle;
  prepared->settings = reading.settings;
  for (const auto& certificate : reading.model->certificates) {
    prepared->pairs.emplace_back(certificate.path, certificate.key_path);
  }
  for (const auto& staple : reading.staples) {
    for (const auto& path : staple.certificates) prepared->staples.emplace_back(path, staple.path);
  }
  prepared->error_logs = error_logs_of(*reading.model, options_.program, options_.error_log);
  std::string error;
  std::string missing;
  auto wanted = wanted_listeners(*reading.model);
  const auto& settings = reading.settings;
  if (!settings.control_path.empty()) {
    wanted.push_back({control_listen(settings), 1, settings.default_control_path});
  }
  prepared->groups = listeners_.prepare(wanted, patience, error, &missing);
  if (!missing.empty()) {
    report(LogLevel::warn, "control: " + missing + "; `weir status` and the other verbs need it");
  }
  if (!error.empty()) {
    report(LogLevel::emerg, error);
    return nullptr;
  }
  error = make_temp_folders(*reading.model, reading.settings.account);
  if (!error.empty()) {
    report(LogLevel::emerg, error);
    return nullptr;
  }
  error = make_kept_folders(*reading.model);
  if (!error.empty()) {
    report(LogLevel::emerg, error);
    return nullptr;
  }
  prepared->kept = kept_files(*reading.model);
  prepared->own = own_files(*reading.model);
  // In the foreground a program is often somebody's own, without rights to the default files.
  const bool spare_defaults = !reading.settings.daemon;
  if (!open_logs(reading, prepared->error_logs, spare_defaults, prepared->logs, report)) {
    return nullptr;
  }
  return prepared;
}

bool Configurator::could_provide(const Reading& reading, const Report& report) const {
  for (const auto& want : wanted_listeners(*reading.model)) {
    std::string error;
    if (net::can_listen(to_options(want.listen), error)) continue;
    report(LogLevel::emerg, want.listen.position.text() + ": listen: " + error);
    return false;
  }
  if (const auto error = could_make_kept_folders(*reading.model); !error.empty()) {
    report(LogLevel::emerg, error);
    return false;
  }
  const auto error_logs = error_logs_of(*reading.model, options_.program, options_.error_log);
  LogFiles::Map logs;
  // Whoever asks need not be whom it will be started by.
  const bool spare_defaults = !reading.settings.daemon || ::geteuid() != 0;
  return open_logs(reading, error_logs, spare_defaults, logs, report);
}

bool Configurator::open_logs(const Reading& reading, const std::vector<Log::Target>& error_logs,
                             bool spare_defaults, LogFiles::Map& out, const Report& report) const {
  out["stderr"] = stderr_;
  auto paths = config::log_paths(*reading.model);
  for (const auto& target : error_logs) {
    const bool known = std::any_of(paths.begin(), paths.end(),
                                   [&](const auto& log) { return log.path == target.path; });
    if (!known && !target.syslog && target.path != "stderr")
      paths.push_back({target.path, "error_log", {}});
  }
  for (const auto& log : paths) {
    const bool by_default = log.position.line == 0 && log.path != options_.error_log;
    auto fd = by_default ? open_default_log(log.path) : open_log_file(log.path);
    if (!fd) {
      const auto why = cannot_open(log, errno);
      const bool spare = by_default && spare_defaults;
      const bool errors = log.directive == "error_log";
      report(spare ? LogLevel::warn : LogLevel::emerg,
             why + (!spare   ? ""
                    : errors ? "; errors go to standard error"
                             : "; there is no access log"));
      if (!spare) return false;
      fd = errors ? stderr_->duplicate() : open_log_file("/dev/null");
    }
    out[log.path] = std::make_shared<const UniqueFd>(std::move(fd));
  }
  return true;
}

void Configurator::commit(std::unique_ptr<Prepared> prepared) {
  listeners_.commit(prepared->groups);
  present_ = std::move(prepared);
}

void Configurator::close_listeners(bool keep_files) {
  listeners_.close(keep_files);
  if (present_ != nullptr) present_->groups.clear();
}

Handover Configurator::handover(const Prepared& prepared, bool exclusive) {
  Handover out;
  out.bundle = prepared.bundle;
  out.logs = prepared.logs;
  out.renewal = prepared.renewal;
  for (const auto& group : prepared.groups) {
    const auto add = [&](const ListenGroup& part) {
      for (const auto& socket : part.sockets) {
        out.sockets.push_back(
            {group.listen.text, socket.id, socket.fd->duplicate(), exclusive && !part.inherited});
      }
    };
    add(group);
    for (const auto& covered : group.covered) add(covered);
  }
  return out;
}

Handover Configurator::operators_handover(const Prepared& prepared) {
  auto out = handover(prepared, false);
  out.bundle = std::make_shared<Bundle>();
  out.logs.clear();
  const auto& path = prepared.settings.control_path;
  const auto text = path.empty() ? path : control_listen(prepared.settings).text;
  std::erase_if(out.sockets, [&](const auto& socket) { return socket.text != text; });
  return out;
}

std::string Configurator::keep(const std::string& path, const std::string& text,
                               Prepared* pending) {
  const bool known = present_ != nullptr && contains(present_->kept, path);
  if (!known) return "the configuration in force keeps no file \"" + path + "\"";
  auto error = write_safely(path, text);
  if (!error.empty() || !is_own(path)) return error;
  present_->bundle = with_content(present_->bundle, path, text);
  if (pending != nullptr) pending->bundle = with_content(pending->bundle, path, text);
  return {};
}

bool Configurator::is_own(const std::string& path) const {
  return present_ != nullptr && contains(present_->own, path);
}

LogFiles::Map Configurator::reopen_logs(const Report& report) {
  for (auto& [path, fd] : present_->logs) {
    if (path == "stderr") continue;
    if (auto fresh = open_log_file(path)) {
      fd = std::make_shared<const UniqueFd>(std::move(fresh));
    } else {
      report(LogLevel::alert, "cannot open \"" + path + "\" again: " + std::strerror(errno));
    }
  }
  return present_->logs;
}

}  // namespace weir::main
