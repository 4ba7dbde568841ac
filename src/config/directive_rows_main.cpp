// main, events, http, admin.
#include "config/directive_rows.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

using namespace rows;

constexpr DirectiveInfo kRows[] = {
    {"daemon", M, 1, 1, kFlag, compile_daemon, "on (YAML: off)",
     "serves in the background; the command ends when all is ready"},
    {"master_process", M, 1, 1, kFlag, compile_master_process, "on",
     "a master process watches over the one that serves"},
    {"user", M, 1, 2, 0, compile_user, "nobody, if started as root",
     "account and group of the serving process"},
    {"env", M, 1, 1, kRepeats, compile_env, "TZ",
     "variable of the environment to keep (NAME) or to set (NAME=VALUE)"},
    {"working_directory", M, 1, 1, 0, compile_working_directory, "",
     "working directory of the serving process"},
    {"worker_priority", M, 1, 1, 0, compile_worker_priority, "0",
     "nice value of the serving process, -20 to 19"},
    {"worker_rlimit_core", M, 1, 1, 0, compile_worker_rlimit_core, "",
     "limit of the size of a core file of the serving process"},
    {"worker_processes", M, 1, 1, 0, compile_worker_processes, "1 (YAML: auto)",
     "number of worker threads; auto: one a core"},
    {"worker_rlimit_nofile", M, 1, 1, 0, compile_worker_rlimit_nofile, "",
     "limit of open files of the process"},
    {"certificate_watch", M, 1, 1, 0, compile_certificate_watch, "1s",
     "how often files of certificates and keys are looked at; changed ones are taken without a "
     "reload; off: never"},
    {"worker_shutdown_timeout", M, 1, 1, 0, compile_worker_shutdown_timeout, "",
     "longest wait for connections at a graceful end"},
    {"pid", M, 1, 1, 0, compile_pid, "", "file that holds the number of the main process"},
    {"defaults", M, 1, 1, kOwn, compile_defaults, "nginx (YAML: careful)",
     "which defaults hold: nginx's own (nginx) or those of weir's YAML (careful)"},
    {.name = "events",
     .contexts = M,
     .flags = kBlock,
     .handler = compile_block,
     .help = "settings of connections",
     .inner = in_events},
    {"worker_connections", E, 1, 1, 0, compile_worker_connections, "as many as fit",
     "most connections of a worker"},
    {.name = "http",
     .contexts = M,
     .flags = kBlock,
     .handler = compile_http,
     .help = "HTTP settings; what stands in it may also stand at the top level",
     .inner = in_http},
    {.name = "admin",
     .contexts = M,
     .flags = kBlock | kOwn,
     .handler = compile_admin,
     .default_text = "off",
     .help = "the listener of metrics, health and state",
     .inner = in_admin},
    {"token", in_admin, 1, 1, kOwn | kSecret, compile_admin_token, "",
     "secret of those who may change things over the admin listener; without it nobody may"},
    {"control", in_admin, 1, 1, kOwn, compile_control, "beside the pid file, .sock",
     "path of the Unix socket of `weir status` and the other verbs, or off"},
    {"state_file", in_admin, 1, 1, kOwn, compile_state_file, "beside the pid file, .state",
     "file of what is set at run time"},
    {"host", in_admin, 1, kMany, kOwn | kList, compile_admin_host, "",
     "host names, besides the machine's own, by which browsers may ask the admin listener"},
    {.name = "error_log",
     .contexts = M | HSL,
     .min_args = 1,
     .max_args = kMany,
     .flags = kRepeats,
     .handler = compile_error_log,
     .default_text = "stderr error",
     .help = "file (or stderr, or syslog:server=...) and least level of messages",
     .positional = "path level"},
    {.name = "error_log_limit",
     .contexts = M,
     .min_args = 1,
     .max_args = 2,
     .flags = kOwn,
     .handler = compile_error_log_limit,
     .default_text = "100 10s",
     .help = "most lines of one cause that a worker writes to the error log in that time, the rest "
             "is counted; or off",
     .positional = "lines time"},
};

}  // namespace

std::span<const DirectiveInfo> main_rows() { return kRows; }

}  // namespace weir::config
