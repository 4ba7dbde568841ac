// An exchange: one request of a client and its answer. Exchange::run names every phase in order.
// A subrequest (auth_request, mirror, add_before_body, ...) is an exchange with a parent.
//
// Belongs to its worker, which keeps finished ones for reuse: their memory stays, so that a
// request allocates nothing in the steady state. Pins the runtime it began with.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/limit_conn.h"
#include "base/address.h"
#include "base/error.h"
#include "content/ranges.h"
#include "http/head.h"
#include "net/loop.h"
#include "net/task.h"
#include "proxy/affinity.h"
#include "proxy/answer.h"
#include "proxy/body_filter.h"
#include "proxy/exchange_types.h"
#include "proxy/files.h"
#include "proxy/refusal.h"
#include "proxy/relay_options.h"
#include "proxy/request_body.h"
#include "proxy/routes.h"
#include "proxy/sender.h"
#include "proxy/session.h"
#include "proxy/ssi_page.h"
#include "proxy/trace.h"
#include "proxy/user_variables.h"
#include "proxy/worker.h"
#include "upstream/pool.h"
#include "upstream/tries.h"

namespace weir::proxy {

class Attempt;
struct Explanation;
class RetryLease;
class StoredFile;

class Exchange {
 public:
  explicit Exchange(Worker& worker) : worker_(worker) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Reads one request, answers it, logs it.
  net::Task<Session::Afterwards> run(Session& session);
  // Runs as a subrequest of `parent`; afterwards status() and response() tell how it went.
  net::Task<void> run_below(Exchange& parent, const Subrequest& subrequest);
  // Gives back what the request held.
  void release();

