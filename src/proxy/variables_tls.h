// Variables about a client's TLS. Worker thread.
#pragma once

#include <string>

#include "config/variables.h"

namespace weir::net {
class TlsStream;
}

namespace weir::proxy {

class Exchange;

// Appends the value of `id`; false: it is none of these.
bool append_tls(std::string& out, config::Variable id, Exchange& x);
// The same of a connection; null: it is not encrypted.
bool append_tls_fact(std::string& out, config::Variable id, const net::TlsStream* stream);

}  // namespace weir::proxy
