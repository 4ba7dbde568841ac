// What a TCP connection of stream and a session of UDP have in common: whose it is, which server
// serves it, whether it may, which peer it is for, what is logged of it. Worker thread; frees
// itself when it has ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/limit_conn.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/proxy_header.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/task.h"
#include "proxy/exchange_types.h"
#include "proxy/guest.h"
#include "proxy/proxied_addresses.h"
#include "proxy/user_variables.h"
#include "proxy/worker.h"
#include "tls/client_hello.h"
#include "upstream/tries.h"

namespace weir::stream {

// nginx's statuses of sessions.
enum Status : int {
  kGoesOn = 0,
  kOk = 200,
  kBadRequest = 400,
  kForbidden = 403,
  kInternalError = 500,
  kBadGateway = 502,
  kUnavailable = 503,
};

class Session : public proxy::Guest, public proxy::UserVariables::Owner {
 public:
  struct Origin {
    const std::string& listen_text;  // outlives the session
    IpAddress peer;
    IpAddress local;  // that it came to
    std::uint64_t id = 0;
    bool udp = false;
  };
  // The worker's runtime must have the address of `origin`.
  Session(proxy::Worker& worker, const Origin& origin);

  void cancel() override { waiter_.cancel(); }
  [[nodiscard]] bool is_of(std::uint64_t generation) const override;

  // ---- what variables are about
  [[nodiscard]] const proxy::Runtime& runtime() const override { return pin_->get(); }
  void evaluate(const config::Value& value, std::string& out) override;
  bool match(const config::Pattern& pattern, std::string_view subject) override;
  [[nodiscard]] IpAddress client_address() const override { return client_address_; }
  [[nodiscard]] std::vector<std::string_view> forwarded() const override { return {}; }
  void used_before_set(const std::string& name) override;

  [[nodiscard]] proxy::Worker& worker() const { return worker_; }
  [[nodiscard]] const Origin& origin() const { return origin_; }
  [[nodiscard]] const config::Listen& listen() const { return *listen_.listen; }
  [[nodiscard]] const proxy::ProxiedAddresses* proxied() const { return proxied_.get(); }
  [[nodiscard]] const std::vector<proxy::AttemptRecord>& attempts() const { return attempts_; }
  [[nodiscard]] std::string_view pool_name() const;
  [[nodiscard]] const tls::ClientHello& hello() const { return hello_; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::string_view limit_status() const { return limit_status_; }
  [[nodiscard]] std::string_view capture(std::size_t group) const;
  [[nodiscard]] proxy::UserVariables& variables() { return variables_; }
  // Of the client; null: its bytes are not decrypted here.
  [[nodiscard]] virtual const net::TlsStream* tls() const { return nullptr; }
  [[nodiscard]] Duration age() const { return worker_.loop().now() - opened_; }

  // "TEXT, client: A, server: B[, upstream: ...], bytes ..." to the log of the server.
  void log(LogLevel level, std::string_view text) const;

 protected:
  [[nodiscard]] const config::StreamServer& config() const { return *listen_.node->config; }
  [[nodiscard]] const config::RequestConfig& request() const { return listen_.node->request(); }
  [[nodiscard]] net::Waiter& waiter() { return waiter_; }
  [[nodiscard]] proxy::AttemptRecord& attempt() { return attempts_.back(); }
  [[nodiscard]] std::string text_of(const config::Value& value);
  // Bytes a second of `proxy_upload_rate` and its like; 0: no limit.
  [[nodiscard]] std::uint64_t rate_of(const config::Value& value);

  // Who the client is, `set`, limits and access: kGoesOn, or the status that it ends with.
  [[nodiscard]] int admit();
  // Finds the pool of proxy_pass: kGoesOn, or a status.
  [[nodiscard]] net::Task<int> choose_pool();
  // `proxy_protocol` of the pool's upstream.
  [[nodiscard]] ProxyProtocol upstream_proxy_protocol() const;
  void begin_tries();
  // The next peer: attempt() is about it. Null: none is left.
  [[nodiscard]] upstream::Peer* pick();
  // `proxy_bind`, `proxy_socket_keepalive`. An error: the address is none.
  [[nodiscard]] Error connect_options(net::ConnectOptions& options);
  // Ends attempt(). True: another peer is to be tried.
  [[nodiscard]] bool try_again(Error error);
  // The peer is connected, or its first byte has come: for least_time.
  void peer_connected();
  void peer_answered(std::uint64_t bytes);
  // Ends attempt() of a peer that was connected to.
  void end_attempt(upstream::Outcome outcome);
  // Access log, counters: once, at the end.
  void finish(int status);

  // What has gone to the client and has come from it.
  void count_sent(std::uint64_t bytes) {
    sent_ += bytes;
    stats_.bytes_out.add(bytes);
  }
  void count_received(std::uint64_t bytes) {
    received_ += bytes;
    stats_.bytes_in.add(bytes);
  }

  std::unique_ptr<proxy::ProxiedAddresses> proxied_;
  tls::ClientHello hello_;

 private:
  void apply_real_ip();
  int limit_connections();
  [[nodiscard]] net::Task<int> make_pool(std::string_view target);
  void settle(upstream::Outcome outcome, bool again);
  [[nodiscard]] upstream::Peer* peer_of(const proxy::AttemptRecord& record) const;
  void write_access_logs();
  [[nodiscard]] Log& error_log() const;

  proxy::Worker& worker_;
  proxy::RuntimePin pin_;
  Origin origin_;
  proxy::StreamListen listen_;
  proxy::StreamStats& stats_;  // of listen_
  net::Waiter waiter_;
  TimePoint opened_;
  IpAddress client_address_;
  proxy::UserVariables variables_;
  config::Regex::Captures captures_;
  std::string captured_;  // the subject they are of
  access::ConnectionLeases leases_;
  std::string_view limit_status_;
  const proxy::PoolNode* pool_ = nullptr;
  proxy::DynamicPools::EntryPtr dynamic_;  // holds pool_, if it was made for the session
  upstream::Walk walk_;
  upstream::Tries tries_;
  std::vector<proxy::AttemptRecord> attempts_;
  TimePoint attempt_began_{};
  const char* retry_ = nullptr;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  int status_ = 0;
};

}  // namespace weir::stream
