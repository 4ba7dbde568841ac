// ssl_* and proxy_ssl_*. What can be told of one directive alone is checked here, on a context of
// its own; what belongs together is in resolve_tls.cpp.
#include <algorithm>

#include "config/handlers.h"
#include "config/words.h"
#include "tls/pem.h"
#include "tls/staple.h"
#include "tls/ticket_keys.h"

namespace weir::config {
namespace {

using Side = tls::Context::Side;

// Files that hold what OpenSSL would look for elsewhere.
// `variable`: the one that may stand for one.
std::optional<TlsFile> pem_file(const Call& call, std::string_view variable = {}) {
  const auto& argument = call.arg(0);
  const auto& text = argument.text;
  if (!variable.empty() && text == variable) {
    return TlsFile{text, std::make_shared<const std::string>(), argument.position};
  }
  if (text.starts_with("engine:") || text.starts_with("store:")) {
    call.error(argument, "engines and stores of OpenSSL are not supported yet; name a file");
    return std::nullopt;
  }
  if (text.find('$') != std::string::npos) {
    call.error(argument, "variables in the name are not supported yet; name a file");
    return std::nullopt;
  }
  if (text.starts_with("data:")) {
    TlsFile file{"data:", std::make_shared<const std::string>(text.substr(5)), argument.position};
    return file;
  }
  return call.compiler.secret(call, argument);
}

void wrong(const Call& call, const TlsFile& file, const std::string& error) {
  call.error(call.arg(0), quote(file.path) + ": " + error);
}

// What is said about a certificate whose key is not known yet.
bool check_certificates(const Call& call, const TlsFile& file) {
  if (!file) return true;
  std::string error;
  if (!tls::read_certificates(*file.text, error).empty()) return true;
  wrong(call, file, error + "; it must be in the PEM form");
  return false;
}

void set_ciphers(const Call& call, Side side, std::optional<std::string>& setting) {
  const auto& list = call.arg(0).text;
  const auto error = tls::Context(side).use_ciphers(list);
  if (!error.empty()) {
    return call.error(call.arg(0),
                      "invalid list " + quote(list) + ": " + error + "; see openssl-ciphers(1)");
  }
  setting = list;
}

void add_command(const Call& call, Side side, std::optional<std::vector<TlsCommand>>& setting) {
  const auto& name = call.arg(0).text;
  const auto& value = call.arg(1).text;
  const auto error = tls::Context(side).use_command(name, value);
  if (!error.empty()) {
    return call.error(call.arg(0),
                      quote(name + " " + value) + ": " + error + "; see SSL_CONF_cmd(3)");
  }
  if (!setting) setting.emplace();
  setting->push_back({name, value, call.directive.position});
}

// shared:NAME:SIZE
bool take_zone(const Call& call, const Argument& argument, TlsSessionCache& cache) {
  constexpr std::uint64_t kLeast = 32 * 1024;
  const std::string_view rest = std::string_view(argument.text).substr(7);
  const auto colon = rest.find(':');
  const auto size = parse_size(colon == std::string_view::npos ? "" : rest.substr(colon + 1));
  if (colon == std::string_view::npos || colon == 0 || !size) {
    call.error(argument, "invalid zone " + quote(argument.text) + "; write shared:NAME:10m");
    return false;
  }
  if (*size < kLeast) {
    call.error(argument,
               "zone " + quote(rest.substr(0, colon)) + " is too small; 32k is the least");
    return false;
  }
  cache.kind = TlsSessionCache::Kind::shared;
  cache.zone = rest.substr(0, colon);
  cache.size = *size;
  const auto known = call.compiler.tls_zone_size(cache.zone, cache.size);
  if (known == cache.size) return true;
  call.error(argument, "zone " + quote(cache.zone) + " has another size, " + std::to_string(known) +
                           ", elsewhere; give it one");
  return false;
}

}  // namespace

// ---- of both sides

void set_certificates(const Call& call, std::optional<TlsFile>& setting) {
  auto file = pem_file(call);
  if (file && check_certificates(call, *file)) setting = std::move(*file);
}

void set_pem_file(const Call& call, std::optional<TlsFile>& setting) {
  if (auto file = pem_file(call)) setting = std::move(*file);
}

void set_crl(const Call& call, std::optional<TlsFile>& setting) {
  auto file = pem_file(call);
  if (!file) return;
  std::string error;
  if (*file && tls::read_crls(*file->text, error).empty()) return wrong(call, *file, error);
  setting = std::move(*file);
}

void set_tls_versions(const Call& call, std::optional<std::uint32_t>& setting) {
  setting = bit_arguments(call, words::kTlsVersions, setting.value_or(0));
  if ((*setting & (words::kSslV2 | words::kSslV3)) != 0 &&
      call.compiler.report_once(call.directive.name)) {
    call.warning("SSLv2 and SSLv3 are never spoken; remove them");
  }
}

// ---- clients

void compile_ssl(const Call& call) {
  const bool on = lower(call.arg(0).text) == "on";
  if (on && call.compiler.report_once("ssl")) {
    call.warning("is of nginx before 1.25; write \"listen ... ssl\" instead");
  }
  if (call.scope.server != nullptr) {
    call.scope.server->ssl = on;
  } else {
    call.compiler.set_ssl(on);
  }
}

void compile_ssl_certificate(const Call& call) {
  auto file = pem_file(call, kAcmeCertificate);
  const bool ordered = file && file->path == kAcmeCertificate;
  if (!file || (!ordered && !check_certificates(call, *file))) return;
  auto& list = call.scope.settings->ssl_certificate;
  if (!list) list.emplace();
  if (*file) list->push_back(std::move(*file));
}

void compile_ssl_certificate_key(const Call& call) {
  auto file = pem_file(call, kAcmeCertificateKey);
  if (!file) return;
  auto& list = call.scope.settings->ssl_certificate_key;
  if (!list) list.emplace();
  if (*file) list->push_back(std::move(*file));
}

void compile_ssl_password_file(const Call& call) {
  set_pem_file(call, call.scope.settings->ssl_password_file);
}
void compile_ssl_protocols(const Call& call) {
  set_tls_versions(call, call.scope.settings->ssl_protocols);
}
void compile_ssl_ciphers(const Call& call) {
  set_ciphers(call, Side::server, call.scope.settings->ssl_ciphers);
}

void compile_ssl_ecdh_curve(const Call& call) {
  const auto& list = call.arg(0).text;
  const auto error = tls::Context(Side::server).use_groups(list);
  if (!error.empty()) {
    return call.error(call.arg(0), "invalid curves " + quote(list) + ": " + error +
                                       "; write auto or X25519:prime256v1");
  }
  call.scope.settings->ssl_ecdh_curve = list;
}

void compile_ssl_dhparam(const Call& call) {
  auto file = pem_file(call);
  if (!file) return;
  if (*file) {
    const auto error = tls::Context(Side::server).use_dh_parameters(*file->text);
    if (!error.empty()) return wrong(call, *file, error);
  }
  call.scope.settings->ssl_dhparam = std::move(*file);
}

void compile_ssl_conf_command(const Call& call) {
  add_command(call, Side::server, call.scope.settings->ssl_conf_command);
}

void compile_ssl_session_cache(const Call& call) {
  TlsSessionCache cache;
  for (const auto& argument : call.directive.args) {
    const auto& text = argument.text;
    if ((text == "off" || text == "none") && call.count() == 1) {
      cache.kind = text == "off" ? TlsSessionCache::Kind::off : TlsSessionCache::Kind::none;
    } else if (text.starts_with("shared:")) {
      if (!take_zone(call, argument, cache)) return;
    } else if (text == "builtin" || text.starts_with("builtin:")) {
      // Beside a shared one it would only be another place to look.
      if (cache.kind != TlsSessionCache::Kind::shared) cache.kind = TlsSessionCache::Kind::builtin;
      if (text == "builtin") continue;
      const Argument number{text.substr(8), argument.position, false};
      const auto sessions = number_argument(call, number, 1, 0x7fffffff);
      if (!sessions) return;
      cache.sessions = *sessions;
    } else {
      return call.error(argument, "invalid value " + quote(text) +
                                      "; use off, none, builtin[:SESSIONS] or shared:NAME:SIZE");
    }
  }
  call.scope.settings->ssl_session_cache = std::move(cache);
}

void compile_ssl_session_timeout(const Call& call) {
  const auto time = seconds_argument(call, call.arg(0));
  if (time) call.scope.settings->ssl_session_timeout = Duration{*time};
}

void compile_ssl_session_ticket_key(const Call& call) {
  auto file = pem_file(call);
  if (!file || !*file) return;
  if (!tls::TicketKeys::parse(*file->text)) {
    return wrong(call, *file,
                 "it must have 80 or 48 bytes, not " + std::to_string(file->text->size()) +
                     "; make it with openssl rand 80");
  }
  auto& list = call.scope.settings->ssl_session_ticket_key;
  if (!list) list.emplace();
  list->push_back(std::move(*file));
}

void compile_ssl_buffer_size(const Call& call) {
  const auto size = size_argument(call, call.arg(0));
  if (!size) return;
  if (*size == 0) return call.error(call.arg(0), "a buffer must have a size");
  call.scope.settings->ssl_buffer_size = *size;
}

void compile_ssl_handshake_timeout(const Call& call) {
  if (const auto time = time_argument(call, call.arg(0))) {
    call.scope.settings->ssl_handshake_timeout = std::optional<Duration>(*time);
  }
}

void compile_ssl_client_certificate(const Call& call) {
  set_certificates(call, call.scope.settings->ssl_client_certificate);
}
void compile_ssl_trusted_certificate(const Call& call) {
  set_certificates(call, call.scope.settings->ssl_trusted_certificate);
}
void compile_ssl_crl(const Call& call) { set_crl(call, call.scope.settings->ssl_crl); }

void compile_ssl_stapling_file(const Call& call) {
  auto file = call.compiler.secret(call, call.arg(0));
  if (!file) return;
  std::string error;
  if (*file && tls::Staple::parse(*file->text, error) == nullptr) return wrong(call, *file, error);
  call.scope.settings->ssl_stapling_file = std::move(*file);
}

void compile_ssl_stapling_responder(const Call& call) {
  const auto& url = call.arg(0).text;
  constexpr std::string_view kScheme = "http://";
  const bool fine = url.starts_with(kScheme) && url.size() > kScheme.size() &&
                    std::string_view("/:?#").find(url[kScheme.size()]) == std::string::npos &&
                    url.find_first_of(" \t\r\n@") == std::string::npos;
  if (!fine) {
    return call.error(call.arg(0), "invalid URL " + quote(url) +
                                       "; a responder of OCSP is at http://HOST[:PORT][/PATH]");
  }
  call.scope.settings->ssl_stapling_responder = url;
}

// ---- peers

void set_peer_ciphers(const Call& call, std::optional<std::string>& setting) {
  set_ciphers(call, Side::client, setting);
}
void add_peer_command(const Call& call, std::optional<std::vector<TlsCommand>>& setting) {
  add_command(call, Side::client, setting);
}

}  // namespace weir::config
