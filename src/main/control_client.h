// Asks a running weir over the operators' Unix socket. Blocks; for the sub-commands.
#pragma once

#include <string>

namespace weir::main {

class ControlClient {
 public:
  explicit ControlClient(std::string path) : path_(std::move(path)) {}

  struct Reply {
    int status = 0;
    std::string body;
  };
  // Empty, or why there is no answer. `target`: "/api/status?target=app".
  [[nodiscard]] std::string ask(const std::string& method, const std::string& target,
                                Reply& out) const;

 private:
  std::string path_;
};

// A text as a part of a query: all but letters, digits and "-._~/:" as %XX.
[[nodiscard]] std::string query_escape(const std::string& text);

}  // namespace weir::main
