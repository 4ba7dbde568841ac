// The program: what its arguments ask for.
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <string_view>
#include <vector>

#include "main/check.h"
#include "main/command_line.h"
#include "main/convert.h"
#include "main/help.h"
#include "main/master.h"
#include "main/node.h"
#include "main/operate.h"
#include "main/process_title.h"
#include "main/reference.h"
#include "main/registry_command.h"
#include "main/report.h"
#include "main/signal_sender.h"
#include "main/single_process.h"

namespace {

using namespace weir::main;
using weir::LogLevel;

constexpr weir::Duration kStartPatience{2500};  // for addresses that another program still has

std::string below(const std::string& prefix, const std::string& path) {
  return path.starts_with('/') ? path : prefix + path;
}

Configurator::Options options_of(const Program& program, const Arguments& arguments) {
  Configurator::Options options;
  options.program = program;
  auto& prefix = options.load.prefix;
  prefix = arguments.prefix.value_or(program.prefix);
  if (!prefix.ends_with('/')) prefix.push_back('/');
  options.config_path = below(prefix, arguments.config.value_or(program.conf_path));
  options.load.global_directives = arguments.directives.value_or("");
  options.load.access_log = program.http_log_path;
  const auto log = arguments.error_log.value_or("");
  options.error_log = log.empty() || log == "stderr" ? log : below(prefix, log);
  return options;
}

// nginx looks for -c FILE below the prefix only.
void hint_at_file(const Configurator::Options& options, const Arguments& arguments) {
  std::error_code error;
  if (!arguments.config || arguments.config->starts_with('/') ||
      std::filesystem::exists(options.config_path, error) ||
      !std::filesystem::exists(*arguments.config, error)) {
    return;
  }
  say(options.program.name, "[notice] -c is looked for below " + options.load.prefix +
                                "; write $PWD/" + *arguments.config + " for the one here");
}

int help(const Program& program, const std::string& topic) {
  const auto text = topic.empty() ? usage(program) : help_page(topic);
  if (!text) {
    say(program.name, "no help on \"" + topic + "\"; see " + program.name + " -h");
    return 1;
  }
  std::fputs(text->c_str(), stdout);
  return 0;
}

// Each listening socket takes a descriptor of the master for each worker.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// What is wrong at the start goes to standard error and to the error log, as far as there is one:
// before the configuration is read, the program's own.
Configurator::Report start_report(const Configurator::Options& options, const std::string& log) {
  return [options, log](LogLevel level, const std::string& text) {
    to_stderr(options.program.name, LogLevel::warn)(level, text);
    if (log == "stderr") return;
    weir::Log file;
    if (file.configure({{log, LogLevel::warn}}).empty()) file.write(level, text);
  };
}

int serve(const Start& start, const Configurator::Options& options) {
  weir::LogFiles files;
  weir::Log log(files);
  const auto report = start_report(
      options, options.error_log.empty() ? options.program.error_log_path : options.error_log);
  raise_descriptor_limit();
  auto inherited = take_inherited(start);
  Configurator configurator(options);
  const bool upgrade = inherited.upgrade();
  configurator.listeners().inherit(std::move(inherited.from_predecessor), false);
  configurator.listeners().inherit(std::move(inherited.from_manager), true);
  auto reading = configurator.read(report);
  if (reading == nullptr) return 1;
  auto first = configurator.provide(*reading, kStartPatience, report);
  if (first == nullptr) return 1;
  reading.reset();  // its model is the engine's affair
  const auto settings = first->settings;
  Daemon daemon;
  if (settings.daemon && !upgrade) {
    if (const auto error = daemon.begin(); !error.empty()) {
      report(LogLevel::emerg, error);
      return 1;
    }
  }
  if (settings.daemon) configurator.forget_stderr(*first);
  Master::Parts parts{start, configurator, files, log, daemon};
  parts.background = settings.daemon || upgrade;
  parts.upgrade = upgrade;
  parts.report = start_report(options, first->error_logs.front().path);
  if (!settings.master_process) return run_single_process(std::move(parts), std::move(first));
  return Master(std::move(parts)).run(std::move(first));
}

// `argv` holds the name of a verb at `at`.
int run_verb(const Program& program, int argc, char** argv, int at) {
  std::vector<std::string> words(argv, argv + argc);
  VerbCall call;
  Arguments arguments;
  auto error = parse_verb(words, static_cast<std::size_t>(at), call);
  if (error.empty()) {
    std::vector<const char*> rest;
    for (const auto& word : words) rest.push_back(word.c_str());
    error = parse_arguments(static_cast<int>(rest.size()), rest.data(), arguments);
  }
  if (!error.empty()) {
    say(program.name, error);
    return 1;
  }
  const auto options = options_of(program, arguments);
  if (!call.help) hint_at_file(options, arguments);
  return operate(options, call);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  const auto program = program_called(argc > 0 ? argv[0] : "weir");
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "node") return node_command(argc - 1, argv + 1);
  if (verb == "registry") return registry_command(argc - 1, argv + 1);
  if (verb == "convert") {
    return convert(program.name, argc - 1, argv + 1);
  }
  if (is_reference_command(verb)) return reference_command(program, argc - 1, argv + 1);
  if (const int at = find_verb_argument(argc, argv); at > 0) {
    return run_verb(program, argc, argv, at);
  }
  Arguments arguments;
  if (const auto error = parse_arguments(argc, argv, arguments); !error.empty()) {
    const auto meant = suggest_verb(argc, argv);
    say(program.name, error + (meant.empty() ? "; see " + program.name + " -h" : meant));
    return 1;
  }
  if (arguments.help) {
    const int status = help(program, arguments.topic);
    if (!arguments.test || status != 0) return status;
  }
  if (arguments.version) {
    std::fputs(version_line().c_str(), stderr);
    if (arguments.configure) std::fputs(build_text(program).c_str(), stderr);
    if (!arguments.test) return 0;
  }
  const auto start = save_start(argc, argv);
  prepare_process_title(argc, argv);
  const auto options = options_of(program, arguments);
  hint_at_file(options, arguments);
  if (arguments.test) return check(options, arguments);
  if (!arguments.signal.empty()) return send_signal(options, arguments.signal);
  return serve(start, options);
}