  // ---- what variables and logs are made of ----
  [[nodiscard]] Session& session() const { return *session_; }
  [[nodiscard]] Worker& worker() const { return worker_; }
  [[nodiscard]] const Runtime& runtime() const { return pin_->get(); }
  [[nodiscard]] Exchange& main() { return *main_; }
  [[nodiscard]] const Exchange& main() const { return *main_; }
  [[nodiscard]] bool is_main() const { return main_ == this; }
  [[nodiscard]] const http::RequestHead& request() const { return main_->request_; }
  [[nodiscard]] bool has_request() const { return main_->has_request_; }
  [[nodiscard]] std::string_view raw_head() const { return main_->head_bytes_; }
  // The last answer's head that a peer gave.
  [[nodiscard]] const http::ResponseHead* response() const {
    return has_response_ ? &response_ : nullptr;
  }
  [[nodiscard]] const std::string& response_trailers() const { return response_trailers_; }
  [[nodiscard]] const IpAddress& client_address() const { return main_->client_address_; }
  // Its text, as $remote_addr.
  [[nodiscard]] std::string_view client_text();
  [[nodiscard]] std::string_view method_text() const { return method_text_; }
  [[nodiscard]] http::Method method() const { return method_; }
  [[nodiscard]] std::string_view path() const { return path_; }  // normalised, as rewritten
  [[nodiscard]] std::string_view args() const { return args_; }
  [[nodiscard]] std::string_view host() const { return main_->host_; }  // lower case, no port
  [[nodiscard]] const ServerNode& server() const { return *server_; }
  [[nodiscard]] const LocationNode& location() const { return *location_; }
  [[nodiscard]] const ListenNode& listen() const { return *listen_; }
  [[nodiscard]] const config::RequestConfig& config() const { return location_->config().request; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] std::uint64_t body_bytes_sent() const {
    return bytes_sent_ > answer_head_size_ ? bytes_sent_ - answer_head_size_ : 0;
  }
  [[nodiscard]] std::uint64_t request_length() const {
    return request_.size - mended_ + body_.received();
  }
  [[nodiscard]] TimePoint began() const { return began_; }
  [[nodiscard]] const RequestBody& body() const { return body_; }
  [[nodiscard]] const std::vector<AttemptRecord>& attempts() const { return attempts_; }
  // How long it waited for a peer; none: it did not.
  [[nodiscard]] const std::optional<Duration>& queued() const { return queued_; }
  [[nodiscard]] const Affinity& affinity() const { return affinity_; }
  [[nodiscard]] std::string_view pool_name() const;
  [[nodiscard]] std::string_view request_id();
  [[nodiscard]] bool pipelined() const { return pipelined_; }
  [[nodiscard]] Error error() const { return error_; }
  [[nodiscard]] bool completed() const { return completed_; }
  [[nodiscard]] const Sender& sender() const { return main_->sender_; }
  [[nodiscard]] EndCode end_code() const { return {end_cause(error_.what), failed_in_}; }
  // Group `index` of the last regular expression that matched.
  [[nodiscard]] std::string_view capture(std::uint32_t index) const;
  // Whether `pattern` matches; its groups are then $1 ..., and its named ones are assigned.
  bool match(const config::Pattern& pattern, std::string_view subject);
  // Variables that the configuration makes; shared with subrequests.
  [[nodiscard]] UserVariables& variables() { return main_->variables_; }
  // Sets a variable: one of the configuration's, $args or $limit_rate.
  void assign(const config::VariableRef& variable, std::string_view text);
  // $proxy_host of a proxy_pass with variables.
  [[nodiscard]] std::string_view dynamic_host() const { return dynamic_host_; }
  [[nodiscard]] std::string_view dynamic_uri() const { return dynamic_uri_; }
  [[nodiscard]] bool dynamic_has_uri() const { return dynamic_has_uri_; }
  // Path and query of an absolute-form target, as an origin-form one would have them.
  [[nodiscard]] std::string_view origin_form();
  // The path is what the client sent: nothing has rewritten it.
  [[nodiscard]] bool untouched_path() const { return untouched_path_; }
  // The location's prefix still stands for the beginning of the path (no `rewrite ... break`).
  [[nodiscard]] bool valid_location() const { return valid_location_; }
  [[nodiscard]] bool internal() const { return internal_; }
  // The client's path had escapes or a plus.
  [[nodiscard]] bool quoted_path() const { return main_->quoted_path_; }
  // Appends `path`; if it begins with '/', behind scheme, host and port, as nginx's
  // absolute_redirect has it.
  void append_absolute(std::string& out, std::string_view path);
  // Fields of the answer that weir itself wrote, for $sent_http_*: the whole head.
  [[nodiscard]] std::string_view sent_head() const { return main_->sent_head_; }
  [[nodiscard]] std::string_view sent_trailers() const { return main_->sent_trailers_; }
  // The fields of that name of the answer's head, as it is now.
  void append_sent_field(std::string_view name, std::string& out);
  [[nodiscard]] bool compressed() const { return main_->compressed_; }
  // $limit_rate, $invalid_referer, $secure_link and $secure_link_expires.
  void append_rate(std::string& out);
  [[nodiscard]] bool has_valid_referer();
  void append_secure_link(std::string& out, bool expires);
  // The head that a peer gave last, an informational one as well.
  [[nodiscard]] const http::ResponseHead* hint() const { return &response_; }
  [[nodiscard]] std::string_view server_product() const;
  [[nodiscard]] std::string_view limit_req_status() const { return main_->limit_req_status_; }
  [[nodiscard]] std::string_view limit_conn_status() const { return main_->limit_conn_status_; }
  // Of pages with server side includes.
  [[nodiscard]] SsiShared& ssi_shared() const { return *main_->ssi_shared_; }
  [[nodiscard]] std::string_view time_format() const;
  void log(LogLevel level, std::string_view text);
  // The trace of the request, begun if it has none. What is asked of it before the location is
  // known goes by the server's settings.
  [[nodiscard]] RequestTrace& trace();
  // What peers are told of it; null: nothing.
  [[nodiscard]] const RequestTrace* injected_trace() const {
    return main_->trace_ != nullptr && main_->trace_->inject ? main_->trace_.get() : nullptr;
  }
  // That of the location, or of the process.
  [[nodiscard]] Log& error_log() const {
    const auto& own = location_->tools().log;
    return own != nullptr ? *own : worker_.log();
  }

 private:
  friend class Attempt;
  friend class ResponseRelay;
  friend class Rewriter;

  // ---- phases, in the order of run() ----
  void begin(Session& session);
  void reset_request();
  net::Task<Error> read_head();
  Error choose_server();
  // What is wrong with the client's TLS, as a status; 0: nothing.
  [[nodiscard]] int check_tls();
  net::Task<void> process(Step step);
  net::Task<Step> serve(Step step);
  Step locate();
  Step enter_location();
  net::Task<Step> admit();
  [[nodiscard]] std::string challenge_answer() const;
  net::Task<Step> content();
  net::Task<void> finish_body();
  void finish();
  void count();
  void write_access_logs();
  // ---- traces (exchange_trace.cpp) ----
  void begin_trace();
  void export_spans();

