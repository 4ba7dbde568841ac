#include "net/resolver.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace weir::net {
namespace {

// nginx's resolver_timeout unless it is set, and the longest that a resolv.conf may ask for.
constexpr Duration kLongestTimeout = std::chrono::seconds{30};
// How long a caller may take it as given that a name has no addresses; as nginx.
constexpr Duration kRetryAfter = std::chrono::seconds{10};

LookupRules rules_of(const Resolver::Options& options) {
  return {.servers = options.servers,
          .valid = options.valid,
          .ipv4 = options.ipv4,
          .ipv6 = options.ipv6};
}

LookupRules rules_of(const SystemNames& system) {
  const auto families = system.families();
  return {.servers = system.resolv_conf().servers,
          .least = Resolver::kLeast,
          .most = Resolver::kMost,
          .ipv4 = families.ipv4,
          .ipv6 = families.ipv6,
          .resend = system.resolv_conf().timeout,
          .tolerant = true};
}

Duration timeout_of(const ResolvConf& conf) {
  return std::min(kLongestTimeout,
                  conf.timeout * conf.attempts * static_cast<int>(conf.servers.size()));
}

std::string service_name(std::string_view service, std::string_view name) {
  std::string result;
  const bool plain = service.find('.') == service.npos;
  if (plain) result.append("_");
  result.append(service).append(plain ? "._tcp." : ".").append(name);
  return result;
}

// `values` from a place in the middle, once round, to `out` from `at` on, which is a ring too.
void put_turned(const std::vector<IpAddress>& values, std::size_t first, std::size_t& at,
                std::vector<IpAddress>& out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[at] = values[(first + i) % values.size()];
    at = (at + 1) % out.size();
  }
}

}  // namespace

Resolver::Resolver(Loop& loop, Options options, Random random, Log* log)
    : loop_(loop),
      options_(std::move(options)),
      random_(std::move(random)),
      log_(log),
      rules_(std::make_shared<LookupRules>(rules_of(options_))),
      sides_{Side(options_.cache_entries), Side(options_.cache_entries)} {
  assert(!options_.servers.empty() && (options_.ipv4 || options_.ipv6));
}

Resolver::Resolver(Loop& loop, SystemNames::Files files, Random random, Log* log)
    : loop_(loop),
      random_(std::move(random)),
      log_(log),
      system_(std::in_place, std::move(files), loop.now()),
      rules_(std::make_shared<LookupRules>(rules_of(*system_))),
      sides_{Side(options_.cache_entries), Side(options_.cache_entries)} {
  options_.timeout = timeout_of(system_->resolv_conf());
}

Resolver::~Resolver() = default;

void Resolver::refresh() {
  if (!system_ || !system_->refresh(loop_.now())) return;
  rules_ = std::make_shared<LookupRules>(rules_of(*system_));
  options_.timeout = timeout_of(system_->resolv_conf());
}

// ---- Entry points
// ----------------------------------------------------------------------------------

Task<Resolved> Resolver::resolve(std::string_view name, Waiter& waiter, TimePoint deadline) {
  if (auto result = known(name)) co_return std::move(*result);
  ResolverStats::count(stats_.names);
  const Walk end = co_await walk_candidates(candidates(name), waiter, deadline);
  // A resolver that has gone leaves nothing behind but this error.
  if (end.answer->error != ResolveError::none) {
    co_return Resolved{end.answer->error, {}, end.answer->valid_until};
  }
  co_return to_resolved(*end.answer, end.valid_until, !end.waited);
}

std::optional<Resolved> Resolver::known(std::string_view name) {
  refresh();
  auto result = known_address(name);
  if (!result) {
    const auto names = candidates(name);
    if (names.empty()) {
      const auto answer = failure(ResolveError::not_found);
      result = Resolved{answer->error, {}, answer->valid_until};
    }
    for (const auto& each : names) {
      Walk walk = begin(LookupKind::addresses, each);
      if (!step_cached(walk) || walk.answer->error != ResolveError::none) continue;
      result = to_resolved(*walk.answer, walk.valid_until, true);
      break;
    }
  }
  if (result) {
    ResolverStats::count(stats_.names);
    ResolverStats::count(stats_.cached);
  }
  return result;
}

