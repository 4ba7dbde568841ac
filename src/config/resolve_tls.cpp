// Contexts of TLS: one for each server that has a certificate, and one for all locations that speak
// with their peers in the same way.
#include "config/resolve_tls.h"

#include <algorithm>
#include <map>

#include "base/clock.h"
#include "config/suggest.h"
#include "tls/pem.h"
#include "tls/staple.h"

namespace weir::config {
namespace {

std::vector<std::string> passwords_of(const TlsFile& file) {
  return file ? tls::read_passwords(*file.text) : std::vector<std::string>{};
}

std::string named(const TlsFile& file, const std::string& what) {
  return quote(file.path) + ": " + what;
}

// Empty, or that it must not be sent any more.
std::string age_of(const std::string& der) {
  std::string error;
  const auto staple = tls::Staple::parse(der, error);
  if (staple == nullptr || staple->next_update() == 0) return error;
  const auto age = SystemClock().wall() - WallTime{std::chrono::seconds{staple->next_update()}};
  if (age.count() < 0) return {};
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(age).count();
  return "the answer is too old, by " + std::to_string(hours) + (hours == 1 ? " hour" : " hours");
}

}  // namespace

// ---- servers

void TlsContexts::add_pair(tls::Context& context, const std::string& directive,
                           const TlsFile& certificate, const TlsFile& key,
                           const TlsFile& passwords) {
  const auto texts = passwords_of(passwords);
  const auto result = context.add_pair(*certificate.text, *key.text, texts);
  const auto error = [&](const TlsFile& file, const std::string& suffix, const std::string& what) {
    if (!reported_.insert(file.position.text() + what).second) return;
    diagnostics_.error(file.position, directive + suffix + ": " + named(file, what));
  };
  if (result.ok()) note(certificate, key);
  if (!result.certificate_error.empty()) error(certificate, "", result.certificate_error);
  if (!result.key_error.empty()) {
    error(key, "_key",
          result.key_error + (key.path == certificate.path
                                  ? ""
                                  : "; the certificate is " + quote(certificate.path)));
  }
  if (!result.warning.empty() &&
      reported_.insert(certificate.position.text() + result.warning).second) {
    diagnostics_.warning(certificate.position,
                         directive + ": " + named(certificate, result.warning));
  }
}

void TlsContexts::note(const TlsFile& certificate, const TlsFile& key) {
  const bool known =
      std::any_of(certificates_.begin(), certificates_.end(), [&](const auto& other) {
        return other.path == certificate.path && other.key_path == key.path &&
               certificate.path != "data:";
      });
  if (known) return;
  auto facts = tls::certificate_facts(*certificate.text);
  if (facts) certificates_.push_back({certificate.path, key.path, std::move(*facts)});
}

void TlsContexts::set_sessions(tls::Context& context, const RequestConfig& r) {
  const auto timeout = std::chrono::duration_cast<std::chrono::seconds>(r.ssl_session_timeout);
  context.use_session_timeout(timeout);
  const auto& cache = r.ssl_session_cache;
  switch (cache.kind) {
    case TlsSessionCache::Kind::none:
      break;
    case TlsSessionCache::Kind::off:
      context.forbid_cache();
      break;
    case TlsSessionCache::Kind::builtin:
      context.use_own_cache(cache.sessions);
      break;
    case TlsSessionCache::Kind::shared:
      context.use_cache(shared_->cache(cache.zone, static_cast<std::size_t>(cache.size)));
      break;
  }
  std::shared_ptr<tls::TicketKeys> keys;
  if (!r.ssl_session_ticket_key.empty()) {
    std::vector<tls::TicketKeys::Key> fixed;
    for (const auto& file : r.ssl_session_ticket_key) {
      if (const auto key = tls::TicketKeys::parse(*file.text)) fixed.push_back(*key);
    }
    keys = std::make_shared<tls::TicketKeys>(std::move(fixed));
  } else if (cache.kind == TlsSessionCache::Kind::shared) {
    keys = shared_->keys(cache.zone, timeout);
  } else {
    keys = std::make_shared<tls::TicketKeys>(timeout);
  }
  context.use_tickets(r.ssl_session_tickets, std::move(keys));
}

void TlsContexts::check_commands(tls::Context& context, const std::string& directive,
                                 const std::vector<TlsCommand>& commands) {
  for (const auto& command : commands) {
    const auto error = context.use_command(command.name, command.value);
    if (!error.empty()) diagnostics_.error(command.position, directive + ": " + error);
  }
}

void TlsContexts::set_verification(tls::Context& context, const ServerConfig& server) {
  const auto& r = server.root->request;
  const auto verify = r.ssl_verify_client;
  const bool needs_trust = verify == tls::Verify::on || verify == tls::Verify::optional;
  if (needs_trust && !r.ssl_client_certificate && !r.ssl_trusted_certificate) {
    diagnostics_.error(server.position,
                       "ssl_verify_client: there is nothing to check certificates by; name "
                       "authorities with ssl_client_certificate");
    return;
  }
  const auto trust = [&](const TlsFile& file, const char* directive, bool announced) {
    if (!file) return;
    const auto error = context.trust(*file.text, announced);
    if (!error.empty()) diagnostics_.error(file.position, directive + (": " + named(file, error)));
  };
  if (verify != tls::Verify::off) trust(r.ssl_client_certificate, "ssl_client_certificate", true);
  trust(r.ssl_trusted_certificate, "ssl_trusted_certificate", false);
  if (r.ssl_crl) {
    const auto error = context.use_crl(*r.ssl_crl.text);
    if (!error.empty())
      diagnostics_.error(r.ssl_crl.position, "ssl_crl: " + named(r.ssl_crl, error));
  }
  context.use_verify(verify, r.ssl_verify_depth);
}

bool TlsContexts::add_pairs(tls::Context& context, const RequestConfig& r, const TlsFile& acme) {
  for (std::size_t i = 0; i < r.ssl_certificate.size(); ++i) {
    const auto& certificate = r.ssl_certificate[i];
    const auto wrong = [&](const std::string& what) {
      diagnostics_.error(certificate.position, "ssl_certificate: " + what);
      return false;
    };
    if (i >= r.ssl_certificate_key.size()) {
      return wrong("there is no ssl_certificate_key for " + quote(certificate.path) +
                   "; name the file of its key");
    }
    const auto& key = r.ssl_certificate_key[i];
    const bool ordered = certificate.path == kAcmeCertificate;
    if (ordered != (key.path == kAcmeCertificateKey)) {
      return wrong("$acme_certificate and $acme_certificate_key go together; write both");
    }
    if (!ordered) {
      add_pair(context, "ssl_certificate", certificate, key, r.ssl_password_file);
    } else if (acme.path.empty()) {
      return wrong(
          "there is no acme_certificate in this server; add acme_certificate ISSUER, or in "
          "stream name the file that weir keeps in state_path");
    } else if (acme) {
      add_pair(context, "acme_certificate", acme, acme, {});
    } else {
      context.await_certificate();
    }
  }
  return true;
}

// One that does not fit takes nothing out of force: certificates are renewed before their answers.
void TlsContexts::set_staple(tls::Context& context, const RequestConfig& r, const TlsFile& acme) {
  if (!r.ssl_stapling || !context.has_certificate()) return;
  const auto& file = r.ssl_stapling_file;
  if (!file) return ask_for_staples(context, r, acme);
  StapleUse use{file.path, {}, context.use_staple(*file.text, r.ssl_stapling_verify)};
  if (use.fault.empty()) use.fault = age_of(*file.text);
  for (const auto& certificate : r.ssl_certificate) {
    const bool ordered = certificate.path == kAcmeCertificate;
    use.certificates.push_back(ordered ? acme.path : certificate.path);
  }
  if (!use.fault.empty() && reported_.insert(file.position.text() + use.fault).second) {
    diagnostics_.warning(file.position,
                         "ssl_stapling_file: " + named(file, use.fault) + "; it is not sent");
  }
  staples_.push_back(std::move(use));
}

// A certificate that nobody can be asked about is shown without an answer, as nginx does.
void TlsContexts::ask_for_staples(tls::Context& context, const RequestConfig& r,
                                  const TlsFile& acme) {
  tls::AskedStaple::Options options;
  options.responder = r.ssl_stapling_responder;
  options.verified = r.ssl_stapling_verify;
  for (const auto* file : {&r.ssl_client_certificate, &r.ssl_trusted_certificate}) {
    if (*file) options.authorities += *file->text;
  }
  for (const auto& written : r.ssl_certificate) {
    const auto& file = written.path == kAcmeCertificate ? acme : written;
    if (!file) continue;  // it is yet to be issued
    auto made = tls::AskedStaple::make(*file.text, context, options);
    if (made.asked == nullptr) {
      if (reported_.insert(file.path + " " + made.error).second) {
        diagnostics_.warning(written.position, "ssl_stapling: " + named(file, made.error) +
                                                   "; nothing is sent with it");
      }
      continue;
    }
    auto asked = shared_->staple(std::move(made.asked));
    context.use_staple(asked);
    const bool known = std::any_of(asks_.begin(), asks_.end(),
                                   [&](const StapleAsk& ask) { return ask.asked == asked; });
    if (!known) asks_.push_back({file.path, std::move(asked)});
  }
}

void TlsContexts::prepare(ServerConfig& server, const TlsFile& acme) {
  const auto& r = server.root->request;
  if (r.ssl_certificate.empty() && !r.ssl_reject_handshake) return;
  auto context = std::make_shared<tls::Context>(tls::Context::Side::server);
  if (!add_pairs(*context, r, acme)) return;
  const auto check = [&](const char* directive, const std::string& error) {
    if (!error.empty()) diagnostics_.error(server.position, directive + (": " + error));
  };
  check("ssl_protocols", context->use_versions(r.ssl_protocols));
  check("ssl_ciphers", context->use_ciphers(r.ssl_ciphers));
  check("ssl_ecdh_curve", context->use_groups(r.ssl_ecdh_curve));
  if (r.ssl_dhparam) check("ssl_dhparam", context->use_dh_parameters(*r.ssl_dhparam.text));
  if (r.ssl_prefer_server_ciphers) context->prefer_own_ciphers();
  context->use_record_size(r.ssl_buffer_size);
  set_verification(*context, server);
  set_staple(*context, r, acme);
  set_sessions(*context, r);
  check_commands(*context, "ssl_conf_command", r.ssl_conf_command);
  if (r.ssl_reject_handshake) context->reject_handshakes();
  std::string name;
  for (const auto& own : server.names) name += own.text + " ";
  context->name(name);
  server.tls = std::move(context);
}

// The default server of an address decides whether others may do without a certificate.
void TlsContexts::check_listeners(const Model& model) {
  struct Address {
    const ServerConfig* first = nullptr;
    std::vector<std::pair<const ServerConfig*, const Listen*>> servers;
  };
  std::map<std::string, Address> addresses;
  for (const auto& server : model.servers) {
    for (const auto& listen : server->listens) {
      if (!listen.ssl) continue;
      auto& address = addresses[listen.text];
      if (address.first == nullptr || listen.default_server) address.first = server.get();
      address.servers.emplace_back(server.get(), &listen);
    }
  }
  for (const auto& [text, address] : addresses) {
    const auto* first = address.first->tls.get();
    if (first != nullptr && (first->has_certificate() || first->awaits_certificate())) continue;
    for (const auto& [server, listen] : address.servers) {
      if (server->tls != nullptr) continue;
      diagnostics_.error(listen->position, "listen: there is no ssl_certificate for \"listen " +
                                               text + " ssl\"; name one in this server");
    }
  }
}

// ---- checks

namespace {

// What locations say of the upstreams that they speak to.
struct Use {
  const Location* tls = nullptr;
  bool plain = false;
};

void note_uses(const Location& location, std::vector<Use>& uses) {
  if (const auto* proxy = location.proxy(); proxy != nullptr && proxy->upstream) {
    auto& use = uses[*proxy->upstream];
    if (!proxy->tls) {
      use.plain = true;
    } else if (use.tls == nullptr) {
      use.tls = &location;
    }
  }
  if (location.except != nullptr) note_uses(*location.except, uses);
  for (const auto& rule : location.rules) {
    const auto* inner = std::get_if<std::unique_ptr<IfRule>>(&rule);
    if (inner != nullptr && (*inner)->location != nullptr) note_uses(*(*inner)->location, uses);
  }
  for (const auto& nested : location.nested) note_uses(*nested, uses);
}

}  // namespace

void TlsContexts::prepare_checks(Model& model) {
  std::vector<Use> uses(model.upstreams.size());
  for (const auto& server : model.servers) note_uses(*server->root, uses);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    for (auto& check : model.upstreams[i].health_checks) {
      check.proxy_protocol = model.upstreams[i].proxy_protocol;
      if (uses[i].tls == nullptr || uses[i].plain) continue;
      const auto& request = uses[i].tls->request;
      const auto& proxy = *uses[i].tls->proxy();
      check.tls = proxy.tls_context;
      check.tls_announce = request.proxy_ssl_server_name;
      const bool named = !request.proxy_ssl_name.empty() && request.proxy_ssl_name.is_constant();
      check.tls_name = named ? std::string(request.proxy_ssl_name.constant())
                             : proxy.host.substr(0, proxy.host.find(':'));
    }
  }
}

