// A pool: the peers of an upstream and the choice among them, bit for bit as nginx (round robin,
// ip_hash, hash, least_conn, random, least_time). Decisions take `now` and do no I/O.
//
// Any worker may call; one short lock a pool makes round robin, failures and max_conns exact for
// the whole process, as nginx's `zone` does. With one worker the lock is never contended.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/spin_lock.h"
#include "config/model.h"
#include "upstream/hash.h"
#include "upstream/hash_ring.h"
#include "upstream/ip_hash.h"
#include "upstream/least_time.h"
#include "upstream/outcome.h"
#include "upstream/peer.h"
#include "upstream/peer_list.h"
#include "upstream/random.h"

namespace weir::upstream {

// Why a peer was chosen, or why none was: one table for logs, metrics and $upstream_reason.
enum class Reason : std::uint8_t {
  round_robin,    // "rr"
  hash,           // "hash": by the address or by a key
  hash_fallback,  // "hash-fallback": more than 20 misses
  least_conn,     // "least_conn"
  random,         // "random"
  least_time,     // "least_time"
  only_peer,      // "single"
  backup,         // "backup"
  sticky,         // "sticky": the client is bound to it
  fail_open,      // "fail-open": none is live, but that does not count
  none_live,      // "no-live"
};
[[nodiscard]] const char* to_string(Reason reason);

// The walk of one request over a pool: what was tried, and where the hash stands.
// Reused from request to request; reset() keeps memory.
class Walk {
 public:
  // `client`: the address after real_ip; its bytes are the key of ip_hash.
  void reset(const IpAddress& client);
  // To be called, once a request, where the method is `hash`: the key, to be filled.
  [[nodiscard]] std::string& begin_key() { return hash_.begin(); }
  // To be called where the method is `random`: the draws follow from it.
  void seed(std::uint64_t seed) { random_.seed(seed); }
  // The client is bound to the peer with this PeerSpec::sid; empty: to none.
  void bind(std::string_view sid) { sid_.assign(sid); }

 private:
  friend class Pool;
  IpHashWalk ip_hash_;
  HashWalk hash_;
  RandomWalk random_;
  Misses misses_;
  LeastTime::Start start_;  // of the attempt in progress
  TriedSet tried_;          // of the primaries, or of the backups once these are in use
  TriedSet tried_anyway_;   // by index in Pool::peers(): pick_anyway()
  std::string sid_;
  bool backups_ = false;  // the primaries are exhausted
};

class Pool {
 public:
  // Peers with the numbers of their Peer::spec.
  Pool(std::string name, config::Balance balance, std::vector<std::shared_ptr<Peer>> peers);
  // Weir's own rules.
  struct Rules {
    config::EjectConfig eject{};
    std::uint32_t load_bound = 0;    // of `hash`, in percent; 0: none
    std::uint32_t retry_budget = 0;  // percent of the requests in progress; 0: no limit
    std::uint32_t retry_least = 0;   // retries that are always allowed
  };
  // The numbers are those of `specs` (one for each peer). `lock` is shared by all generations of a
  // pool: they have peers in common.
  Pool(std::string name, config::Balance balance, std::vector<std::shared_ptr<Peer>> peers,
       std::span<const PeerSpec> specs, std::shared_ptr<SpinLock> lock, const Rules& rules);

  // Hashes go by the slots that peers have in a registry (slot_hash.h). Call it before the first
  // pick().
  void hash_by_slots() { has_slots_ = true; }

  struct Choice {
    Peer* peer = nullptr;     // null: none is live
    std::uint32_t index = 0;  // of the peer in peers()
    Reason reason = Reason::none_live;
    Closed skipped = Closed::no;  // why the peer that it should have been is not the one
  };
  // Chooses a peer and counts a connection on it (Peer::conns); every choice that gives a peer must
  // be followed by exactly one done().
  [[nodiscard]] Choice pick(Walk& walk, TimePoint now);
  // When none is live: the one with the fewest connections of those that this has not given yet,
  // whatever checks and failures say; not one that an operator has taken out.
  [[nodiscard]] Choice pick_anyway(Walk& walk);
  // Whether a request may be tried once more now. True: it counts until end_retry().
  [[nodiscard]] bool begin_retry();
  void end_retry();
  // Ends an attempt: gives back the connection, keeps nginx's failure accounts. How long the peer
  // is ejected for, because of this one's failure; 0: it is not.
  Duration done(Peer& peer, Outcome outcome, TimePoint now);
  // What least_time wants to know of an attempt; nothing for other methods. head_came(): the head
  // of an answer is there and goes to the client, `header` after the choice. took(): before done().
  void head_came(Walk& walk, Peer& peer, Duration header);
  void took(Walk& walk, Peer& peer, const AttemptTimes& times);
  // nginx's number of tries for a request: non-down peers, backups included; at least 1.
  [[nodiscard]] std::uint32_t max_tries() const { return max_tries_; }