  // Enters a phase; time spent is told apart by these stamps.
  void enter(Phase phase) { phase_ = phase; }

  // ---- routing (exchange_route.cpp) ----
  void apply_real_ip(const config::RequestConfig& config);
  // Another path, looked for anew; the rules of the server come first.
  Step redirect_to(std::string_view path, std::string_view args);
  Step redirect_to_named(std::string_view name);
  // The page or location that `error_page` has for the status, or the answer itself.
  net::Task<Step> answer_status(int status);
  Step find_error_page(int status);
  [[nodiscard]] bool has_error_page(int status) const;
  void remember_match(const config::Pattern& pattern, std::string_view subject);

  // ---- limits and access (exchange_access.cpp) ----
  struct Access {
    enum class Verdict : std::uint8_t { undecided, allowed, refused } verdict = Verdict::undecided;
    int status = 0;  // refused
  };
  net::Task<Step> limit_rates();
  Step limit_connections();
  net::Task<Step> check_access();
  Access check_address();
  Access check_password();
  net::Task<Access> check_subrequest();
  void copy_challenge(const Exchange& sub);
  net::Task<Step> refuse(int status);

  // ---- files (exchange_files.cpp) ----
  Step try_files();
  net::Task<Step> serve_files();
  net::Task<Step> serve_file();
  net::Task<Step> serve_coded(std::string path, std::size_t root_size);
  Step find_index();
  Step random_index();
  net::Task<Step> list_directory();
  net::Task<Step> send_file(const UniqueFd& file, const struct stat& info, bool ranges = true);
  net::Task<Error> send_file_body(const UniqueFd& file, std::uint64_t size);
  net::Task<Error> send_file_part(const UniqueFd& file, std::uint64_t begin, std::uint64_t end);
  int file_error(const char* call, const std::string& path, int error);
  [[nodiscard]] std::string slash_redirect() const;

  // ---- peers (exchange_proxy.cpp, exchange_deliver.cpp) ----
  net::Task<Step> proxy();
  net::Task<Step> choose_pool();
  net::Task<Step> make_pool();
  // ---- explaining, in place of all that follows the choice of a peer (exchange_explain.cpp) ----
  [[nodiscard]] LocationNode::Trail* trail();
  void note(std::string_view text);
  Step explain_pick();
  Step explain_answer();
  void end_explanation();

  [[nodiscard]] bool in_maintenance();
  net::Task<Step> answer_maintenance();
  void begin_tries();
  void begin_walk();
  // One more attempt is recorded; with no peer in it, none is left.
  upstream::Pool::Choice pick_peer(bool first);
  upstream::Pool::Choice pick_or_fail_open();
  // The pool has a queue, and there is time left to wait in it.
  [[nodiscard]] bool queues() const;
  // `tried`: all there are at this moment.
  net::Task<upstream::Pool::Choice> wait_for_peer(bool tried);
  // Goes on with the peers that the pool has now.
  void follow_pool();
  Step none_left(AttemptRecord& record);
  net::Task<Refusal> look_for_refusal(Attempt& attempt);
  net::Task<bool> wait_for_budget(RetryLease& lease, Attempt& attempt, bool answered);
  Error start_body(bool buffered);
  net::Task<Step> read_request_body();
  net::Task<Error> read_body_ahead();
  [[nodiscard]] http::Framing outgoing_body() const;
  [[nodiscard]] bool sends_body() const;
  // Below the least rate that a body may come at, after its first seconds.
  [[nodiscard]] bool body_too_slow() const;
  net::Task<Error> send_continue();
  void end_attempt(upstream::Peer& peer, upstream::Outcome outcome, bool again);
  void log_attempt(const AttemptRecord& record, bool again);
  void discard_answer();
  // Passes on the answer of `attempt`, tunnels, or turns to another location.
  struct Delivered {
    Error error;
    Step step;
  };
  net::Task<Delivered> deliver(Attempt& attempt);
  Step obey_peer();
  Step accelerate(std::string_view to);
  Step begin_peer_answer(RelayOptions& options);
  Step begin_direct(RelayOptions& options);
  net::Task<Error> tunnel(Attempt& attempt);
  net::Task<void> end_tunnel();
  [[nodiscard]] bool means_tunnel(int status) const;
  [[nodiscard]] bool stores() const;
  void store(StoredFile& file);

