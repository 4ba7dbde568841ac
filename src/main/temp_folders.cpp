#include "main/temp_folders.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "config/locations.h"

namespace weir::main {
namespace {

std::set<std::string> folders_of(const config::Model& model) {
  std::set<std::string> folders;
  config::for_each_location(model, [&](const config::Location& location) {
    folders.insert(location.request.client_body_temp_path);
    if (location.proxy() != nullptr) folders.insert(location.request.proxy_temp_path);
  });
  folders.erase("");
  return folders;
}

std::string failed(const char* call, const std::string& folder) {
  return std::string(call) + " \"" + folder + "\" failed (" + std::to_string(errno) + ": " +
         std::strerror(errno) + "); it is named by client_body_temp_path or proxy_temp_path";
}

}  // namespace

std::string make_temp_folders(const config::Model& model, const Account& account) {
  for (const auto& folder : folders_of(model)) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed("mkdir()", folder);
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) return failed("stat()", folder);
    // One that everybody may write to, as /tmp, stays whose it is.
    const bool writable = info.st_uid == account.uid || (info.st_mode & S_IWOTH) != 0;
    if (!account.change || writable) continue;
    if (::chown(folder.c_str(), account.uid, static_cast<gid_t>(-1)) != 0) {
      return failed("chown()", folder);
    }
  }
  return {};
}

}  // namespace weir::main
