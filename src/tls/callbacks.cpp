#include "tls/callbacks.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <string_view>

#include "tls/connection.h"
#include "tls/openssl.h"
#include "tls/session_cache.h"
#include "tls/staple.h"
#include "tls/ticket_keys.h"

namespace weir::tls {
namespace {

Connection* connection_of(const SSL* ssl) {
  return static_cast<Connection*>(SSL_get_app_data(ssl));
}

std::int64_t now() { return static_cast<std::int64_t>(std::time(nullptr)); }

// ---- SNI
// -------------------------------------------------------------------------------------------

// The name in the extension (RFC 6066 section 3), in the form that hosts are compared in; empty:
// none, or no name that a host could have.
std::string read_server_name(const unsigned char* bytes, std::size_t size) {
  constexpr std::size_t kBefore = 5;  // two lengths and a type
  if (size <= kBefore || bytes[2] != TLSEXT_NAMETYPE_host_name) return {};
  const auto length = static_cast<std::size_t>(bytes[3]) << 8 | bytes[4];
  if (length > size - kBefore || length > TLSEXT_MAXLEN_host_name) return {};
  std::string name(reinterpret_cast<const char*>(bytes + kBefore), length);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    if (c <= ' ' || c == '/' || c == '\x7f') return {};
  }
  if (name.ends_with('.')) name.pop_back();
  return name;
}

// The one protocol of ALPN that is offered is that of challenges (RFC 8737 section 3).
bool asks_for_challenge(SSL* ssl) {
  constexpr std::size_t kBefore = 3;  // two lengths
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &bytes,
                                &size) != 1 ||
      size != kBefore + Challenges::kProtocol.size()) {
    return false;
  }
  return std::equal(Challenges::kProtocol.begin(), Challenges::kProtocol.end(), bytes + kBefore);
}