  // ---- the head of an answer (exchange_filters.cpp) ----
  Step filter_head(bool from_peer);
  Step filter_preconditions();
  void filter_expires();
  [[nodiscard]] bool filter_added_headers();
  void filter_gunzip();
  void filter_substitutions();
  void filter_charset();
  void filter_ssi();
  void filter_compression();
  Step filter_ranges();
  [[nodiscard]] bool may_compress() const;
  [[nodiscard]] bool accepts_coding(std::string_view name) const;
  [[nodiscard]] std::string_view accept_encoding() const;

  // ---- answers (exchange_answer.cpp) ----
  // Filters the head of answer_, decides how the body goes, and gives the head to the sender. For
  // a subrequest only its filters are made.
  Step begin_answer(bool from_peer);
  void begin_sending();
  void end_head(std::string& out);
  void decide_keep_alive();
  void check_browser();
  void set_content_type();
  [[nodiscard]] Sender::Options sender_options();
  void append_trailers(std::string& out);
  Error feed(char* data, std::size_t size, std::size_t room);
  // Sends `text` as the whole body of the answer that begin_answer() began.
  net::Task<Error> send_body(std::string_view text);
  // Waits until the client has taken all but `most` bytes.
  net::Task<Error> drain_sender(std::size_t most);
  net::Task<Error> wait_for_client();
  net::Task<Error> surround(const std::string& uri);
  // After the last of the body's own bytes; `filtered`: the filters have been told of the end.
  net::Task<Error> end_body(bool filtered);
  net::Task<Error> finish_answer();
  Step end_of_answer(Error error);
  Step give_up(Error error);
  // Writes all of `bytes` to the client, beside the sender.
  net::Task<Error> send_to_client(std::string_view bytes);
  net::Task<Step> answer_text(int status, std::string_view body, std::string_view content_type);
  net::Task<Step> answer_page(int status);
  net::Task<Step> stub_status();
  net::Task<Step> empty_gif();

  // ---- pages with server side includes (exchange_ssi.cpp) ----
  class SsiParts;
  [[nodiscard]] bool renders() const { return ssi_ != nullptr && has_body_; }
  // Makes the page that has been collected into the body of the answer.
  net::Task<Error> render();
  bool may_include(const SsiInclude& include);
  // Sends `text`, and empties it.
  net::Task<Error> send_part(std::string& text);
  net::Task<void> answer_stub(const std::string& text);
  // Of a subrequest whose body is part of this answer.
  [[nodiscard]] static Error part_error(const Exchange& sub);
  static constexpr int kMaxDepth = 50;  // of subrequests in subrequests

  // ---- subrequests beside this exchange ----
  net::Task<Step> start_mirrors();
  net::Task<void> run_mirror(const std::string& uri);
  net::Task<void> join_background();

  [[nodiscard]] net::Waiter& waiter() { return *waiter_; }
  [[nodiscard]] net::Descriptor& client() { return session_->client(); }
  // Where the waiter of this exchange hears of the client's going.
  [[nodiscard]] net::Waiter*& client_slot();
  // Where this exchange's body goes; null: nowhere.
  [[nodiscard]] Sender* body_sender() { return sink_; }
  void fail(Error error) {
    if (error_.ok()) {
      error_ = error;
      failed_in_ = phase_;
    }
  }
  [[nodiscard]] bool client_gone() const;
  // The same while a peer is at work, when its end alone may tell that it has left.
  [[nodiscard]] bool client_left() const;

  Worker& worker_;
  Session* session_ = nullptr;
  net::Waiter* waiter_ = nullptr;
  Exchange* main_ = this;
  Exchange* parent_ = nullptr;
  Explanation* explanation_ = nullptr;  // not null: it only explains where it would go
  RuntimePin pin_;
  const ListenNode* listen_ = nullptr;
  const ServerNode* server_ = nullptr;
  const LocationNode* location_ = nullptr;

  Phase phase_ = Phase::head;
  Phase failed_in_ = Phase::done;
  Error error_;
  TimePoint began_;

