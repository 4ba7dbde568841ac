// Makes the contexts of TLS when settings are complete, and says which files do not go together.
// Used by Compiler::finish alone.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/model.h"
#include "tls/shared_state.h"

namespace weir::config {

class TlsContexts {
 public:
  TlsContexts(std::shared_ptr<tls::SharedState> shared, Diagnostics& diagnostics)
      : shared_(shared != nullptr ? std::move(shared) : std::make_shared<tls::SharedState>()),
        diagnostics_(diagnostics) {}

  // Gives the server its context, if it has a certificate. `acme`: what $acme_certificate stands
  // for; see AcmeResolver.
  void prepare(ServerConfig& server, const TlsFile& acme);
  // What listens with TLS needs certificates. To be called when all servers are prepared.
  void check_listeners(const Model& model);
  // Checks of upstreams that locations speak to in TLS alone go over it, too; they begin as the
  // connections of requests do.
  static void prepare_checks(Model& model);
  // For the peers of a location; the same one for equal settings. `at`: of the location.
  [[nodiscard]] std::shared_ptr<const tls::Context> client(const RequestConfig& request,
                                                           const Position& at);
  // All that have been put into contexts.
  [[nodiscard]] std::vector<TlsCertificate> take_certificates() { return std::move(certificates_); }
  [[nodiscard]] std::vector<StapleUse> take_staples() { return std::move(staples_); }
  [[nodiscard]] std::vector<StapleAsk> take_asks() { return std::move(asks_); }

 private:
  bool add_pairs(tls::Context& context, const RequestConfig& request, const TlsFile& acme);
  void add_pair(tls::Context& context, const std::string& directive, const TlsFile& certificate,
                const TlsFile& key, const TlsFile& passwords);
  void note(const TlsFile& certificate, const TlsFile& key);
  void set_sessions(tls::Context& context, const RequestConfig& request);
  void set_staple(tls::Context& context, const RequestConfig& request, const TlsFile& acme);
  void ask_for_staples(tls::Context& context, const RequestConfig& request, const TlsFile& acme);
  void set_verification(tls::Context& context, const ServerConfig& server);
  void check_commands(tls::Context& context, const std::string& directive,
                      const std::vector<TlsCommand>& commands);
  std::shared_ptr<const tls::Context> make_client(const RequestConfig& request, const Position& at);

  std::shared_ptr<tls::SharedState> shared_;
  Diagnostics& diagnostics_;
  std::vector<TlsCertificate> certificates_;
  std::vector<StapleUse> staples_;
  std::vector<StapleAsk> asks_;
  std::set<std::string> reported_;  // files whose faults have been told of
  std::map<std::string, std::shared_ptr<const tls::Context>> clients_;
};

}  // namespace weir::config
