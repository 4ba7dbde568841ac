#include "tls/context.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>

#include "tls/asked_staple.h"
#include "tls/callbacks.h"
#include "tls/openssl.h"
#include "tls/pem.h"
#include "tls/session_cache.h"
#include "tls/staple.h"
#include "tls/ticket_keys.h"

namespace weir::tls {
namespace {

constexpr std::size_t kLeastRecord = 512;
constexpr std::size_t kMostRecord = 16 * 1024;

// Looked up once: OpenSSL 3 searches for an algorithm each time that it is named.
std::string sha256(std::string_view bytes) {
  static const std::unique_ptr<EVP_MD, Freer<EVP_MD_free>> digest(
      EVP_MD_fetch(nullptr, "SHA256", nullptr));
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
             digest.get(), nullptr);
  return out;
}

std::string fingerprint(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), bytes.data(), &size);
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

// Clients have been told of an authority of that name already.
bool announces(const SSL_CTX* ctx, X509* certificate) {
  const auto* names = SSL_CTX_get_client_CA_list(ctx);
  for (int i = 0; i < sk_X509_NAME_num(names); ++i) {
    const auto* name = sk_X509_NAME_value(names, i);
    if (X509_NAME_cmp(name, X509_get_subject_name(certificate)) == 0) return true;
  }
  return false;
}

int verify_mode(Verify verify) { return verify == Verify::off ? SSL_VERIFY_NONE : SSL_VERIFY_PEER; }

std::string validity_warning(X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    return "the certificate has expired (" + time_text(X509_get0_notAfter(certificate)) +
           "); get a new one";
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    return "the certificate is not valid before " + time_text(X509_get0_notBefore(certificate));
  }
  return {};
}

}  // namespace

Context::Context(Side side)
    : ctx_(SSL_CTX_new(side == Side::server ? TLS_server_method() : TLS_client_method())),
      side_(side) {
  if (ctx_ == nullptr) throw std::bad_alloc();
  SSL_CTX_set_mode(ctx_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                             SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_options(
      ctx_, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_ALL | SSL_OP_NO_SSLv3);
  SSL_CTX_set_read_ahead(ctx_, 1);
  if (side == Side::server) {
    set_server_callbacks(ctx_);
    SSL_CTX_set_session_cache_mode(ctx_, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
  } else {
    SSL_CTX_set_session_cache_mode(ctx_, SSL_SESS_CACHE_OFF);
  }
}

Context::~Context() {
  for (auto& [peer, session] : sessions_) SSL_SESSION_free(session);
  SSL_CTX_free(ctx_);
}

// ---- certificates
// ----------------------------------------------------------------------------------

Context::PairResult Context::add_pair(std::string_view certificate, std::string_view key,
                                      std::span<const std::string> passwords) {
  PairResult result;
  auto chain = read_certificates(certificate, result.certificate_error);
  if (chain.empty()) return result;
  if (SSL_CTX_use_certificate(ctx_, chain[0].get()) != 1) {
    result.certificate_error = take_error("the certificate cannot be used");
    return result;
  }
  SSL_CTX_clear_chain_certs(ctx_);
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(ctx_, chain[i].get()) == 1) continue;
    result.certificate_error =
        "a certificate of the chain cannot be used: " + take_error("it is damaged");
    return result;
  }
  const auto own = read_key(key, passwords, result.key_error);
  if (own == nullptr) return result;
  if (X509_check_private_key(chain[0].get(), own.get()) != 1) {
    ERR_clear_error();
    result.key_error = "the key does not belong to the certificate";
    return result;
  }
  if (SSL_CTX_use_PrivateKey(ctx_, own.get()) != 1) {
    result.key_error = take_error("the key cannot be used");
    return result;
  }
  ++pairs_;
  note(fingerprint(chain[0].get()));
  result.warning = validity_warning(chain[0].get());
  return result;
}

std::string Context::trust(std::string_view pem, bool announced) {
  std::string error;
  const auto certificates = read_certificates(pem, error);
  if (certificates.empty()) return error;
  auto* store = SSL_CTX_get_cert_store(ctx_);
  for (const auto& certificate : certificates) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return take_error("it cannot be used");
    if (announced && !announces(ctx_, certificate.get()) &&
        SSL_CTX_add_client_CA(ctx_, certificate.get()) != 1) {
      return take_error("it cannot be used");
    }
    note(fingerprint(certificate.get()));
  }
  return {};
}