  // ---- the request ----
  std::string head_bytes_;  // the request head and what came with it
  http::RequestHead request_;
  std::uint64_t mended_ = 0;  // bytes that line ends of its head were completed with
  bool has_request_ = false;
  bool pipelined_ = false;
  IpAddress client_address_;
  char client_text_[48];
  std::uint8_t client_text_size_ = 0;  // 0: not written yet
  http::Method method_ = http::Method::get;
  std::string_view method_text_;
  std::string path_;
  std::string args_;
  std::string host_;
  RequestBody body_;
  bool continue_sent_ = false;
  Duration body_waited_{0};  // for the client's bytes
  char request_id_[32];
  bool has_request_id_ = false;

  // ---- its way through the configuration ----
  bool untouched_path_ = true;
  bool valid_location_ = true;
  bool internal_ = false;
  bool quoted_path_ = false;
  bool in_error_page_ = false;
  bool dropped_body_ = false;  // the body was refused: it is no part of the request any more
  int redirects_left_ = 0;
  int error_status_ = 0;  // what the answer is sent with, whatever its own status; 0: its own
  bool real_ip_applied_ = false;
  bool limited_rate_ = false;  // once a request
  bool limited_connections_ = false;
  bool add_path_to_alias_ = false;
  int depth_ = 0;           // of subrequests
  Sender* sink_ = nullptr;  // of the body
  bool in_memory_ = false;
  const std::string* stub_ = nullptr;
  std::string_view limit_req_status_;
  std::string_view limit_conn_status_;
  access::ConnectionLeases connection_leases_;
  UserVariables variables_;
  // The subject and groups of the last regular expression that matched.
  std::string match_subject_;
  std::unique_ptr<RequestTrace> trace_;  // main only; null: nobody has asked
  config::Regex::Captures captures_;
  config::Regex::Captures search_captures_;  // for the search of the moment

  // ---- peers ----
  upstream::Walk walk_;
  upstream::Tries tries_;
  Affinity affinity_;
  std::optional<Duration> queued_;
  Duration queue_spent_{0};  // of what the pool's queue allows
  std::vector<AttemptRecord> attempts_;
  const PoolNode* pool_ = nullptr;
  IdleConnections* idle_ = nullptr;  // of pool_, in this worker
  std::string target_;               // of a proxy_pass with variables
  std::string origin_form_;
  // Pools that were made for targets with variables, and generations whose peers came while it
  // waited for one: attempts_ points into them.
  std::vector<DynamicPools::EntryPtr> dynamic_;
  std::vector<RuntimePin> later_pins_;
  std::string dynamic_host_;  // $proxy_host of a target with variables
  std::string dynamic_uri_;
  bool dynamic_has_uri_ = false;
  bool peer_tls_ = false;       // peers are spoken to in TLS
  std::string set_body_;        // proxy_set_body
  std::string response_bytes_;  // the answer's head
  http::ResponseHead response_;
  bool has_response_ = false;
  std::string response_trailers_;

  // ---- the answer ----
  Answer answer_;
  std::string return_text_;
  FilterChain filters_;
  Sender sender_;                          // main only
  std::optional<std::string> limit_rate_;  // set $limit_rate, X-Accel-Limit-Rate
  std::optional<bool> buffering_;          // X-Accel-Buffering
  std::optional<std::string> accel_charset_;
  int status_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t answer_head_size_ = 0;
  std::string sent_head_;
  std::string sent_trailers_;
  bool answer_begun_ = false;
  bool completed_ = false;
  bool keep_alive_ = false;
  bool must_close_ = false;  // the next request could not be told from what is still coming
  bool buffer_body_ = false;
  bool reset_ = false;  // the answer was cut short, and must look so
  bool linger_ = false;
  std::vector<content::ByteRange> ranges_;  // of the body; empty: all of it
  std::optional<content::Multipart> multipart_;
  std::unique_ptr<BodyFilter> compressor_;
  std::unique_ptr<SsiPage> ssi_;           // this answer is one
  std::unique_ptr<SsiShared> ssi_shared_;  // main only
  bool compressed_ = false;
  bool has_body_ = false;          // the answer
  bool raw_ = false;               // its chunks pass as the peer made them
  bool pass_trailers_ = false;     // the peer's
  bool own_end_ = false;           // something comes after the body's bytes: trailers, a part
  bool add_surroundings_ = false;  // add_before_body, add_after_body
  bool vary_on_encoding_ = false;
  std::uint32_t background_ = 0;  // subrequests that run beside it
  net::Waiter* join_ = nullptr;   // who waits for them
  bool mirrored_ = false;
};

}  // namespace weir::proxy
