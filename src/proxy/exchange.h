// An exchange: one request of a client and its answer. Exchange::run names every phase in order.
//
// Belongs to its worker, which keeps finished ones for reuse: their memory stays, so that a
// request allocates nothing in the steady state. Pins the runtime it began with.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "http/head.h"
#include "net/loop.h"
#include "net/task.h"
#include "proxy/request_body.h"
#include "proxy/routes.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "upstream/pool.h"
#include "upstream/tries.h"

namespace weir::proxy {

class Attempt;

// Where an exchange is. The second letter of the end code.
enum class Phase : std::uint8_t {
  head,     // H reading the request head
  route,    // R choosing server and location
  body,     // B reading the request body ahead of the peer
  balance,  // Q choosing a peer
  connect,  // C connecting to it
  send,     // S sending the request and waiting for the answer's head
  answer,   // A passing on the answer, or writing one of weir's own
  tunnel,   // T upgraded connection
  done,     // - it ended as it should
};

// What one attempt looked like.
struct AttemptRecord {
  const upstream::Peer* peer = nullptr;
  std::uint32_t peer_index = 0;
  upstream::Reason reason{};
  Error error;
  std::uint16_t status = 0;  // as logged: the peer's, or 502/504 for failures
  Duration connect{-1};      // -1: did not come to it
  Duration header{-1};
  Duration response{-1};
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t body = 0;
};

class Exchange {
 public:
  explicit Exchange(Worker& worker) : worker_(worker) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Reads one request, answers it, logs it.
  net::Task<Session::Afterwards> run(Session& session);

  // ---- what variables and logs are made of ----
  [[nodiscard]] Session& session() const { return *session_; }
  [[nodiscard]] Worker& worker() const { return worker_; }
  [[nodiscard]] const Runtime& runtime() const { return pin_->get(); }
  [[nodiscard]] const http::RequestHead& request() const { return request_; }
  [[nodiscard]] bool has_request() const { return has_request_; }
  [[nodiscard]] std::string_view raw_head() const { return head_bytes_; }
  [[nodiscard]] const http::ResponseHead* response() const {
    return has_response_ ? &response_ : nullptr;
  }
  [[nodiscard]] const IpAddress& client() const { return client_address_; }
  // Its text, as $remote_addr.
  [[nodiscard]] std::string_view client_text();
  [[nodiscard]] std::string_view path() const { return path_; }
  [[nodiscard]] std::string_view args() const { return request_.query_text(); }
  [[nodiscard]] std::string_view host() const { return host_; }  // lower case, without port
  [[nodiscard]] const ServerNode& server() const { return *server_; }
  [[nodiscard]] const LocationNode& location() const { return *location_; }
  [[nodiscard]] const ListenNode& listen() const { return *listen_; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] std::uint64_t body_bytes_sent() const {
    return bytes_sent_ > answer_head_size_ ? bytes_sent_ - answer_head_size_ : 0;
  }
  [[nodiscard]] std::uint64_t request_length() const { return request_.size + body_.received(); }
  [[nodiscard]] TimePoint began() const { return began_; }
  [[nodiscard]] const RequestBody& body() const { return body_; }
  [[nodiscard]] const std::vector<AttemptRecord>& attempts() const { return attempts_; }
  [[nodiscard]] std::string_view pool_name() const;
  [[nodiscard]] std::string_view request_id();
  [[nodiscard]] bool pipelined() const { return pipelined_; }
  [[nodiscard]] Error error() const { return error_; }
  // Two letters: who ended it (C client, P peer, W weir, - nobody) and in which phase.
  [[nodiscard]] std::array<char, 2> end_code() const;
  // Group `index` of the last regular expression that matched, or a named one of any.
  [[nodiscard]] std::string_view capture(std::uint32_t index) const;
  [[nodiscard]] std::string_view named_capture(std::string_view name) const;
  // The value of map `index`, worked out once a request.
  [[nodiscard]] const std::string& map_value(std::uint32_t index);
  // $proxy_host of a proxy_pass with variables.
  [[nodiscard]] std::string_view dynamic_host() const { return dynamic_host_; }
  [[nodiscard]] std::string_view dynamic_uri() const { return dynamic_uri_; }
  [[nodiscard]] bool dynamic_has_uri() const { return dynamic_has_uri_; }
  // Path and query of an absolute-form target, as an origin-form one would have them.
  [[nodiscard]] std::string_view origin_form();
  // Appends `path`; if it begins with '/', behind scheme, host and port, as nginx's
  // absolute_redirect.
  void append_absolute(std::string& out, std::string_view path) const;
  // Fields of the answer that weir itself wrote, for $sent_http_*: the whole head.
  [[nodiscard]] std::string_view sent_head() const { return sent_head_; }

