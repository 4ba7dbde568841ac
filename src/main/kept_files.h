// What is kept of ACME: keys of accounts, certificates with their keys, in folders that are root's,
// or the user's, alone.
#pragma once

#include <string>
#include <vector>

#include "config/model.h"

namespace weir::main {

// The paths that may be written.
[[nodiscard]] std::vector<std::string> kept_files(const config::Model& model);
// Those of them that weir alone reads, and that are no certificates: keys of accounts, and which
// orders have failed.
[[nodiscard]] std::vector<std::string> own_files(const config::Model& model);

// Makes the folders. Empty, or what is wrong ("file:line:col: ...").
[[nodiscard]] std::string make_kept_folders(const config::Model& model);
// Whether that would succeed.
[[nodiscard]] std::string could_make_kept_folders(const config::Model& model);

}  // namespace weir::main
