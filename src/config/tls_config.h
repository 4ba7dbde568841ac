// What the ssl_ and proxy_ssl_ directives set: files with their contents, caches, checks. Plain
// values of the model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/position.h"

namespace weir::config {

// A file that a directive names, read when the configuration was.
struct TlsFile {
  std::string path;
  std::shared_ptr<const std::string> text;  // null: none is named
  Position position;
  [[nodiscard]] explicit operator bool() const { return text != nullptr; }
};

// `ssl_conf_command`
struct TlsCommand {
  std::string name;
  std::string value;
  Position position;
};

// `ssl_session_cache`
struct TlsSessionCache {
  enum class Kind : std::uint8_t { none, off, builtin, shared } kind = Kind::none;
  std::uint32_t sessions = 0;  // builtin; 0: OpenSSL's usual number
  std::string zone;            // shared
  std::uint64_t size = 0;      // bytes
};

}  // namespace weir::config
