// What servers want from ACME issuers: checked, each certificate once, with what is stored of it.
// Used by Compiler::finish alone.
#pragma once

#include "config/compiler.h"

namespace weir::config {

class AcmeResolver {
 public:
  AcmeResolver(Compiler& compiler, Model& model, Diagnostics& diagnostics)
      : compiler_(compiler), model_(model), diagnostics_(diagnostics) {}

  // The file of the certificate that the server's $acme_certificate stands for: its text is null as
  // long as none has been issued, its path empty if there is no acme_certificate.
  [[nodiscard]] TlsFile certificate(const ServerDraft& server);
  // When all servers are known.
  void check_listeners();
  // Which of the certificates in use are such.
  void mark_certificates();

 private:
  void name_by_server(const ServerDraft& server, AcmeCertificate& wanted);

  Compiler& compiler_;
  Model& model_;
  Diagnostics& diagnostics_;
};

}  // namespace weir::config
