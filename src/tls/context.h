// What the handshakes of one server (or towards the peers of one location) are agreed by:
// certificates, keys, versions, ciphers, who is trusted. Made while a configuration is loaded, by
// one thread; then shared as const by all workers. No I/O: files come as their contents.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;
struct x509_store_st;

namespace weir::tls {

class AskedStaple;
class SessionCache;
class Staple;
class TicketKeys;

// Versions as bits; those of SSL are not spoken.
enum Version : std::uint32_t {
  tls1_0 = 1u << 0,
  tls1_1 = 1u << 1,
  tls1_2 = 1u << 2,
  tls1_3 = 1u << 3,
};

enum class Verify : std::uint8_t {
  off,
  on,              // a certificate must be sent, and be good
  optional,        // one that is sent must be good
  optional_no_ca,  // one may be sent; whoever has issued it
};

class Context {
 public:
  enum class Side : std::uint8_t { server, client };
  explicit Context(Side side);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // ---- making one. Each returns what is wrong; empty: nothing. ----
  // A certificate with its chain, and its key. `warning`: it will not be believed by clients.
  struct PairResult {
    std::string certificate_error;
    std::string key_error;
    std::string warning;  // of the certificate
    [[nodiscard]] bool ok() const { return certificate_error.empty() && key_error.empty(); }
  };
  PairResult add_pair(std::string_view certificate, std::string_view key,
                      std::span<const std::string> passwords);
  std::string use_versions(std::uint32_t versions);
  // OpenSSL's list, as `ssl_ciphers` takes it; of TLS 1.2 and before.
  std::string use_ciphers(const std::string& list);
  // "auto" or names separated by colons.
  std::string use_groups(const std::string& list);
  std::string use_dh_parameters(std::string_view pem);
  // A command of OpenSSL's configuration: SSL_CONF_cmd(3).
  std::string use_command(const std::string& name, const std::string& value);
  void prefer_own_ciphers();
  // Records written are at most this large: 512 bytes to 16 KiB.
  void use_record_size(std::uint64_t size);

  // Authorities that the other side's certificate is checked by. `announced`: clients are told of
  // them, so that they can choose a certificate.
  std::string trust(std::string_view pem, bool announced);
  std::string use_crl(std::string_view pem);
  void use_verify(Verify verify, std::uint32_t depth);

  // An answer of OCSP (DER) that is sent with the certificate as long as it is not too old. To be
  // called when the certificates are there. `verified`: its signature is checked.
  std::string use_staple(std::string_view der, bool verified);
  // One that a responder is asked for; several certificates have one each.
  void use_staple(std::shared_ptr<const AskedStaple> asked);

  // Sessions that are resumed. With neither of these, those that a ticket holds, as long as
  // `use_tickets` does not say no.
  void use_session_timeout(std::chrono::seconds timeout);
  void use_cache(std::shared_ptr<SessionCache> cache);
  void forbid_cache();
  void use_own_cache(std::uint32_t sessions);  // 0: OpenSSL's usual number
  void use_tickets(bool tickets, std::shared_ptr<TicketKeys> keys);
  void use_session_reuse();  // client: sessions are kept and tried again

  // Handshakes for this server are refused.
  void reject_handshakes() { rejects_ = true; }
  // It will have a certificate later, in another context; until then handshakes are refused.
  void await_certificate() { awaits_ = true; }
  // What tells this server from others, besides its certificates: sessions are its own. Call it
  // last.
  void name(std::string_view server);

  // ---- a made one ----
  [[nodiscard]] ssl_ctx_st* native() const { return ctx_; }
  [[nodiscard]] Verify verify() const { return verify_; }
  [[nodiscard]] bool rejects() const { return rejects_; }
  [[nodiscard]] bool awaits_certificate() const { return awaits_; }
  [[nodiscard]] std::size_t record_size() const { return record_size_; }
  [[nodiscard]] bool has_certificate() const { return pairs_ > 0; }
  // 32 bytes: equal for contexts with the same certificates, authorities, rules and name.
  [[nodiscard]] const std::string& identity() const { return identity_; }
  // The answer of OCSP about the certificate that the connection shows, at a time in seconds since
  // the epoch; null: there is none.
  [[nodiscard]] std::shared_ptr<const Staple> staple_for(ssl_st* ssl, std::int64_t now) const;
  // Makes a connection whose handshake has not begun this context's: SNI has named it.
  // `server_name` as the client gave it.
  void take_over(ssl_st* ssl, std::string_view server_name) const;
  // Prepares the server's side of a connection.
  void prepare_server(ssl_st* ssl) const;
  // Prepares the client's side. `name`: of the peer, for SNI if `announce`, and for the check of
  // its certificate. `peer`: where it is, for sessions. False: memory is short.
  bool prepare_client(ssl_st* ssl, const std::string& name, bool announce,
                      const std::string& peer) const;
  // Keeps a session of the peer for the next connection.
  void keep_session(const std::string& peer, ssl_session_st* session) const;
  void forget_session(const std::string& peer) const;

 private:
  void set_session_id(ssl_st* ssl, std::string_view server_name) const;
  void note(std::string_view what);

  ssl_ctx_st* ctx_;
  Side side_;
  Verify verify_ = Verify::off;
  std::uint32_t depth_ = 1;
  std::uint32_t pairs_ = 0;
  int least_version_ = 0;
  int greatest_version_ = 0;
  std::size_t record_size_ = 16 * 1024;
  bool rejects_ = false;
  bool awaits_ = false;
  bool reuses_ = false;
  std::string noted_;  // what identity_ is made of
  std::string identity_;
  std::shared_ptr<SessionCache> cache_;
  std::shared_ptr<const Staple> staple_;
  std::vector<std::shared_ptr<const AskedStaple>> asked_staples_;
  std::shared_ptr<TicketKeys> keys_;
  static constexpr std::size_t kMostSessions = 1000;
  mutable std::mutex mutex_;  // guards sessions_
  mutable std::map<std::string, ssl_session_st*, std::less<>> sessions_;
};

}  // namespace weir::tls