Task<ResolvedServices> Resolver::resolve_service(std::string_view service, std::string_view name,
                                                 Waiter& waiter, TimePoint deadline) {
  refresh();
  ResolverStats::count(stats_.services);
  auto asked = dns::normalise(service_name(service, name));
  if (!asked) {
    const auto answer = failure(ResolveError::not_found);
    co_return ResolvedServices{answer->error, {}, answer->valid_until};
  }
  const Walk end = co_await walk(LookupKind::services, std::move(*asked), waiter, deadline);
  if (end.answer->error != ResolveError::none) {
    co_return ResolvedServices{end.answer->error, {}, end.answer->valid_until};
  }
  if (end.asked_nobody) ResolverStats::count(stats_.cached);
  co_return ResolvedServices{ResolveError::none, end.answer->services, end.valid_until};
}

Resolved Resolver::last_good(std::string_view name) {
  if (auto result = known_address(name)) return std::move(*result);
  for (const auto& each : candidates(name)) {
    const auto answer = side(LookupKind::addresses).cache.good(each);
    if (answer != nullptr) return to_resolved(*answer, answer->valid_until, true);
  }
  return {.error = ResolveError::not_found, .valid_until = loop_.now()};
}

ResolvedServices Resolver::last_good_service(std::string_view service, std::string_view name) {
  const auto asked = dns::normalise(service_name(service, name));
  const auto answer = asked ? side(LookupKind::services).cache.good(*asked) : nullptr;
  if (answer == nullptr) return {.error = ResolveError::not_found, .valid_until = loop_.now()};
  return {ResolveError::none, answer->services, answer->valid_until};
}

// ---- From a name to its end
// ------------------------------------------------------------------------

std::vector<std::string> Resolver::candidates(std::string_view name) const {
  if (system_) return system_->candidates(name);
  auto normal = dns::normalise(name);
  if (!normal) return {};
  return {std::move(*normal)};
}

// What needs no DNS: addresses, and the hosts file.
std::optional<Resolved> Resolver::known_address(std::string_view name) const {
  if (const auto literal = IpAddress::parse(name)) {
    return Resolved{ResolveError::none, {*literal}, TimePoint::max()};
  }
  const auto normal = system_ ? dns::normalise(name) : std::nullopt;
  const auto* listed = normal ? system_->find(*normal) : nullptr;
  if (listed == nullptr) return std::nullopt;
  Resolved result{.valid_until = loop_.now() + SystemNames::kLookAgain};
  for (const auto& address : *listed) {
    if (address.is_v4() ? rules_->ipv4 : rules_->ipv6) result.addresses.push_back(address);
  }
  if (result.addresses.empty()) result.error = ResolveError::not_found;
  return result;
}

Resolver::Walk Resolver::begin(LookupKind kind, std::string name) {
  Walk walk;
  walk.kind = kind;
  walk.asked = name;
  walk.name = std::move(name);
  return walk;
}

// Takes the answer for where the walk is. True: the walk has ended.
bool Resolver::step(Walk& walk, AnswerPtr answer, bool waited) {
  walk.answer = std::move(answer);
  walk.waited = waited;
  walk.asked_nobody = walk.asked_nobody && !waited;
  if (walk.answer->error != ResolveError::none) return true;
  walk.valid_until = std::min(walk.valid_until, walk.answer->valid_until);
  if (!walk.answer->alias) {
    if (walk.aliases > 0) side(walk.kind).cache.set_good(walk.asked, walk.answer);
    return true;
  }
  auto next = dns::normalise(*walk.answer->alias);
  if (!next || ++walk.aliases > dns::kMaxAliases) {
    walk.answer = failure(ResolveError::not_found);
    return true;
  }
  walk.name = std::move(*next);
  return false;
}

// Goes on as far as valid answers lead. True: to the end.
bool Resolver::step_cached(Walk& walk) {
  while (auto answer = side(walk.kind).cache.fresh(walk.name, loop_.now())) {
    if (step(walk, std::move(answer), false)) return true;
  }
  return false;
}

Task<Resolver::Walk> Resolver::walk(LookupKind kind, std::string name, Waiter& waiter,
                                    TimePoint deadline) {
  Walk walk = begin(kind, std::move(name));
  while (!step_cached(walk)) {
    auto answer = co_await ask(walk, waiter, deadline);
    if (step(walk, std::move(answer), true)) break;
  }
  co_return walk;
}

