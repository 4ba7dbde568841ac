// The folders that `client_body_temp_path` and `proxy_temp_path` name: made when a configuration is
// taken into use, for the account that will write to them. The master, or the control thread of a
// program without one.
#pragma once

#include <string>

#include "config/model.h"
#include "main/account.h"

namespace weir::main {

// What is wrong, or nothing. Folders around a named one must be there, as for nginx.
[[nodiscard]] std::string make_temp_folders(const config::Model& model, const Account& account);

}  // namespace weir::main
