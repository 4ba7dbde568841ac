#include "main/account.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "net/socket.h"

namespace weir::main {
namespace {

std::string failed(const std::string& call) { return call + " failed " + net::errno_text(errno); }

std::string set_limit(int resource, const char* name, rlim_t want) {
  rlimit limit{};
  ::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
  limit.rlim_cur = want;
  // Only root may raise the hard limit; the soft one may go up to it.
  limit.rlim_max = std::max(limit.rlim_max, want);
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0) return {};
  return failed("setrlimit(" + std::string(name) + ", " + std::to_string(want) + ")");
}

void drop_capabilities() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  ::syscall(SYS_capset, &header, none);
}

}  // namespace

std::string find_account(const config::Model& model, const std::string& default_user, Account& out,
                         std::string& warning) {
  const auto place = model.process.user_position.text() + ": user: ";
  if (::geteuid() != 0) {
    if (!model.user.empty()) warning = place + "has an effect only if weir is started as root";
    return {};
  }
  const bool named = !model.user.empty();
  out.name = named ? model.user : default_user;
  const auto* user = ::getpwnam(out.name.c_str());
  if (user == nullptr) return place + "there is no account \"" + out.name + "\"";
  out.uid = user->pw_uid;
  out.gid = user->pw_gid;
  // As nginx: the group that is called like the user; but where there is none, the user's own.
  const auto& group_name = model.process.group.empty() ? out.name : model.process.group;
  if (const auto* group = ::getgrnam(group_name.c_str())) {
    out.gid = group->gr_gid;
  } else if (!model.process.group.empty()) {
    return place + "there is no group \"" + group_name + "\"";
  }
  out.change = true;
  return {};
}

std::vector<std::string> set_limits(const config::ProcessConfig& process,
                                    std::uint32_t rlimit_nofile) {
  std::vector<std::string> problems;
  const auto note = [&](std::string problem) {
    if (!problem.empty()) problems.push_back(std::move(problem));
  };
  if (process.priority != 0 && ::setpriority(PRIO_PROCESS, 0, process.priority) != 0) {
    note(failed("setpriority(" + std::to_string(process.priority) + ")"));
  }
  if (process.rlimit_core) {
    note(set_limit(RLIMIT_CORE, "RLIMIT_CORE", *process.rlimit_core));
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t want = rlimit_nofile > 0 ? rlimit_nofile : limit.rlim_max;
  note(set_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", want));
  return problems;
}

std::string become(const Account& account) {
  if (account.change && account.uid != 0) {
    if (::setgid(account.gid) != 0) {
      return failed("setgid(" + std::to_string(account.gid) + ")");
    }
    if (::initgroups(account.name.c_str(), account.gid) != 0) {
      return failed("initgroups(" + account.name + ")");
    }
    if (::setuid(account.uid) != 0) {
      return failed("setuid(" + std::to_string(account.uid) + ")");
    }
    // Changing the account forbids core files; worker_rlimit_core decides about them.
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
  if (::geteuid() == 0) return {};
  drop_capabilities();
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return {};
}

std::vector<std::string> kept_environment(const std::vector<std::string>& before,
                                          const config::ProcessConfig& config) {
  auto wanted = config.environment;
  if (std::none_of(wanted.begin(), wanted.end(),
                   [](const auto& entry) { return entry.name == "TZ"; })) {
    wanted.push_back({"TZ", std::nullopt});
  }
  std::vector<std::string> kept;
  for (const auto& entry : wanted) {
    const auto key = entry.name + "=";
    if (entry.value) {
      kept.push_back(key + *entry.value);
      continue;
    }
    for (const auto& variable : before) {
      if (variable.starts_with(key)) kept.push_back(variable);
    }
  }
  return kept;
}

}  // namespace weir::main