// As the C library goes through its search list: a name that does not exist, or whose servers
// fail, leads on to the next; that a server failed is what the caller is told in the end.
Task<Resolver::Walk> Resolver::walk_candidates(std::vector<std::string> names, Waiter& waiter,
                                               TimePoint deadline) {
  Walk worst;
  for (auto& name : names) {
    Walk each = co_await walk(LookupKind::addresses, std::move(name), waiter, deadline);
    const auto error = each.answer->error;
    const bool failed = error == ResolveError::server_failure || error == ResolveError::refused;
    if (!failed && error != ResolveError::not_found) co_return each;
    if (worst.answer == nullptr || failed) worst = std::move(each);
  }
  co_return worst;
}

// ---- Asking
// ----------------------------------------------------------------------------------------

Task<AnswerPtr> Resolver::ask(const Walk& walk, Waiter& waiter, TimePoint deadline) {
  if (waiter.cancelled()) co_return failure(ResolveError::cancelled);
  Lookup* lookup = lookup_of(walk.kind, walk.name);
  if (lookup == nullptr) co_return failure(ResolveError::too_many);
  Lookup::Ticket ticket(waiter);
  lookup->join(ticket);
  const Wake wake = co_await waiter.wait(deadline);
  if (ticket.answer() != nullptr) co_return ticket.answer();
  if (wake == Wake::cancelled) co_return failure(ResolveError::cancelled);
  if (wake == Wake::ready) co_return failure(ResolveError::interrupted);
  ResolverStats::count(stats_.timed_out);
  co_return failure(ResolveError::timed_out);
}

// The look-up of `name` that is in progress, or a new one. Null: there are too many.
Lookup* Resolver::lookup_of(LookupKind kind, const std::string& name) {
  finished_.clear();
  auto& lookups = side(kind).lookups;
  if (const auto found = lookups.find(name); found != lookups.end()) return found->second.get();
  if (!make_room()) return nullptr;
  const Lookup::Context context{
      loop_, stats_, log_, random_,
      [this](Lookup& lookup, const AnswerPtr& answer) { ended(lookup, answer); }};
  const bool in_turn = !system_ || system_->resolv_conf().rotate;
  const std::size_t first = in_turn ? next_server_++ % rules_->servers.size() : 0;
  auto made = std::make_unique<Lookup>(context, rules_, kind, name, first);
  Lookup& lookup = *made;
  lookups.emplace(name, std::move(made));
  ++in_progress_;
  lookup.start();
  return &lookup;
}

// A look-up that nobody waits for any more makes room for another.
bool Resolver::make_room() {
  if (in_progress_ < options_.lookups) return true;
  for (auto& each : sides_) {
    const auto idle = std::find_if(each.lookups.begin(), each.lookups.end(),
                                   [](const auto& entry) { return !entry.second->awaited(); });
    if (idle == each.lookups.end()) continue;
    each.lookups.erase(idle);
    --in_progress_;
    return true;
  }
  return false;
}

void Resolver::ended(Lookup& lookup, const AnswerPtr& answer) {
  auto& of_kind = side(lookup.kind());
  if (answer != nullptr && answer->error == ResolveError::none) {
    of_kind.cache.put(lookup.name(), answer);
  }
  // Its coroutine is what calls here: it is destroyed later.
  auto entry = of_kind.lookups.extract(lookup.name());
  finished_.push_back(std::move(entry.mapped()));
  --in_progress_;
}

AnswerPtr Resolver::failure(ResolveError error) const {
  auto answer = std::make_shared<Answer>();
  answer->error = error;
  answer->valid_until = loop_.now() + (options_.valid > Duration{0} ? options_.valid : kRetryAfter);
  return answer;
}

Resolved Resolver::to_resolved(const Answer& answer, TimePoint valid_until, bool turn) const {
  Resolved result{.valid_until = valid_until};
  const std::size_t count = answer.v4.size() + answer.v6.size();
  result.addresses.resize(count);
  const auto draw = [&](std::size_t of) {
    return turn && of > 1 ? static_cast<std::size_t>(random_() % of) : 0;
  };
  std::size_t at = draw(count);
  put_turned(answer.v4, draw(answer.v4.size()), at, result.addresses);
  put_turned(answer.v6, draw(answer.v6.size()), at, result.addresses);
  return result;
}

}  // namespace weir::net
