// Variables that are asked for by name while a request is served, as pages with server side
// includes do. Worker thread.
#pragma once

#include <string>
#include <string_view>

namespace weir::proxy {

class Exchange;

// Appends the value of the variable of that name, any case. False: there is none, or the request
// has no such argument, field or cookie.
bool append_variable(std::string_view name, Exchange& x, std::string& out);

}  // namespace weir::proxy
