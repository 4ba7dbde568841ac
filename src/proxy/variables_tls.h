// Variables about a client's TLS. Worker thread.
#pragma once

#include <string>

#include "config/variables.h"

namespace weir::proxy {

class Exchange;

// Appends the value of `id`; false: it is none of these.
bool append_tls(std::string& out, config::Variable id, Exchange& x);

}  // namespace weir::proxy
