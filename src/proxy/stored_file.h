// A file that a peer's answer is written to while it is passed on: nginx's `proxy_store`. It has a
// temporary name until it is kept, and goes if it is not. Lives in the frame of Exchange::deliver;
// worker thread.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace weir::proxy {

class StoredFile {
 public:
  // `directory` of the temporary file; empty: the system's.
  explicit StoredFile(const std::string& directory);
  ~StoredFile();
  StoredFile(const StoredFile&) = delete;
  StoredFile& operator=(const StoredFile&) = delete;

  void write(std::string_view bytes);
  // Gives it its name, in place of a file that has it, with the permissions `access`; directories
  // that are missing are made. 0, or the errno of this or of what was done before.
  int keep(const std::string& path, mode_t access, std::optional<std::time_t> modified);

 private:
  int copy(const std::string& path, mode_t access) const;

  std::string name_;  // empty: there is no file
  UniqueFd file_;
  int error_ = 0;
};

}  // namespace weir::proxy
