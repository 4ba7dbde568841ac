// What names certificates and files of ACME have. Pure; any thread.
#pragma once

#include <string>

#include "config/acme_config.h"

namespace weir::config {

// Of a host or an address, lower case, as a certificate may have it.
[[nodiscard]] bool is_acme_identifier(const std::string& name);

// Where the key and the certificate are kept: by all of the names and the kind of the key, so that
// what differs in anything has another file.
[[nodiscard]] std::string acme_file(const AcmeIssuer& issuer, const AcmeCertificate& wanted);

// Where it is kept which orders have failed, and when they are tried again.
[[nodiscard]] std::string acme_journal(const AcmeIssuer& issuer);

}  // namespace weir::config