 private:
  friend class Attempt;
  friend class ResponseRelay;

  // ---- phases, in the order of run() ----
  void begin(Session& session);
  net::Task<Error> read_head();
  void apply_real_ip();
  Error match();
  net::Task<void> answer_return();
  net::Task<void> answer_slash();
  net::Task<void> proxy();
  net::Task<void> finish_body();
  void finish();
  void count();
  void write_access_logs();
  void remember_match(const config::Regex& regex, std::string_view subject);
  Error begin_body();

  // Enters a phase; time spent is told apart by these stamps.
  void enter(Phase phase) { phase_ = phase; }

  // ---- pieces of proxy() ----
  net::Task<Error> read_body_ahead();
  [[nodiscard]] bool choose_pool();
  net::Task<Error> send_continue();
  void begin_tries();
  // Passes on the answer of `attempt`, or tunnels. Ok: it went as it should.
  net::Task<Error> deliver(Attempt& attempt);
  net::Task<Error> tunnel(Attempt& attempt);
  void end_attempt(upstream::Peer& peer, upstream::Outcome outcome, bool again);
  void log_attempt(const AttemptRecord& record, bool again);
  void discard_answer();
  // Below the least rate that a body may come at, after its first seconds.
  [[nodiscard]] bool body_too_slow() const;

  // ---- answers of weir's own ----
  net::Task<void> respond(int status, std::string_view body, std::string_view content_type,
                          std::string_view location);
  net::Task<void> respond_error(int status);
  net::Task<void> respond_for(Error error);
  // Writes all of `bytes` to the client.
  net::Task<Error> send_to_client(std::string_view bytes);
  void decide_keep_alive();

  void fail(Error error) {
    if (error_.ok()) {
      error_ = error;
      failed_in_ = phase_;
    }
  }
  [[nodiscard]] bool client_gone() const;
  [[nodiscard]] const config::RequestConfig& config() const { return location_->config().request; }

  Worker& worker_;
  Session* session_ = nullptr;
  RuntimePin pin_;
  const ListenNode* listen_ = nullptr;
  const ServerNode* server_ = nullptr;
  const LocationNode* location_ = nullptr;

  Phase phase_ = Phase::head;
  Phase failed_in_ = Phase::done;
  Error error_;
  TimePoint began_;

  std::string head_bytes_;  // the request head and what came with it
  http::RequestHead request_;
  bool has_request_ = false;
  bool pipelined_ = false;
  IpAddress client_address_;
  char client_text_[48];
  std::uint8_t client_text_size_ = 0;  // 0: not written yet
  std::string path_;
  std::string host_;
  // Regular expressions that matched, the last one last; only the first match_count_ are valid.
  struct RegexMatch {
    const config::Regex* regex = nullptr;
    std::string subject;
    config::Regex::Captures captures;
  };
  std::vector<RegexMatch> matches_;
  std::size_t match_count_ = 0;
  config::Regex::Captures captures_;  // for the search of the moment
  RequestBody body_;
  bool continue_sent_ = false;
  Duration body_waited_{0};  // for the client's bytes
  int map_depth_ = 0;
  char request_id_[32];
  bool has_request_id_ = false;
  std::vector<std::optional<std::string>> map_values_;

  upstream::Walk walk_;
  upstream::Tries tries_;
  std::vector<AttemptRecord> attempts_;
  const PoolNode* pool_ = nullptr;
  IdleConnections* idle_ = nullptr;  // of pool_, in this worker
  std::string target_;               // of a proxy_pass with variables
  std::string origin_form_;
  std::string dynamic_host_;  // $proxy_host of a target with variables
  std::string dynamic_uri_;
  bool dynamic_has_uri_ = false;

  std::string response_bytes_;  // the answer's head
  http::ResponseHead response_;
  bool has_response_ = false;

  int status_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t answer_head_size_ = 0;
  std::string sent_head_;
  bool keep_alive_ = false;
  bool add_slash_ = false;   // the path wants a slash at its end
  bool must_close_ = false;  // the next request could not be told from what is still coming
  bool buffer_body_ = false;
  bool reset_ = false;  // the answer was cut short, and must look so
  bool linger_ = false;
};

}  // namespace weir::proxy
