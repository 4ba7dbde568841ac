// What servers want from ACME issuers: checked, each certificate once, with what is stored of it.
// Used by Compiler::finish alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/compiler.h"
#include "tls/certificate_facts.h"

namespace weir::config {

class AcmeResolver {
 public:
  AcmeResolver(Compiler& compiler, Model& model, Diagnostics& diagnostics)
      : compiler_(compiler), model_(model), diagnostics_(diagnostics) {}

  // The file of the certificate that the server's $acme_certificate stands for. Until the one that
  // is wanted has been issued it is another of the issuer's, or the one that was in force, if that
  // has any of the names; its text is null if there is none, its path empty if there is no
  // acme_certificate.
  [[nodiscard]] TlsFile certificate(const ServerDraft& server);
  // When all servers are known.
  void check_listeners();
  // Which of the certificates in use are such.
  void mark_certificates();

 private:
  struct Candidate {
    TlsFile file;
    tls::CertificateFacts facts;
  };

  [[nodiscard]] bool name_by_server(const ServerDraft& server, AcmeCertificate& wanted);
  [[nodiscard]] TlsFile choose(const AcmeIssuer& issuer, const AcmeCertificate& wanted);
  [[nodiscard]] static std::optional<Candidate> candidate_of(const TlsFile& file);
  [[nodiscard]] const std::vector<Candidate>& kept_by(const AcmeIssuer& issuer);

  Compiler& compiler_;
  Model& model_;
  Diagnostics& diagnostics_;
  std::map<std::string, TlsFile> shown_;                // by the path of what is wanted
  std::map<std::string, std::vector<Candidate>> kept_;  // in which folder
};

}  // namespace weir::config