std::string Context::use_crl(std::string_view pem) {
  std::string error;
  const auto lists = read_crls(pem, error);
  if (lists.empty()) return error;
  auto* store = SSL_CTX_get_cert_store(ctx_);
  for (const auto& list : lists) {
    if (X509_STORE_add_crl(store, list.get()) != 1) return take_error("it cannot be used");
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  note(sha256(pem));
  return {};
}

std::string Context::use_staple(std::string_view der, bool verified) {
  std::string error;
  auto staple = Staple::parse(der, error);
  if (staple == nullptr) return error;
  if (!staple->covers(ctx_)) return "the answer is for another certificate";
  if (verified) error = staple->verify(ctx_);
  if (!error.empty()) return error;
  staple_ = std::move(staple);
  set_staple_callback(ctx_, this);
  return {};
}

void Context::use_staple(std::shared_ptr<const AskedStaple> asked) {
  asked_staples_.push_back(std::move(asked));
  set_staple_callback(ctx_, this);
}

std::shared_ptr<const Staple> Context::staple_for(ssl_st* ssl, std::int64_t now) const {
  if (staple_ != nullptr) return staple_->serves(ssl, now) ? staple_ : nullptr;
  for (const auto& asked : asked_staples_) {
    auto staple = asked->present();
    if (staple != nullptr && staple->serves(ssl, now)) return staple;
  }
  return nullptr;
}

void Context::use_verify(Verify verify, std::uint32_t depth) {
  verify_ = verify;
  depth_ = depth;
  // A server asks for a certificate, and says after the handshake, in HTTP, what is wrong with it.
  SSL_CTX_set_verify(ctx_, verify_mode(verify), side_ == Side::server ? go_on_verified : nullptr);
  SSL_CTX_set_verify_depth(ctx_, static_cast<int>(depth));
  note("verify " + std::to_string(static_cast<int>(verify)) + " " + std::to_string(depth));
}

// ---- versions and ciphers
// --------------------------------------------------------------------------

std::string Context::use_versions(std::uint32_t versions) {
  static constexpr std::array<std::pair<Version, int>, 4> kAll = {{{tls1_0, TLS1_VERSION},
                                                                   {tls1_1, TLS1_1_VERSION},
                                                                   {tls1_2, TLS1_2_VERSION},
                                                                   {tls1_3, TLS1_3_VERSION}}};
  static constexpr std::array<std::uint64_t, 4> kOff = {SSL_OP_NO_TLSv1, SSL_OP_NO_TLSv1_1,
                                                        SSL_OP_NO_TLSv1_2, SSL_OP_NO_TLSv1_3};
  std::uint64_t off = 0;
  for (std::size_t i = 0; i < kAll.size(); ++i) {
    if ((versions & kAll[i].first) == 0) {
      off |= kOff[i];
      continue;
    }
    if (least_version_ == 0) least_version_ = kAll[i].second;
    greatest_version_ = kAll[i].second;
  }
  if (least_version_ == 0) return "there is no version left";
  SSL_CTX_clear_options(ctx_, kOff[0] | kOff[1] | kOff[2] | kOff[3]);
  SSL_CTX_set_options(ctx_, off);
  SSL_CTX_set_min_proto_version(ctx_, least_version_);
  SSL_CTX_set_max_proto_version(ctx_, greatest_version_);
  return {};
}

std::string Context::use_ciphers(const std::string& list) {
  ERR_clear_error();
  if (SSL_CTX_set_cipher_list(ctx_, list.c_str()) == 1) return {};
  return take_error("no cipher matches");
}

std::string Context::use_groups(const std::string& list) {
  if (list == "auto") return {};
  ERR_clear_error();
  if (SSL_CTX_set1_groups_list(ctx_, list.c_str()) == 1) return {};
  return take_error("no such curve");
}

std::string Context::use_dh_parameters(std::string_view pem) {
  std::string error;
  auto parameters = read_dh_parameters(pem, error);
  if (parameters == nullptr) return error;
  if (SSL_CTX_set0_tmp_dh_pkey(ctx_, parameters.get()) != 1) {
    return take_error("they cannot be used");
  }
  static_cast<void>(parameters.release());  // the context's now
  return {};
}

std::string Context::use_command(const std::string& name, const std::string& value) {
  struct Free {
    void operator()(SSL_CONF_CTX* conf) const { SSL_CONF_CTX_free(conf); }
  };
  ERR_clear_error();
  const std::unique_ptr<SSL_CONF_CTX, Free> conf(SSL_CONF_CTX_new());
  SSL_CONF_CTX_set_flags(conf.get(),
                         SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SHOW_ERRORS |
                             (side_ == Side::server ? SSL_CONF_FLAG_SERVER : SSL_CONF_FLAG_CLIENT));
  SSL_CONF_CTX_set_ssl_ctx(conf.get(), ctx_);
  if (SSL_CONF_cmd_value_type(conf.get(), name.c_str()) == SSL_CONF_TYPE_FILE ||
      SSL_CONF_cmd_value_type(conf.get(), name.c_str()) == SSL_CONF_TYPE_DIR) {
    return "names files, which are not read this way; use the directive for them";
  }
  const int done = SSL_CONF_cmd(conf.get(), name.c_str(), value.c_str());
  if (done == -2) return "there is no such command";
  if (done <= 0) return take_error("the value does not fit");
  if (SSL_CONF_CTX_finish(conf.get()) != 1) return take_error("the value does not fit");
  if (const auto least = SSL_CTX_get_min_proto_version(ctx_); least != 0) {
    least_version_ = static_cast<int>(least);
  }
  if (const auto most = SSL_CTX_get_max_proto_version(ctx_); most != 0) {
    greatest_version_ = static_cast<int>(most);
  }
  note(name + " " + value);
  return {};
}

void Context::prefer_own_ciphers() { SSL_CTX_set_options(ctx_, SSL_OP_CIPHER_SERVER_PREFERENCE); }

void Context::use_record_size(std::uint64_t size) {
  record_size_ =
      static_cast<std::size_t>(std::clamp<std::uint64_t>(size, kLeastRecord, kMostRecord));
  SSL_CTX_set_max_send_fragment(ctx_, record_size_);
}

// ---- sessions
// --------------------------------------------------------------------------------------

void Context::use_session_timeout(std::chrono::seconds timeout) {
  SSL_CTX_set_timeout(ctx_, static_cast<long>(timeout.count()));
}

void Context::use_cache(std::shared_ptr<SessionCache> cache) {
  cache_ = std::move(cache);
  SSL_CTX_set_session_cache_mode(ctx_, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
  set_cache_callbacks(ctx_, cache_.get());
}

void Context::forbid_cache() { SSL_CTX_set_session_cache_mode(ctx_, SSL_SESS_CACHE_OFF); }

void Context::use_own_cache(std::uint32_t sessions) {
  SSL_CTX_set_session_cache_mode(ctx_, SSL_SESS_CACHE_SERVER);
  if (sessions > 0) SSL_CTX_sess_set_cache_size(ctx_, static_cast<long>(sessions));
}

void Context::use_tickets(bool tickets, std::shared_ptr<TicketKeys> keys) {
  keys_ = std::move(keys);
  if (!tickets) {
    SSL_CTX_set_options(ctx_, SSL_OP_NO_TICKET);
    // Without a cache nothing could be found by what a client would bring back.
    const auto mode = SSL_CTX_get_session_cache_mode(ctx_);
    const bool kept = cache_ != nullptr || mode == SSL_SESS_CACHE_SERVER;
    if (!kept) SSL_CTX_set_num_tickets(ctx_, 0);
    return;
  }
  if (keys_ != nullptr) set_ticket_callback(ctx_, keys_.get());
}

void Context::use_session_reuse() {
  reuses_ = true;
  SSL_CTX_set_session_cache_mode(ctx_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  set_client_session_callback(ctx_);
}

void Context::keep_session(const std::string& peer, ssl_session_st* session) const {
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= kMostSessions && !sessions_.contains(peer)) {
    SSL_SESSION_free(sessions_.begin()->second);
    sessions_.erase(sessions_.begin());
  }
  auto& slot = sessions_[peer];
  if (slot != nullptr) SSL_SESSION_free(slot);
  SSL_SESSION_up_ref(session);
  slot = session;
}

void Context::forget_session(const std::string& peer) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return;
  SSL_SESSION_free(found->second);
  sessions_.erase(found);
}

void Context::note(std::string_view what) {
  noted_.append(std::to_string(what.size())).append(":").append(what);
}

void Context::name(std::string_view server) {
  note(server);
  identity_ = sha256(noted_);
}

// ---- connections
// -----------------------------------------------------------------------------------

// Sessions belong to a server and to the name that it was asked for by.
void Context::set_session_id(ssl_st* ssl, std::string_view server_name) const {
  const auto id = server_name.empty() ? identity_ : sha256(identity_ + std::string(server_name));
  SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(id.data()),
                             static_cast<unsigned>(id.size()));
}