int on_client_hello(SSL* ssl, int* alert, void*) {
  auto* connection = connection_of(ssl);
  if (connection == nullptr) return SSL_CLIENT_HELLO_SUCCESS;
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) == 1) {
    connection->server_name = read_server_name(bytes, size);
  }
  if (asks_for_challenge(ssl) && connection->challenges != nullptr) {
    connection->context = connection->challenges->certificate(connection->server_name);
    if (connection->context == nullptr) {
      connection->context = connection->first;
      connection->refusal = "an ACME server asks for a name that is not being ordered: \"" +
                            connection->server_name + "\"";
      *alert = SSL_AD_UNRECOGNIZED_NAME;
      return SSL_CLIENT_HELLO_ERROR;
    }
    connection->challenge = true;
    connection->context->take_over(ssl, connection->server_name);
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  if (connection->choose != nullptr) {
    auto chosen = connection->choose(connection->chooser, connection->server_name);
    if (chosen != nullptr) connection->context = std::move(chosen);
  }
  if (connection->context->rejects()) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (connection->context->awaits_certificate() && !connection->context->has_certificate()) {
    connection->refusal =
        "there is no certificate yet: it was ordered by acme_certificate, and has not come";
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
  connection->context->take_over(ssl, connection->server_name);
  return SSL_CLIENT_HELLO_SUCCESS;
}

// The name has been taken already: what is left is to say so (RFC 6066 section 3).
int on_server_name(SSL* ssl, int*, void*) {
  const auto* connection = connection_of(ssl);
  const bool named = connection != nullptr && !connection->server_name.empty();
  return named ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

// ---- ALPN (RFC 7301)
// ------------------------------------------------------------------------------

int on_protocols(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                 const unsigned char* offered, unsigned size, void*) {
  const auto* connection = connection_of(ssl);
  if (connection != nullptr && connection->challenge) {
    *out = offered + 1;  // it was the only one
    *out_size = offered[0];
    return SSL_TLSEXT_ERR_OK;
  }
  static constexpr unsigned char kSpoken[] = "\x02h2\x08http/1.1\x08http/1.0\x08http/0.9";
  constexpr unsigned kHttp2 = 3;  // bytes of the first one
  const unsigned skip = connection != nullptr && connection->http2 ? 0 : kHttp2;
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kSpoken + skip, sizeof kSpoken - 1 - skip, offered,
                            size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// ---- what comes after the handshake
// ---------------------------------------------------------------

void on_message(int written, int, int type, const void*, std::size_t, SSL* ssl, void*) {
  if (written != 0 || type != SSL3_RT_HANDSHAKE) return;
  auto* connection = connection_of(ssl);
  if (connection == nullptr || !connection->established) return;
  if (++connection->messages > Connection::kMostMessages) connection->abused = true;
}

// ---- caches of sessions
// ---------------------------------------------------------------------------

int cache_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
int keys_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Of the context that the connection came to: SNI may have led it elsewhere.
SessionCache* cache_of(SSL* ssl) {
  const auto* connection = connection_of(ssl);
  auto* ctx = connection != nullptr ? connection->first->native() : SSL_get_SSL_CTX(ssl);
  return static_cast<SessionCache*>(SSL_CTX_get_ex_data(ctx, cache_index()));
}

std::string_view id_of(const SSL_SESSION* session) {
  unsigned size = 0;
  const auto* id = SSL_SESSION_get_id(session, &size);
  return {reinterpret_cast<const char*>(id), size};
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* cache = cache_of(ssl);
  const int size = i2d_SSL_SESSION(session, nullptr);
  constexpr int kMost = 8 * 1024;  // with a client's certificate
  if (cache == nullptr || size <= 0 || size > kMost) return 0;
  std::string bytes(static_cast<std::size_t>(size), '\0');
  auto* to = reinterpret_cast<unsigned char*>(bytes.data());
  i2d_SSL_SESSION(session, &to);
  const auto expires =
      static_cast<std::int64_t>(SSL_SESSION_get_time(session)) + SSL_SESSION_get_timeout(session);
  cache->put(id_of(session), std::move(bytes), expires);
  return 0;
}

SSL_SESSION* on_get_session(SSL* ssl, const unsigned char* id, int size, int* copy) {
  *copy = 0;
  auto* cache = cache_of(ssl);
  if (cache == nullptr || size <= 0) return nullptr;
  const auto bytes =
      cache->get({reinterpret_cast<const char*>(id), static_cast<std::size_t>(size)}, now());
  if (bytes.empty()) return nullptr;
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  return d2i_SSL_SESSION(nullptr, &from, static_cast<long>(bytes.size()));
}

void on_remove_session(SSL_CTX* ctx, SSL_SESSION* session) {
  auto* cache = static_cast<SessionCache*>(SSL_CTX_get_ex_data(ctx, cache_index()));
  if (cache != nullptr) cache->drop(id_of(session));
}

int on_client_session(SSL* ssl, SSL_SESSION* session) {
  const auto* connection = connection_of(ssl);
  if (connection != nullptr) connection->context->keep_session(connection->peer, session);
  return 0;
}

// ---- stapling
// -------------------------------------------------------------------------------------

int on_status(SSL* ssl, void* argument) {
  const auto staple = static_cast<const Context*>(argument)->staple_for(ssl, now());
  if (staple == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const auto& der = staple->der();
  void* copy = OPENSSL_memdup(der.data(), der.size());
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(der.size()));
  return SSL_TLSEXT_ERR_OK;
}

// ---- tickets
// ---------------------------------------------------------------------------------------

bool set_hmac(EVP_MAC_CTX* mac, const TicketKeys::Key& key) {
  const std::size_t size = key.short_aes ? 16 : 32;
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                        const_cast<unsigned char*>(key.hmac.data()), size),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// Looked up once: OpenSSL 3 searches for an algorithm each time that it is named.
const EVP_CIPHER* cipher_of(const TicketKeys::Key& key) {
  using Owner = std::unique_ptr<EVP_CIPHER, Freer<EVP_CIPHER_free>>;
  static const Owner short_one(EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr));
  static const Owner long_one(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr));
  return key.short_aes ? short_one.get() : long_one.get();
}

// 1: go on; 2: go on, and give the client a new ticket; 0: no such key; -1: an error.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, int seal) {
  const auto* connection = connection_of(ssl);
  auto* ctx = connection != nullptr ? connection->first->native() : SSL_get_SSL_CTX(ssl);
  auto* keys = static_cast<TicketKeys*>(SSL_CTX_get_ex_data(ctx, keys_index()));
  if (keys == nullptr) return 0;
  bool first = true;
  const auto key = seal == 1 ? keys->sealing(now()) : keys->opening(name, now(), first);
  if (!key) return seal == 1 ? -1 : 0;
  const auto* aes = cipher_of(*key);
  if (seal == 1) {
    std::copy(key->name.begin(), key->name.end(), name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
        EVP_EncryptInit_ex(cipher, aes, nullptr, key->aes.data(), iv) != 1 ||
        !set_hmac(mac, *key)) {
      return -1;
    }
    return 1;
  }
  if (!set_hmac(mac, *key) || EVP_DecryptInit_ex(cipher, aes, nullptr, key->aes.data(), iv) != 1) {
    return -1;
  }
  // A ticket of TLS 1.3 is for one use: a new one follows in any case.
  return first && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

}  // namespace

void set_server_callbacks(ssl_ctx_st* ctx) {
  SSL_CTX_set_client_hello_cb(ctx, on_client_hello, nullptr);
  SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
  SSL_CTX_set_alpn_select_cb(ctx, on_protocols, nullptr);
  SSL_CTX_set_msg_callback(ctx, on_message);
}

void set_cache_callbacks(ssl_ctx_st* ctx, SessionCache* cache) {
  SSL_CTX_set_ex_data(ctx, cache_index(), cache);
  SSL_CTX_sess_set_new_cb(ctx, on_new_session);
  SSL_CTX_sess_set_get_cb(ctx, on_get_session);
  SSL_CTX_sess_set_remove_cb(ctx, on_remove_session);
}

void set_ticket_callback(ssl_ctx_st* ctx, TicketKeys* keys) {
  SSL_CTX_set_ex_data(ctx, keys_index(), keys);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}

void set_staple_callback(ssl_ctx_st* ctx, const Context* context) {
  SSL_CTX_set_tlsext_status_arg(ctx, const_cast<Context*>(context));
  SSL_CTX_set_tlsext_status_cb(ctx, on_status);
}

void set_client_session_callback(ssl_ctx_st* ctx) {
  SSL_CTX_sess_set_new_cb(ctx, on_client_session);
}

int go_on_verified(int, x509_store_ctx_st*) { return 1; }

}  // namespace weir::tls
