#include "admin/verbs.h"

#include <algorithm>
#include <array>

#include "config/suggest.h"
#include "config/units.h"

namespace weir::admin {
namespace {

using upstream::Health;
using upstream::Hold;
using upstream::OperatorState;
using upstream::Peer;
using upstream::Pool;
using upstream::PoolSetting;

constexpr std::array kTable = {
#define WEIR_VERB(id, name, kind, arguments, options, help) \
  VerbInfo{Verb::id, name, VerbInfo::Kind::kind, arguments, options, help},
#include "admin/verbs.def"
#undef WEIR_VERB
};

constexpr std::uint32_t kGreatestWeight = 65535;
constexpr std::uint32_t kLongestRetry = 7 * 24 * 3600;  // seconds
constexpr std::size_t kMostListed = 64;                 // of an option that may be repeated
constexpr std::size_t kLongestText = 1000;

Outcome wrong(unsigned status, std::string text) { return {status, std::move(text), Effect::none}; }

// The pool and the peer that a command is about, by the names that they are kept under.
struct Target {
  const Pool* pool = nullptr;  // null: only kept names know of it
  std::string pool_name;
  std::string peer_name;               // empty: the whole pool
  std::vector<std::uint32_t> indexes;  // of the peers of that name
  bool health_check = false;
};

std::string text_of(const Target& target) { return target.pool_name + "/" + target.peer_name; }

class Execution {
 public:
  Execution(const Source& source, const Command& command, std::int64_t now)
      : source_(source),
        command_(command),
        now_(now),
        runtime_(source.present()),
        state_(*source.operators) {}

  Outcome run() {
    if (runtime_ == nullptr) return wrong(503, "weir does not serve yet; try again");
    if (auto problem = find_target()) return *problem;
    switch (command_.verb) {
      case Verb::drain:
        return hold(Hold::draining, "drain");
      case Verb::down:
        return hold(Hold::down, "down");
      case Verb::ready:
        return target_.peer_name.empty() ? pool_ready() : peer_ready();
      case Verb::weight:
        return weight();
      case Verb::only:
        return only();
      case Verb::first:
        return first();
      case Verb::maintenance:
        return maintenance();
      default:
        return wrong(400, "this verb changes nothing");
    }
  }

 private:
  std::optional<Outcome> find_target();
  std::optional<Outcome> find_pool(const std::string& name);
  std::optional<Outcome> find_peer(const std::string& name);
  Outcome hold(Hold hold, const char* word);
  Outcome peer_ready();
  Outcome pool_ready();
  Outcome weight();
  Outcome only();
  Outcome first();
  Outcome maintenance();
  std::optional<Outcome> read_maintenance(upstream::Maintenance& out) const;
  [[nodiscard]] bool any_of_target(bool (*holds)(const Peer&)) const;
  [[nodiscard]] std::string still_out() const;
  // What is set of the peer, made if need be.
  upstream::PeerSetting& setting() {
    auto& setting = state_.at(target_.pool_name).peers[target_.peer_name];
    setting.since = now_;
    return setting;
  }
  // Under whatever name the peer is held.
  void release() {
    auto& peers = state_.at(target_.pool_name).peers;
    const auto let_go = [&](const std::string& name) {
      if (const auto found = peers.find(name); found != peers.end())
        found->second.hold = Hold::none;
    };
    let_go(target_.peer_name);
    for (const auto i : target_.indexes) {
      const auto& spec = target_.pool->peers()[i]->spec;
      let_go(spec.name);
      let_go(spec.endpoint.text());
    }
  }