  [[nodiscard]] const std::string& name() const { return name_; }
  // In configuration order, backups included where they were written.
  [[nodiscard]] std::span<const std::shared_ptr<Peer>> peers() const { return peers_; }
  [[nodiscard]] config::Balance balance() const { return balance_; }
  // Whether a Walk needs a seed.
  [[nodiscard]] bool is_random() const { return reason_ == Reason::random; }
  // Keeps new requests from peers()[index], or lets them go to it again: then its slow_start
  // begins. Once it returns no pick of any generation of the pool sees what was before. Control
  // thread.
  void hold(std::uint32_t index, Hold hold, TimePoint now);
  // Peers that would get a request now (not down, healthy, not banned, below max_conns).
  [[nodiscard]] std::uint32_t live(TimePoint now) const;
  // A peer's failure account and what follows from it, all of one moment. For status pages.
  struct Account {
    std::uint32_t fails = 0;
    std::int64_t checked = 0;            // whole seconds of the clock
    std::int64_t accessed = 0;           // the same
    bool banned = false;                 // gets no request because of its failures
    bool ejected = false;                // the same, by `eject`
    Duration ejected_for{0};             // from now on
    std::uint32_t share = Ramp::kWhole;  // of its weight, in thousandths: slow_start
  };
  [[nodiscard]] Account account(std::uint32_t index, TimePoint now) const;
  // The numbers this generation of the pool uses for peers()[index].
  [[nodiscard]] const PeerNumbers& numbers(std::uint32_t index) const;
  // What binds clients to it: PeerSpec::sid.
  [[nodiscard]] const std::string& sid(std::uint32_t index) const;

  // Whom pick() would choose for `walk`, which is only looked at, and what it would look at.
  struct Explained {
    Reason reason = Reason::none_live;
    Closed skipped = Closed::no;  // why the peer that it should have been is not the one
    bool by_slots = false;        // `score` is what counts
    bool has_peer = false;
    std::uint32_t index = 0;   // in peers()
    std::vector<Named> named;  // by the hash or the draw, in order; `slot` is an index in peers()
    std::uint64_t total_weight = 0;  // of the primaries
    std::size_t ring_points = 0;     // of `hash consistent`
    struct Seen {
      std::string why_not;  // empty: it is chosen
      PeerNumbers numbers;
      std::uint64_t first_point = 0;  // of as many as its weight, below total_weight
      std::int64_t effective_weight = 0;
      std::int64_t current_weight = 0;  // before this turn
      std::uint32_t conns = 0;
      double score = 0;               // how much the key likes it
      std::uint64_t header_time = 0;  // ms
      std::uint64_t response_time = 0;
    };
    std::vector<Seen> peers;  // as peers()
  };
  [[nodiscard]] Explained explain(const Walk& walk, TimePoint now) const;

 private:
  Pool(const Pool&) = default;
  // With peers of its own, in the same state.
  [[nodiscard]] std::unique_ptr<Pool> copy() const;
  void add(const PeerSpec& spec, std::uint32_t index);
  void build_ring(std::span<const PeerSpec> specs);
  Choice take(const PeerSlot& slot, Reason reason);
  PeerSlot* take_bound(PeerList& list, Walk& walk, std::int64_t now) const;
  Duration count_for_ejection(const PeerSlot& slot, Outcome outcome, TimePoint now);
  [[nodiscard]] bool takes_times() const;
  // What a request is hashed by where peers are chosen by their slots.
  [[nodiscard]] std::optional<std::uint64_t> slot_key_of(const Walk& walk) const;
  void count_for_ban(Peer& peer, Outcome outcome, TimePoint now);
  PeerSlot* choose_at_once(Walk& walk, std::int64_t now);
  Choice pick_locked(Walk& walk, std::int64_t seconds, TimePoint now);
  PeerSlot* choose_by_slot(Walk& walk, PeerList& list, std::int64_t now);
  template <class Choose>
  Choice pick_from_lists(Walk& walk, std::int64_t now, Reason reason, const Choose& choose);
  Choice pick_in_turn(Walk& walk, std::int64_t now, Reason reason);
  const PeerSlot* find(const Peer& peer) const;

  std::string name_;
  config::Balance balance_;
  Reason reason_;  // of a choice by the method itself
  std::vector<std::shared_ptr<Peer>> peers_;
  std::shared_ptr<SpinLock> lock_;
  PeerList primaries_;
  PeerList backups_;
  HashRing ring_;  // of the primaries
  bool has_slots_ = false;
  LeastTime least_time_;
  Rules rules_;
  std::uint32_t max_tries_ = 1;
  std::uint32_t retrying_ = 0;  // pool lock
};

}  // namespace weir::upstream
