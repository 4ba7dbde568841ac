#include "config/resolve_acme.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/clock.h"
#include "config/acme_names.h"
#include "config/suggest.h"
#include "tls/context.h"

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

// Empty, or why it is no key with its certificate.
std::string damage_of(const std::string& text) {
  tls::Context probe(tls::Context::Side::server);
  const auto result = probe.add_pair(text, text, {});
  return result.certificate_error + result.key_error;
}

std::size_t covered(const std::vector<std::string>& names, const tls::CertificateFacts& facts) {
  return static_cast<std::size_t>(std::count_if(names.begin(), names.end(), [&](const auto& name) {
    return std::find(facts.names.begin(), facts.names.end(), name) != facts.names.end();
  }));
}

bool has_expired(const tls::CertificateFacts& facts) {
  return WallTime{std::chrono::seconds{facts.not_after}} <= SystemClock().wall();
}

// For glob(): the folder's name is no pattern.
std::string escaped(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

bool AcmeResolver::name_by_server(const ServerDraft& server, AcmeCertificate& wanted) {
  const auto wrong = [&](const std::string& what) {
    diagnostics_.error(wanted.position, "acme_certificate: " + what);
    return false;
  };
  for (const auto& name : server.names) {
    if (name.kind != ServerName::Kind::exact) {
      return wrong(
          "the server has a name that is a pattern or a wildcard, for which nothing can be "
          "ordered; write the names behind the issuer");
    }
    if (name.text.empty()) continue;
    if (!is_acme_identifier(name.text)) {
      return wrong("the server's name " + quote(name.text) +
                   " is no host name and no address, so that nothing can be ordered for it; write "
                   "the names behind the issuer");
    }
    wanted.names.push_back(name.text);
  }
  if (!wanted.names.empty()) return true;
  return wrong("the server has no name; write server_name, or names behind the issuer");
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
  if (wanted.names.empty() && !name_by_server(server, wanted)) return {};
  remove_doubles(wanted.names);
  const auto path = acme_file(*issuer, wanted);
  if (const auto known = shown_.find(path); known != shown_.end()) return known->second;
  wanted.stored = compiler_.stored(path, wanted.position);
  if (wanted.stored) {
    if (const auto damage = damage_of(*wanted.stored.text); !damage.empty()) {
      diagnostics_.warning(wanted.position, "acme_certificate: " + quote(path) + " is damaged (" +
                                                damage + "); a new certificate will be ordered");
      wanted.stored.text = nullptr;
    }
  }
  model_.acme_certificates.push_back(wanted);
  return shown_.emplace(path, choose(*issuer, wanted)).first->second;
}

// What is stored, as long as it is good; else what is best of all that the issuer has given.
TlsFile AcmeResolver::choose(const AcmeIssuer& issuer, const AcmeCertificate& wanted) {
  std::vector<Candidate> candidates;
  const auto consider = [&](const TlsFile& file) {
    if (auto candidate = candidate_of(file)) candidates.push_back(std::move(*candidate));
  };
  consider(wanted.stored);
  if (!candidates.empty() && !has_expired(candidates.front().facts)) return wanted.stored;
  if (!wanted.stored) consider(compiler_.stored_before(wanted.stored.path, wanted.position));
  for (const auto& other : kept_by(issuer)) {
    if (other.file.path != wanted.stored.path) candidates.push_back(other);
  }
  std::erase_if(candidates, [&](const auto& one) { return covered(wanted.names, one.facts) == 0; });
  if (candidates.empty()) return wanted.stored;
  const auto rank = [&](const Candidate& one) {
    return std::tuple(!has_expired(one.facts), covered(wanted.names, one.facts),
                      one.facts.not_after);
  };
  auto best =
      std::max_element(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
        return rank(a) < rank(b);
      })->file;
  best.position = wanted.position;
  if (best.path != wanted.stored.path) {
    diagnostics_.warning(wanted.position, "acme_certificate: " + quote(best.path) +
                                              " is shown until a certificate for " +
                                              wanted.names.front() + " is issued");
  } else if (!wanted.stored) {
    diagnostics_.warning(wanted.position, "acme_certificate: " + quote(best.path) +
                                              " is lost; what was in force stays until a new "
                                              "certificate is issued");
  }
  return best;
}

std::optional<AcmeResolver::Candidate> AcmeResolver::candidate_of(const TlsFile& file) {
  if (!file || !damage_of(*file.text).empty()) return std::nullopt;
  auto facts = tls::certificate_facts(*file.text);
  if (!facts) return std::nullopt;
  return Candidate{file, std::move(*facts)};
}

const std::vector<AcmeResolver::Candidate>& AcmeResolver::kept_by(const AcmeIssuer& issuer) {
  constexpr std::size_t kMost = 1000;  // files
  const auto [known, fresh] = kept_.try_emplace(issuer.state_path);
  if (!fresh) return known->second;
  const auto& options = compiler_.options();
  const auto pattern = escaped(issuer.state_path) + "/*.pem";
  auto paths = options.glob ? options.glob(pattern) : glob_files(pattern);
  if (paths.size() > kMost) paths.resize(kMost);
  for (const auto& path : paths) {
    auto text = std::make_shared<std::string>();
    std::string error;
    if (!compiler_.read_secret(path, *text, error)) continue;
    if (auto candidate = candidate_of({path, std::move(text), {}})) {
      known->second.push_back(std::move(*candidate));
    }
  }
  return known->second;
}

void AcmeResolver::mark_certificates() {
  for (const auto& [path, shown] : shown_) {
    for (auto& certificate : model_.certificates) {
      if (certificate.path == shown.path) certificate.ordered = true;
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