  const Source& source_;
  const Command& command_;
  std::int64_t now_;
  std::shared_ptr<const proxy::Runtime> runtime_;
  OperatorState& state_;
  Target target_;
};

std::optional<Outcome> Execution::find_target() {
  const auto slash = command_.target.find('/');
  if (command_.target.empty()) return wrong(400, "the pool is missing");
  if (auto problem = find_pool(command_.target.substr(0, slash))) return problem;
  const auto peer = slash == std::string::npos ? "" : command_.target.substr(slash + 1);
  const bool pool_only = command_.verb == Verb::maintenance;
  if (pool_only && slash != std::string::npos) {
    return wrong(400, "maintenance is of a whole pool; write " + target_.pool_name);
  }
  if (!peer.empty()) return find_peer(peer);
  if (pool_only || (command_.verb == Verb::ready && slash == std::string::npos)) {
    return std::nullopt;
  }
  return wrong(400, "the peer is missing; write " + target_.pool_name + "/PEER");
}

std::optional<Outcome> Execution::find_pool(const std::string& name) {
  target_.pool_name = name;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < runtime_->pools.size(); ++i) {
    const auto& pool = *runtime_->pools[i].pool;
    names.push_back(pool.name());
    if (pool.name() != name) continue;
    target_.pool = &pool;
    const auto& upstreams = runtime_->model->upstreams;
    target_.health_check = i < upstreams.size() && !upstreams[i].health_checks.empty();
    return std::nullopt;
  }
  // What is set for one that is gone may be taken back.
  const bool takes_back = command_.verb == Verb::ready || command_.value == "off";
  if (takes_back && state_.find(name) != nullptr) return std::nullopt;
  return wrong(404, "unknown pool " + config::quote(name) + known_names(name, names));
}

std::optional<Outcome> Execution::find_peer(const std::string& name) {
  std::vector<std::string> names;
  bool by_name = false;
  const auto peers =
      target_.pool != nullptr ? target_.pool->peers() : std::span<const std::shared_ptr<Peer>>{};
  for (std::uint32_t i = 0; i < peers.size(); ++i) {
    const auto& spec = peers[i]->spec;
    names.push_back(spec.name);
    if (!upstream::is_named(spec, name)) continue;
    target_.indexes.push_back(i);
    by_name = by_name || spec.name == name;
  }
  target_.peer_name = name;
  if (!target_.indexes.empty()) {
    // Kept by the name that is configured, unless it stands for more addresses than were meant.
    const auto& configured = peers[target_.indexes.front()]->spec.name;
    const auto same = std::count(names.begin(), names.end(), configured);
    if (!by_name && same == 1) target_.peer_name = configured;
    return std::nullopt;
  }
  const auto* kept = state_.find(target_.pool_name);
  const bool known =
      kept != nullptr && (kept->peers.contains(name) || kept->only == name || kept->first == name);
  if (known && command_.verb == Verb::ready) return std::nullopt;
  return wrong(404, "unknown peer " + config::quote(name) + " of " +
                        config::quote(target_.pool_name) + known_names(name, names));
}

bool Execution::any_of_target(bool (*holds)(const Peer&)) const {
  return std::any_of(target_.indexes.begin(), target_.indexes.end(),
                     [&](std::uint32_t i) { return holds(*target_.pool->peers()[i]); });
}

// What keeps requests from a peer that no operator does.
std::string Execution::still_out() const {
  if (target_.pool == nullptr || target_.indexes.empty()) return "; it is not there at present";
  if (any_of_target([](const Peer& peer) { return peer.spec.down; })) {
    return "; it is down in the configuration";
  }
  const auto* setting = state_.find(target_.pool_name);
  const auto kept_out = [&](const std::string& other) {
    return !other.empty() && other != target_.peer_name;
  };
  if (setting != nullptr && kept_out(setting->only)) {
    return "; it gets no requests: only " + setting->only + " is to serve";
  }
  if (setting != nullptr && kept_out(setting->first)) {
    return "; it gets no requests before " + setting->first + " is ready";
  }
  const bool out = any_of_target([](const Peer& peer) {
    const auto health = peer.health.load(std::memory_order_relaxed);
    return health == Health::down || health == Health::checking;
  });
  return out ? "; it gets no requests before it passes its check" : "";
}

Outcome Execution::hold(Hold hold, const char* word) {
  release();
  setting().hold = hold;
  auto& pool = state_.at(target_.pool_name);
  std::string note;
  if (pool.only == target_.peer_name) note = "; it was the only one to serve: now nobody does";
  return {200, std::string(word) + " " + text_of(target_) + note, Effect::holds};
}

Outcome Execution::peer_ready() {
  release();
  auto& pool = state_.at(target_.pool_name);
  if (target_.indexes.empty()) {
    if (pool.only == target_.peer_name) pool.only.clear();
    if (pool.first == target_.peer_name) pool.first.clear();
    pool.peers.erase(target_.peer_name);
  }
  return {200, "ready " + text_of(target_) + still_out(), Effect::holds};
}

Outcome Execution::pool_ready() {
  auto& pool = state_.at(target_.pool_name);
  pool.only.clear();
  pool.first.clear();
  for (auto& [name, peer] : pool.peers) peer.hold = Hold::none;
  std::string note;
  if (pool.maintenance != nullptr) {
    note = "; it is in maintenance until `maintenance off " + target_.pool_name + "`";
  }
  return {200, "ready " + target_.pool_name + note, Effect::holds};
}

Outcome Execution::weight() {
  if (command_.value == "configured") {
    setting().weight.reset();
    return {200, "weight " + text_of(target_) + " as configured", Effect::pools};
  }
  const auto number = config::parse_number(command_.value);
  if (!number || *number < 1 || *number > kGreatestWeight) {
    return wrong(400, "invalid weight " + config::quote(command_.value) +
                          "; it is from 1 to 65535, or `configured`");
  }
  setting().weight = static_cast<std::uint32_t>(*number);
  return {200, "weight " + text_of(target_) + " " + command_.value, Effect::pools};
}

Outcome Execution::only() {
  if (any_of_target([](const Peer& peer) { return peer.spec.down; })) {
    return wrong(409, target_.peer_name + " is down in the configuration; nobody would serve");
  }
  release();
  auto& pool = state_.at(target_.pool_name);
  pool.only = target_.peer_name;
  pool.first.clear();
  pool.since = now_;
  return {200,
          "only " + text_of(target_) + " gets new requests, until `ready " + target_.pool_name +
              "`" + still_out(),
          Effect::holds};
}

Outcome Execution::first() {
  if (!target_.health_check) {
    return wrong(409,
                 config::quote(target_.pool_name) +
                     " has no health_check, so nobody can tell when a peer is ready; use only, "
                     "then `ready " +
                     target_.pool_name + "`");
  }
  if (any_of_target([](const Peer& peer) { return peer.spec.down; })) {
    return wrong(409, target_.peer_name + " is down in the configuration; it would never be ready");
  }
  release();
  auto& pool = state_.at(target_.pool_name);
  pool.only.clear();
  const bool is_ready = any_of_target(
      [](const Peer& peer) { return peer.health.load(std::memory_order_relaxed) == Health::up; });
  if (is_ready) {
    pool.first.clear();
    return {200, "first " + text_of(target_) + ": it is ready, the others need not wait",
            Effect::holds};
  }
  pool.first = target_.peer_name;
  pool.since = now_;
  return {200, "first " + text_of(target_) + ": the others wait until it is ready", Effect::holds};
}

Outcome Execution::maintenance() {
  auto& pool = state_.at(target_.pool_name);
  if (command_.value == "off") {
    pool.maintenance.reset();
    return {200, "maintenance off " + target_.pool_name, Effect::pools};
  }
  if (command_.value != "on") return wrong(400, "maintenance is `on POOL` or `off POOL`");
  auto setting = std::make_shared<upstream::Maintenance>();
  setting->since = now_;
  if (auto problem = read_maintenance(*setting)) return *problem;
  pool.maintenance = std::move(setting);
  return {200, "maintenance on " + target_.pool_name + ": clients get 503", Effect::pools};
}

std::optional<Outcome> Execution::read_maintenance(upstream::Maintenance& out) const {
  const auto listed = [&](const char* name, auto take) {
    const auto [begin, end] = command_.options.equal_range(name);
    for (auto it = begin; it != end; ++it) {
      std::string_view rest = it->second;
      while (!rest.empty()) {
        const auto comma = std::min(rest.find(','), rest.size());
        if (comma > 0 && !take(std::string(rest.substr(0, comma)))) return false;
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
    }
    return true;
  };
  std::string bad;
  const bool allow_ok = listed("allow", [&](const std::string& text) {
    const auto range = Cidr::parse(text);
    bad = text;
    if (!range || out.allow.size() >= kMostListed) return false;
    out.allow.push_back(*range);
    return true;
  });
  if (!allow_ok) {
    return wrong(400, "invalid address " + config::quote(bad) + " in allow; write 10.0.0.0/8");
  }
  if (command_.options.contains("api")) out.api.clear();
  const bool api_ok = listed("api", [&](const std::string& text) {
    bad = text;
    if (!text.starts_with('/') || text.size() > kLongestText || out.api.size() >= kMostListed) {
      return false;
    }
    out.api.push_back(text);
    return true;
  });
  if (!api_ok) return wrong(400, "invalid path " + config::quote(bad) + " in api; write /api/");
  if (const auto text = command_.option("retry-after"); !text.empty()) {
    const auto number = config::parse_number(text);
    if (!number || *number > kLongestRetry) {
      return wrong(400, "invalid time " + config::quote(text) + " in retry-after; write seconds");
    }
    out.retry_after = std::chrono::seconds(*number);
  }
  if (const auto text = command_.option("message"); !text.empty()) {
    if (text.size() > kLongestText) return wrong(400, "the message is too long");
    out.message = text;
  }
  return std::nullopt;
}

// What a verb says of one option: "name", "name=" or "name=*".
std::string_view next_word(std::string_view& words) {
  const auto end = std::min(words.find(' '), words.size());
  const auto word = words.substr(0, end);
  words.remove_prefix(std::min(end + 1, words.size()));
  return word;
}

}  // namespace

std::span<const VerbInfo> verb_table() { return kTable; }

const VerbInfo* find_verb(std::string_view name) {
  const auto found = std::find_if(kTable.begin(), kTable.end(),
                                  [&](const auto& verb) { return verb.name == name; });
  return found != kTable.end() ? &*found : nullptr;
}

VerbInfo::Option VerbInfo::option(std::string_view wanted) const {
  for (auto words = options; !words.empty();) {
    auto word = next_word(words);
    const bool repeats = word.ends_with('*');
    if (repeats) word.remove_suffix(1);
    const bool valued = word.ends_with('=');
    if (valued) word.remove_suffix(1);
    if (word == wanted) return repeats ? Option::values : valued ? Option::value : Option::flag;
  }
  return Option::unknown;
}

std::string VerbInfo::option_list() const {
  std::string list;
  for (auto words = options; !words.empty();) {
    const auto word = next_word(words);
    const auto name = word.substr(0, word.find('='));
    list += std::string(list.empty() ? "" : " ") + "[--" + std::string(name);
    list += name.size() < word.size() ? " VALUE]" : "]";
    if (word.ends_with('*')) list += "...";
  }
  return list;
}

std::string verbs_markdown() {
  std::string out =
      "# Verbs of operators\n\nAs sub-commands of `weir`, over the Unix socket `control`; over the "
      "admin listener as `GET /api/NAME`, or, where something changes, `POST /api/NAME` with "
      "`Authorization: Bearer TOKEN`. Arguments are then named `target` and `value`, options as "
      "here.\n\n| verb | arguments | options | what it does |\n|---|---|---|---|\n";
  const auto cell = [](std::string text) {
    for (auto at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
      text.insert(at, "\\");
    }
    return text;
  };
  for (const auto& verb : kTable) {
    out += "| `" + std::string(verb.name) + "` | " + cell(std::string(verb.arguments)) + " | " +
           verb.option_list() + " | " + cell(std::string(verb.help)) + " |\n";
  }
  return out;
}

std::string known_names(const std::string& word, const std::vector<std::string>& names) {
  std::vector<std::string_view> known(names.begin(), names.end());
  const auto guess = config::did_you_mean(word, known);
  if (!guess.empty() || names.empty() || names.size() > 8) return guess;
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return "; there is " + list;
}

std::string Command::option(const std::string& name) const {
  const auto [begin, end] = options.equal_range(name);
  return begin == end ? std::string() : std::prev(end)->second;
}

Outcome execute(const Source& source, const Command& command, std::int64_t now) {
  auto outcome = Execution(source, command, now).run();
  source.operators->tidy();
  return outcome;
}

}  // namespace weir::admin
