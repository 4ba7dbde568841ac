// Set-Cookie fields on their way to the client: nginx's proxy_cookie_domain, proxy_cookie_path and
// proxy_cookie_flags. Worker thread.
#pragma once

#include <string>

namespace weir::proxy {

class Exchange;

// Changes `cookie`, the value of a Set-Cookie field, as the exchange's location asks.
void rewrite_cookie(Exchange& x, std::string& cookie);

}  // namespace weir::proxy