// ---- peers

std::shared_ptr<const tls::Context> TlsContexts::client(const RequestConfig& r,
                                                        const Position& at) {
  std::string key = std::to_string(r.proxy_ssl_protocols) + " " + r.proxy_ssl_ciphers + " " +
                    std::to_string(r.proxy_ssl_verify) + std::to_string(r.proxy_ssl_verify_depth) +
                    std::to_string(r.proxy_ssl_session_reuse);
  for (const auto* file :
       {&r.proxy_ssl_certificate, &r.proxy_ssl_certificate_key, &r.proxy_ssl_password_file,
        &r.proxy_ssl_trusted_certificate, &r.proxy_ssl_crl}) {
    key += "\n" + file->path + (file->path == "data:" ? *file->text : "");
  }
  for (const auto& command : r.proxy_ssl_conf_command) {
    key += "\n" + command.name + " " + command.value;
  }
  auto& known = clients_[key];
  if (known == nullptr) known = make_client(r, at);
  return known;
}

std::shared_ptr<const tls::Context> TlsContexts::make_client(const RequestConfig& r,
                                                             const Position& at) {
  auto context = std::make_shared<tls::Context>(tls::Context::Side::client);
  const auto check = [&](const Position& where, const std::string& directive,
                         const std::string& error) {
    if (!error.empty()) diagnostics_.error(where, directive + ": " + error);
  };
  check(at, "proxy_ssl_protocols", context->use_versions(r.proxy_ssl_protocols));
  check(at, "proxy_ssl_ciphers", context->use_ciphers(r.proxy_ssl_ciphers));
  const auto& certificate = r.proxy_ssl_certificate;
  if (certificate && !r.proxy_ssl_certificate_key) {
    check(certificate.position, "proxy_ssl_certificate",
          "there is no proxy_ssl_certificate_key for " + quote(certificate.path) +
              "; name the file of its key");
  } else if (certificate) {
    add_pair(*context, "proxy_ssl_certificate", certificate, r.proxy_ssl_certificate_key,
             r.proxy_ssl_password_file);
  }
  const auto& trusted = r.proxy_ssl_trusted_certificate;
  if (trusted) {
    const auto error = context->trust(*trusted.text, false);
    if (!error.empty()) {
      check(trusted.position, "proxy_ssl_trusted_certificate", named(trusted, error));
    }
  } else if (r.proxy_ssl_verify) {
    check(at, "proxy_ssl_verify",
          "there is nothing to check certificates by; name authorities with "
          "proxy_ssl_trusted_certificate");
  }
  if (r.proxy_ssl_crl) {
    const auto error = context->use_crl(*r.proxy_ssl_crl.text);
    if (!error.empty())
      check(r.proxy_ssl_crl.position, "proxy_ssl_crl", named(r.proxy_ssl_crl, error));
  }
  context->use_verify(r.proxy_ssl_verify ? tls::Verify::on : tls::Verify::off,
                      r.proxy_ssl_verify_depth);
  if (r.proxy_ssl_session_reuse) context->use_session_reuse();
  check_commands(*context, "proxy_ssl_conf_command", r.proxy_ssl_conf_command);
  context->name("peers");
  return context;
}

}  // namespace weir::config
