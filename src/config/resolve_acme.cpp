#include "config/resolve_acme.h"

#include <algorithm>
#include <set>

#include "config/suggest.h"

namespace weir::config {
namespace {

const AcmeIssuer* find_issuer(const Model& model, const std::string& name) {
  for (const auto& issuer : model.acme_issuers) {
    if (issuer.name == name) return &issuer;
  }
  return nullptr;
}

// The first of each stays where it is.
void remove_doubles(std::vector<std::string>& names) {
  std::set<std::string> seen;
  std::erase_if(names, [&](const auto& name) { return !seen.insert(name).second; });
}

// Names that differ in anything give another file.
std::string file_name(const AcmeCertificate& wanted) {
  auto names = wanted.names;
  std::sort(names.begin(), names.end());
  std::string all = std::to_string(static_cast<int>(wanted.key));
  for (const auto& name : names) all += " " + name;
  // FNV-1a: it has to be the same at every start.
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : all) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out = wanted.names.front();
  std::replace(out.begin(), out.end(), ':', '_');
  out += '-';
  for (int shift = 28; shift >= 0; shift -= 4) out += kDigits[hash >> shift & 15];
  return out + ".pem";
}

}  // namespace

void AcmeResolver::name_by_server(const ServerDraft& server, AcmeCertificate& wanted) {
  for (const auto& name : server.names) {
    if (name.kind == ServerName::Kind::exact) {
      if (!name.text.empty()) wanted.names.push_back(name.text);
      continue;
    }
    diagnostics_.error(wanted.position,
                       "acme_certificate: the server has a name that is a pattern or a wildcard, "
                       "for which nothing can be ordered; write the names behind the issuer");
    return;
  }
  if (wanted.names.empty()) {
    diagnostics_.error(wanted.position,
                       "acme_certificate: the server has no name; write server_name, or names "
                       "behind the issuer");
  }
}

TlsFile AcmeResolver::certificate(const ServerDraft& server) {
  if (!server.acme) return {};
  auto wanted = *server.acme;
  const auto* issuer = find_issuer(model_, wanted.issuer);
  if (issuer == nullptr) {
    diagnostics_.error(wanted.position, "acme_certificate: there is no acme_issuer " +
                                            quote(wanted.issuer) + "; add one to http");
    return {};
  }
  if (model_.certificate_watch.count() == 0) {
    diagnostics_.error(wanted.position,
                       "acme_certificate: what is renewed is seen by certificate_watch, which is "
                       "off; remove that line");
    return {};
  }
  if (wanted.names.empty()) name_by_server(server, wanted);
  if (wanted.names.empty()) return {};
  remove_doubles(wanted.names);
  const auto path = issuer->state_path + "/" + file_name(wanted);
  for (const auto& known : model_.acme_certificates) {
    if (known.stored.path == path) return known.stored;
  }
  wanted.stored = compiler_.stored(path, wanted.position);
  if (wanted.stored) {
    tls::Context probe(tls::Context::Side::server);
    const auto result = probe.add_pair(*wanted.stored.text, *wanted.stored.text, {});
    if (!result.ok()) {
      diagnostics_.warning(wanted.position, "acme_certificate: " + quote(path) + " is damaged (" +
                                                result.certificate_error + result.key_error +
                                                "); a new certificate will be ordered");
      wanted.stored.text = nullptr;
    }
  }
  model_.acme_certificates.push_back(wanted);
  return wanted.stored;
}

void AcmeResolver::mark_certificates() {
  for (const auto& wanted : model_.acme_certificates) {
    for (auto& certificate : model_.certificates) {
      if (certificate.path == wanted.stored.path) certificate.ordered = true;
    }
  }
}

// A challenge that nobody could answer is told of now.
void AcmeResolver::check_listeners() {
  for (const auto& wanted : model_.acme_certificates) {
    const auto* issuer = find_issuer(model_, wanted.issuer);
    if (issuer == nullptr) continue;
    const bool tls = issuer->challenge == AcmeIssuer::Challenge::tls_alpn;
    const bool answered =
        std::any_of(model_.servers.begin(), model_.servers.end(), [&](const auto& server) {
          return std::any_of(server->listens.begin(), server->listens.end(),
                             [&](const Listen& listen) { return listen.ssl == tls; });
        });
    if (answered) continue;
    diagnostics_.error(
        wanted.position,
        tls ? std::string("acme_certificate: tls-alpn-01 is answered over TLS, and nothing "
                          "listens with ssl")
            : std::string("acme_certificate: http-01 is asked for over plain HTTP, and nothing "
                          "listens without ssl; add a server with listen 80, or use challenge "
                          "tls-alpn-01"));
  }
}

}  // namespace weir::config
