#include "main/kept_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "config/acme_names.h"
#include "net/socket.h"

namespace weir::main {
namespace {

std::string failed(const config::AcmeIssuer& issuer, const char* call, const std::string& path) {
  return issuer.position.text() + ": acme_issuer: state_path: " + call + " \"" + path +
         "\" failed " + net::errno_text(errno) + "; name a folder that can be made";
}

// Nothing is kept for an issuer that nobody orders from.
bool is_used(const config::Model& model, const config::AcmeIssuer& issuer) {
  for (const auto& certificate : model.acme_certificates) {
    if (certificate.issuer == issuer.name) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> kept_files(const config::Model& model) {
  auto out = own_files(model);
  for (const auto& certificate : model.acme_certificates) out.push_back(certificate.stored.path);
  return out;
}

std::vector<std::string> own_files(const config::Model& model) {
  std::vector<std::string> out;
  for (const auto& issuer : model.acme_issuers) {
    if (issuer.keeps_account) out.push_back(issuer.account.path);
    out.push_back(config::acme_journal(issuer));
  }
  return out;
}

std::string make_kept_folders(const config::Model& model) {
  for (const auto& issuer : model.acme_issuers) {
    if (!is_used(model, issuer)) continue;
    const auto& path = issuer.state_path;
    // Those above it, too: everybody may look into them.
    for (auto at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
      ::mkdir(path.substr(0, at).c_str(), 0755);
    }
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed(issuer, "mkdir()", path);
    if (::access(path.c_str(), W_OK | X_OK) != 0) return failed(issuer, "access()", path);
  }
  return {};
}

std::string could_make_kept_folders(const config::Model& model) {
  for (const auto& issuer : model.acme_issuers) {
    if (!is_used(model, issuer)) continue;
    auto path = issuer.state_path;
    struct stat info {};
    while (::stat(path.c_str(), &info) != 0 && errno == ENOENT && path.rfind('/') > 0) {
      path.resize(path.rfind('/'));
    }
    if (::stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
      errno = ENOTDIR;
      return failed(issuer, "mkdir()", issuer.state_path);
    }
    // Whoever asks need not be whom it will be started by.
    const bool writable = ::access(path.c_str(), W_OK | X_OK) == 0;
    if (!writable && (errno != EACCES || ::geteuid() == 0)) {
      return failed(issuer, "mkdir()", issuer.state_path);
    }
  }
  return {};
}

}  // namespace weir::main
