// acme_issuer and what stands in it; acme_certificate.
#include <algorithm>

#include "config/acme_names.h"
#include "config/handlers.h"
#include "registry/connection.h"

namespace weir::config {
namespace {

constexpr std::array<Word<AcmeKey>, 5> kKeys = {{{"ecdsa:256", AcmeKey::ec256},
                                                 {"ecdsa:384", AcmeKey::ec384},
                                                 {"rsa:2048", AcmeKey::rsa2048},
                                                 {"rsa:3072", AcmeKey::rsa3072},
                                                 {"rsa:4096", AcmeKey::rsa4096}}};

std::optional<AcmeKey> key_kind(std::string_view text) {
  if (text == "ecdsa") return AcmeKey::ec256;
  if (text == "rsa") return AcmeKey::rsa2048;
  for (const auto& word : kKeys) {
    if (word.text == text) return word.value;
  }
  return std::nullopt;
}

std::string key_kinds() {
  std::string out;
  for (const auto& word : kKeys) out += (out.empty() ? "" : ", ") + std::string(word.text);
  return out;
}

void check_issuer(const Call& call, AcmeIssuer& issuer) {
  if (issuer.uri.empty()) call.error("uri is missing; write uri https://.../directory");
  std::string error;
  issuer.tls = registry::make_tls(issuer.trusted ? *issuer.trusted.text : "", issuer.verify, error);
  if (issuer.tls == nullptr) call.error("ssl_trusted_certificate: " + error);
  if (issuer.trusted && !issuer.verify) {
    call.error("ssl_trusted_certificate has no meaning with ssl_verify off");
  }
  for (const auto& other : call.compiler.model().acme_issuers) {
    if (other.name == issuer.name) {
      call.error(call.arg(0),
                 "issuer " + quote(issuer.name) + " is there already, at " + other.position.text());
    } else if (other.state_path == issuer.state_path) {
      call.error("state_path " + quote(issuer.state_path) + " is that of issuer " +
                 quote(other.name) + "; give each its own");
    }
  }
}

// The one that weir makes itself; while it runs the key is not lost with its file.
void take_account(Compiler& compiler, AcmeIssuer& issuer) {
  const auto path = issuer.state_path + "/account.key";
  issuer.keeps_account = true;
  issuer.account = compiler.stored(path, issuer.position);
  if (issuer.account) return;
  issuer.account = compiler.stored_before(path, issuer.position);
  if (issuer.account) {
    compiler.diagnostics().warning(issuer.position, "acme_issuer: " + quote(path) +
                                                        " is lost; the account stays until weir "
                                                        "is started anew");
  }
}

}  // namespace

void compile_acme_issuer(const Call& call) {
  AcmeIssuer issuer;
  issuer.name = call.arg(0).text;
  issuer.position = call.directive.position;
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (issuer.name.starts_with('.') ||
      !std::all_of(issuer.name.begin(), issuer.name.end(), letter)) {
    return call.error(call.arg(0),
                      "invalid name " + quote(issuer.name) + "; use letters, digits, - . and _");
  }
  issuer.state_path = call.compiler.path("acme_" + issuer.name);
  Scope scope;
  scope.contexts = in_acme;
  scope.acme = &issuer;
  call.compiler.walk(call.directive.block, scope);
  while (issuer.state_path.size() > 1 && issuer.state_path.ends_with('/')) {
    issuer.state_path.pop_back();
  }
  check_issuer(call, issuer);
  if (!issuer.account) {
    take_account(call.compiler, issuer);
  }
  // The ACME thread gets it by its path.
  static_cast<void>(call.compiler.stored(acme_journal(issuer), issuer.position));
  call.compiler.model().acme_issuers.push_back(std::move(issuer));
}

void compile_acme_uri(const Call& call) {
  const auto& uri = call.arg(0).text;
  constexpr std::string_view kScheme = "https://";
  const bool fine = uri.starts_with(kScheme) && uri.size() > kScheme.size() &&
                    uri[kScheme.size()] != '/' &&
                    uri.find_first_of(" \t\r\n@") == std::string::npos;
  if (!fine) {
    return call.error(call.arg(0), "invalid URL " + quote(uri) +
                                       "; an ACME server's directory is at https://...");
  }
  call.scope.acme->uri = uri;
}

void compile_acme_contact(const Call& call) {
  for (const auto& argument : call.directive.args) {
    const auto colon = argument.text.find(':');
    const bool is_uri = colon != std::string::npos && colon > 0;
    call.scope.acme->contacts.push_back((is_uri ? "" : "mailto:") + argument.text);
  }
}

void compile_acme_challenge(const Call& call) {
  using Challenge = AcmeIssuer::Challenge;
  constexpr std::array<Word<Challenge>, 4> kWords = {{{"http-01", Challenge::http},
                                                      {"http", Challenge::http},
                                                      {"tls-alpn-01", Challenge::tls_alpn},
                                                      {"tls-alpn", Challenge::tls_alpn}}};
  if (const auto kind = word_argument(call, call.arg(0), kWords)) {
    call.scope.acme->challenge = *kind;
  }
}

void compile_acme_account_key(const Call& call) {
  const auto& text = call.arg(0).text;
  if (const auto kind = key_kind(text)) {
    call.scope.acme->account_key = *kind;
  } else if (text.starts_with("ecdsa:") || text.starts_with("rsa:")) {
    call.error(call.arg(0), "no such key; use " + key_kinds() + " or the name of a file");
  } else if (auto file = call.compiler.secret(call, call.arg(0)); file && *file) {
    call.scope.acme->account = std::move(*file);
  }
}

void compile_acme_external_key(const Call& call) {
  auto& issuer = *call.scope.acme;
  issuer.external_id = call.arg(0).text;
  const auto& text = call.arg(1).text;
  if (text.starts_with("data:")) {
    issuer.external_key = {"data:", std::make_shared<const std::string>(text.substr(5)),
                           call.arg(1).position};
  } else if (auto file = call.compiler.secret(call, call.arg(1)); file && *file) {
    auto key = *file->text;
    while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
    issuer.external_key = {file->path, std::make_shared<const std::string>(key), file->position};
  } else {
    return;
  }
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=";
  const auto& key = *issuer.external_key.text;
  if (key.empty() || key.find_first_not_of(kLetters) != std::string::npos) {
    call.error(call.arg(1), "the key is not in base64url; take it as the server's owner gave it");
  }
}

void compile_acme_profile(const Call& call) { call.scope.acme->profile = call.arg(0).text; }

void compile_acme_trusted(const Call& call) {
  if (auto file = call.compiler.secret(call, call.arg(0))) {
    call.scope.acme->trusted = std::move(*file);
  }
}

void compile_acme_verify(const Call& call) {
  call.scope.acme->verify = lower(call.arg(0).text) == "on";
}

void compile_acme_state_path(const Call& call) {
  const auto& text = call.arg(0).text;
  if (text == "off") {
    return call.error(call.arg(0),
                      "certificates and keys are always kept; name a folder that is root's alone");
  }
  call.scope.acme->state_path = call.compiler.path(text);
}

void compile_acme_terms(const Call& call) { call.scope.acme->accepts_terms = true; }

void compile_acme_retry(const Call& call) {
  const auto time = time_argument(call, call.arg(0));
  if (!time) return;
  if (*time < std::chrono::seconds{1}) {
    return call.error(call.arg(0), "too soon; servers ask for patience: write 1m or more");
  }
  call.scope.acme->retry = *time;
}

void compile_acme_certificate(const Call& call) {
  AcmeCertificate wanted;
  wanted.issuer = call.arg(0).text;
  wanted.position = call.directive.position;
  for (std::size_t i = 1; i < call.count(); ++i) {
    const auto& argument = call.arg(i);
    if (argument.text.starts_with("key=")) {
      const auto kind = key_kind(argument.text.substr(4));
      if (!kind) return call.error(argument, "no such key; use " + key_kinds());
      wanted.key = *kind;
      continue;
    }
    const auto name = lower(argument.text);
    if (!is_acme_identifier(name)) {
      const bool wild = name.find('*') != std::string::npos || name.starts_with('.');
      return call.error(argument, wild ? "wildcards need the challenge dns-01, which weir does not "
                                         "have; write each name"
                                       : "is no host name and no address: " + quote(name));
    }
    wanted.names.push_back(name);
  }
  call.scope.server->acme = std::move(wanted);
}

}  // namespace weir::config