void Context::prepare_server(ssl_st* ssl) const {
  SSL_set_accept_state(ssl);
  set_session_id(ssl, {});
}

void Context::take_over(ssl_st* ssl, std::string_view server_name) const {
  if (SSL_get_SSL_CTX(ssl) != ctx_) {
    SSL_set_SSL_CTX(ssl, ctx_);
    SSL_set_verify(ssl, verify_mode(verify_), go_on_verified);
    SSL_set_verify_depth(ssl, static_cast<int>(depth_));
    SSL_clear_options(ssl, SSL_get_options(ssl) & ~SSL_CTX_get_options(ctx_));
    SSL_set_options(ssl, SSL_CTX_get_options(ctx_));
    SSL_set_min_proto_version(ssl, least_version_);
    SSL_set_max_proto_version(ssl, greatest_version_);
    SSL_set_max_send_fragment(ssl, record_size_);
    SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(ctx_));
  }
  set_session_id(ssl, server_name);
}

bool Context::prepare_client(ssl_st* ssl, const std::string& name, bool announce,
                             const std::string& peer) const {
  SSL_set_connect_state(ssl);
  const bool is_address = [&] {
    ASN1_OCTET_STRING* octets = a2i_IPADDRESS(name.c_str());
    ASN1_OCTET_STRING_free(octets);
    return octets != nullptr;
  }();
  ERR_clear_error();
  // Addresses are no names that a server could be asked for by (RFC 6066 section 3).
  if (announce && !name.empty() && !is_address &&
      SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) {
    return false;
  }
  if (verify_ != Verify::off) {
    auto* rules = SSL_get0_param(ssl);
    const int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str())
                               : X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size());
    if (set != 1) return false;
  }
  if (!reuses_) return true;
  const std::lock_guard lock(mutex_);
  if (const auto found = sessions_.find(peer); found != sessions_.end()) {
    SSL_set_session(ssl, found->second);
  }
  return true;
}

}  // namespace weir::tls
