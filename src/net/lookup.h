// One name being asked about: a coroutine with sockets of its own, and the callers that wait for
// it. The Resolver that starts it owns it; its thread only.
//
// Each look-up draws ids and source ports anew, one socket a server asked, so what reaches it is
// matched by server, port, id and question. A server that stays silent for `resend` is followed by
// the next one; late replies of earlier ones still count. A truncated reply is fetched by TCP.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "net/dns_answer.h"
#include "net/loop.h"
#include "net/random.h"
#include "net/resolver_stats.h"
#include "net/task.h"

namespace weir::net {

// What decides how a name is looked up; the same for all look-ups of a resolver.
struct LookupRules {
  std::vector<IpAddress> servers;  // with ports; not empty
  Duration valid{0};               // instead of the lifetime that answers have; 0: theirs,
  Duration least{0};               // brought into this range
  Duration most{Duration::max()};
  bool ipv4 = true;
  bool ipv6 = true;
  Duration resend{std::chrono::seconds{5}};
  // As the C library does: a server that fails or refuses sends the question on to the next one,
  // and addresses of one family count though the other's question failed. nginx does neither.
  bool tolerant = false;
};

enum class LookupKind : std::uint8_t { addresses, services };

class Lookup {
 public:
  // A caller that waits. Leaves by itself when it goes out of scope.
  class Ticket {
   public:
    explicit Ticket(Waiter& waiter) : waiter_(waiter) {}
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    // Null until the look-up has ended; then its waiter is notified.
    [[nodiscard]] const AnswerPtr& answer() const { return answer_; }

   private:
    friend class Lookup;
    Waiter& waiter_;
    Lookup* lookup_ = nullptr;  // null: not waiting
    std::list<Ticket*>::iterator place_{};
    AnswerPtr answer_;
  };

  struct Context {
    Loop& loop;
    ResolverStats& stats;
    Log* log;  // null: none
    const Random& random;
    // Called once, at the end, before the callers are told: with the answer, or null when nobody
    // waits any more and the server is silent. The look-up must live until the next turn.
    std::function<void(Lookup&, const AnswerPtr&)> done;
  };
  // `first`: index of the server to begin with.
  Lookup(const Context& context, std::shared_ptr<const LookupRules> rules, LookupKind kind,
         std::string name, std::size_t first);
  // Whoever still waits gets ResolveError::cancelled.
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  void start();
  void join(Ticket& ticket);
  [[nodiscard]] bool awaited() const { return !tickets_.empty(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] LookupKind kind() const { return kind_; }

 private:
  struct Question {
    dns::Type type{};
    std::uint16_t id = 0;
    bool tcp = false;
    bool answered = false;
    dns::Reply reply;
  };
  // A server, as this look-up talks to it.
  struct Channel {
    explicit Channel(const IpAddress& where) : server(where) {}
    const IpAddress& server;
    Descriptor udp;
    Descriptor tcp;
    std::string tcp_out;  // not sent yet
    std::string tcp_in;   // not a whole message yet
    int messages = 0;     // received
  };

  Task<void> run();
  void ask();
  void send_udp(Channel& channel, const Question& question);
  void send_tcp(Channel& channel, const Question& question);
  void flush_tcp(Channel& channel);
  void read_all();
  void read_udp(Channel& channel);
  void read_tcp(Channel& channel);
  void give_up_udp(Channel& channel);
  void take(Channel& channel, std::string_view message, bool tcp);
  void take_code(Channel& channel, Question& question, dns::Reply& reply);
  void useless(Channel& channel, const char* why, bool tcp);
  void failed(Channel& channel, Descriptor& socket, const char* call, int error);
  bool move_on(const Channel& channel);
  [[nodiscard]] bool complete() const;
  [[nodiscard]] AnswerPtr conclude();
  std::uint32_t collect(Answer& answer);
  void deliver(const AnswerPtr& answer);
  void note(const Channel& channel, std::string_view what);

  Context context_;
  std::shared_ptr<const LookupRules> rules_;
  LookupKind kind_;
  std::string name_;
  std::list<Ticket*> tickets_;
  std::vector<Question> questions_;
  Waiter waiter_;
  std::vector<std::unique_ptr<Channel>> channels_;  // by server; null: not asked yet
  std::size_t server_;                              // the one asked last
  std::size_t moves_left_;                          // to further servers without waiting for one
  bool next_server_ = false;
  bool noted_ = false;  // one line in the log is enough
  TimePoint resend_at_{};
  std::optional<Task<void>> task_;  // the last member: it goes first, with what it holds
};

}  // namespace weir::net
