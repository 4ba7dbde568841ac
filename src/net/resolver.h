// Host names to addresses by DNS, for one worker: an asynchronous stub resolver with a cache.
//
// A Resolver belongs to the thread of its loop. Many callers may wait for the same name: it is
// asked about once. A caller that leaves, by its deadline or a cancelled waiter, disturbs nobody.
// Behaviour is nginx's `resolver`: servers in turn, addresses of both families or an error, answers
// kept for their lifetime or `valid`, failures not kept.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/dns_answer.h"
#include "net/lookup.h"
#include "net/loop.h"
#include "net/name_cache.h"
#include "net/random.h"
#include "net/resolv_conf.h"
#include "net/resolver_stats.h"
#include "net/task.h"

namespace weir::net {

// What a name came to.
struct Resolved {
  ResolveError error = ResolveError::none;
  std::vector<IpAddress> addresses{};  // port 0; in the order to try them in
  // Until when it may be taken as given; an error: when to ask again at the earliest.
  TimePoint valid_until{};
  [[nodiscard]] bool ok() const { return error == ResolveError::none; }
};

struct ResolvedServices {
  ResolveError error = ResolveError::none;
  std::vector<dns::Service> services{};  // lowest priority number first; weights are at least 1
  TimePoint valid_until{};
  [[nodiscard]] bool ok() const { return error == ResolveError::none; }
};

class Resolver {
 public:
  struct Options {
    std::vector<IpAddress> servers;  // with ports; at least one
    Duration valid{0};               // nginx's valid=; 0: as long as the answers say
    bool ipv4 = true;                // one of the two must be
    bool ipv6 = true;
    Duration timeout{std::chrono::seconds{30}};  // nginx's resolver_timeout; see deadline()
    std::size_t cache_entries = 4096;            // of each kind
    std::size_t lookups = 1024;                  // in progress at the same time
  };
  // For nginx's `resolver`. `log` may be null.
  Resolver(Loop& loop, Options options, Random random, Log* log = nullptr);
  // For use without one: as the C library, by /etc/hosts and /etc/resolv.conf with its search list.
  // Files that are missing count as empty. Answers are kept no longer than kMost: where nobody has
  // said how long, a node that has moved must be found again soon.
  static constexpr Duration kLeast = std::chrono::seconds{1};
  static constexpr Duration kMost = std::chrono::seconds{10};
  Resolver(Loop& loop, SystemNames::Files files, Random random, Log* log = nullptr);
  // Who still waits gets ResolveError::cancelled, if its waiter lives.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // The addresses of `name`: a host name, with or without a final dot, or an address (without
  // brackets or with). Suspends in `waiter` until there is an answer or `deadline` has passed. Any
  // other event that the waiter is interested in ends it too, with ResolveError::interrupted.
  // `name` must live until the first suspension.
  //
  // Order as nginx: IPv4 then IPv6, each as received, by a new answer; from the cache both
  // families are turned at random, and the whole list once more.
  [[nodiscard]] Task<Resolved> resolve(std::string_view name, Waiter& waiter, TimePoint deadline);
  // The same without suspending, if it is possible: an address, a name from the cache or the hosts
  // file, or one that nobody can be asked about.
  [[nodiscard]] std::optional<Resolved> known(std::string_view name);

  // SRV (RFC 2782): "http" and "example.com" are asked about as "_http._tcp.example.com"; a service
  // with a dot in it is taken as it is. As for resolve() otherwise.
  [[nodiscard]] Task<ResolvedServices> resolve_service(std::string_view service,
                                                       std::string_view name, Waiter& waiter,
                                                       TimePoint deadline);

  // The last answer for `name` that there was, valid or not, for callers that rather use that than
  // nothing. Error not_found: there is none (any more).
  [[nodiscard]] Resolved last_good(std::string_view name);
  [[nodiscard]] ResolvedServices last_good_service(std::string_view service, std::string_view name);

  // A deadline by the resolver's own time-out, from now on.
  [[nodiscard]] TimePoint deadline() const { return loop_.now() + options_.timeout; }
  [[nodiscard]] const ResolverStats& stats() const { return stats_; }
  [[nodiscard]] std::size_t cached(LookupKind kind) const { return side(kind).cache.size(); }
  [[nodiscard]] std::size_t in_progress() const { return in_progress_; }

 private:
  // What there is of each kind of question.
  struct Side {
    explicit Side(std::size_t entries) : cache(entries) {}
    NameCache cache;
    std::unordered_map<std::string, std::unique_ptr<Lookup>> lookups;
  };
  // From a name along its aliases to what it comes to.
  struct Walk {
    LookupKind kind{};
    std::string asked;  // where it began
    std::string name;   // where it is
    int aliases = 0;
    AnswerPtr answer{};   // the last one; at the end of the walk never an alias
    bool waited = false;  // for that one
    bool asked_nobody = true;
    TimePoint valid_until = TimePoint::max();
  };

  void refresh();
  [[nodiscard]] Side& side(LookupKind kind) { return sides_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const Side& side(LookupKind kind) const {
    return sides_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] std::vector<std::string> candidates(std::string_view name) const;
  [[nodiscard]] std::optional<Resolved> known_address(std::string_view name) const;
  static Walk begin(LookupKind kind, std::string name);
  bool step(Walk& walk, AnswerPtr answer, bool waited);
  bool step_cached(Walk& walk);
  Task<Walk> walk(LookupKind kind, std::string name, Waiter& waiter, TimePoint deadline);
  Task<Walk> walk_candidates(std::vector<std::string> names, Waiter& waiter, TimePoint deadline);
  Task<AnswerPtr> ask(const Walk& walk, Waiter& waiter, TimePoint deadline);
  Lookup* lookup_of(LookupKind kind, const std::string& name);
  bool make_room();
  void ended(Lookup& lookup, const AnswerPtr& answer);
  [[nodiscard]] AnswerPtr failure(ResolveError error) const;
  [[nodiscard]] Resolved to_resolved(const Answer& answer, TimePoint valid_until, bool turn) const;

  Loop& loop_;
  Options options_;
  Random random_;
  Log* log_;
  ResolverStats stats_;
  std::optional<SystemNames> system_;  // empty: nginx's way
  std::shared_ptr<const LookupRules> rules_;
  std::array<Side, 2> sides_;  // by LookupKind
  std::size_t next_server_ = 0;
  std::size_t in_progress_ = 0;
  std::vector<std::unique_ptr<Lookup>> finished_;  // destroyed when none of them can be running
};

}  // namespace weir::net
