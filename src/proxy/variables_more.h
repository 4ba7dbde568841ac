// Variables about files, bodies, limits and the connection below HTTP: the part of variables.cpp
// that few configurations use. Worker thread.
#pragma once

#include <string>

#include "config/variables.h"

namespace weir::proxy {

class Exchange;

// Appends the value of `id`; false: it is none of these.
bool append_more(std::string& out, config::Variable id, Exchange& x);

}  // namespace weir::proxy
