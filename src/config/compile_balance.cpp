// The methods of choice of an upstream: lines of their own as in nginx, or the words of `balance`.
#include "config/handlers.h"

namespace weir::config {
namespace {

// The arguments of a method: those of its line, or those behind its name in `balance`.
class Words {
 public:
  Words(const Call& call, std::size_t from) : call_(call), from_(from) {}
  [[nodiscard]] std::size_t count() const { return call_.count() - from_; }
  [[nodiscard]] const Argument& at(std::size_t i) const { return call_.arg(from_ + i); }
  // Whether word `i` is there; it may only be `word`.
  [[nodiscard]] bool has(std::size_t i, std::string_view word) const {
    if (i >= count()) return false;
    if (at(i).text == word) return true;
    call_.error(at(i), "unknown parameter " + quote(at(i).text) + "; use " + std::string(word) +
                           " or nothing");
    return false;
  }

 private:
  const Call& call_;
  std::size_t from_;
};

void set_ip_hash(const Call& call, const Words& words) {
  call.scope.upstream->balance = words.has(0, "full") ? Balance::ip_hash_full : Balance::ip_hash;
}

void set_hash(const Call& call, const Words& words) {
  auto key = call.compiler.value(call, words.at(0));
  if (!key) return;
  auto& upstream = *call.scope.upstream;
  upstream.balance_key = std::move(*key);
  upstream.balance = Balance::hash;
  for (std::size_t i = 1; i < words.count(); ++i) {
    const auto& word = words.at(i);
    constexpr std::string_view kBounded = "bounded=";
    if (word.text == "consistent") {
      upstream.balance = Balance::hash_consistent;
    } else if (word.text.starts_with(kBounded)) {
      Argument number = word;
      number.text.erase(0, kBounded.size());
      if (number.text.ends_with('%')) number.text.pop_back();
      const auto percent = number_argument(call, number, 100, 10000);
      if (percent) upstream.balance_bound = *percent;
    } else {
      call.error(word, "unknown parameter " + quote(word.text) +
                           "; use consistent, bounded=PERCENT or nothing");
    }
  }
}

void set_least_conn(const Call& call, const Words&) {
  call.scope.upstream->balance = Balance::least_conn;
}

// `two` without a word behind it is `two least_conn`.
void set_random(const Call& call, const Words& words) {
  static constexpr std::array kLoads = {
      Word<Balance>{"least_conn", Balance::random_two},
      Word<Balance>{"least_time=header", Balance::random_two_header},
      Word<Balance>{"least_time=last_byte", Balance::random_two_last_byte}};
  auto& balance = call.scope.upstream->balance;
  balance = Balance::random;
  if (!words.has(0, "two")) return;
  balance = Balance::random_two;
  if (words.count() < 2) return;
  if (const auto load = word_argument(call, words.at(1), kLoads)) balance = *load;
}

void set_least_time(const Call& call, const Words& words) {
  static constexpr std::array kTimes = {Word<Balance>{"header", Balance::least_time_header},
                                        Word<Balance>{"last_byte", Balance::least_time_last_byte}};
  static constexpr std::array kStreamTimes = {
      Word<Balance>{"connect", Balance::least_time_header},
      Word<Balance>{"first_byte", Balance::least_time_header},
      Word<Balance>{"last_byte", Balance::least_time_last_byte}};
  auto balance = call.compiler.in_stream() ? word_argument(call, words.at(0), kStreamTimes)
                                           : word_argument(call, words.at(0), kTimes);
  if (!balance) return;
  call.scope.upstream->time_to_connect = words.at(0).text == "connect";
  if (words.has(1, "inflight")) {
    balance = *balance == Balance::least_time_header ? Balance::least_time_header_inflight
                                                     : Balance::least_time_last_byte_inflight;
  }
  call.scope.upstream->balance = *balance;
}

struct Method {
  std::string_view name;
  std::size_t least, most;  // words behind the name
  std::string_view usage;
  void (*set)(const Call&, const Words&);
};
constexpr Method kMethods[] = {
    {"ip_hash", 0, 1, "ip_hash [full]", set_ip_hash},
    {"hash", 1, 3, "hash KEY [consistent] [bounded=PERCENT]", set_hash},
    {"least_conn", 0, 0, "least_conn", set_least_conn},
    {"random", 0, 2, "random [two [least_conn|least_time=header|least_time=last_byte]]",
     set_random},
    {"least_time", 1, 2,
     "least_time header|last_byte [inflight] (in stream: connect|first_byte|last_byte)",
     set_least_time},
};

// Forgets the method before, of which there should be none.
void start_anew(const Call& call) {
  if (call.scope.upstream->balance != Balance::round_robin) {
    call.warning("the method of choice is set already; this one holds");
  }
  call.scope.upstream->balance_key = {};
  call.scope.upstream->balance_bound = 0;
}

// A line of its own. nginx wants the method before it takes or refuses a backup.
void set_by_line(const Call& call) {
  start_anew(call);
  call.scope.method_line = call.info.name;
  for (const auto& method : kMethods) {
    if (method.name == call.info.name) method.set(call, Words(call, 0));
  }
}

}  // namespace

void compile_ip_hash(const Call& call) { set_by_line(call); }
void compile_hash(const Call& call) { set_by_line(call); }
void compile_least_conn(const Call& call) { set_by_line(call); }
void compile_random(const Call& call) { set_by_line(call); }
void compile_least_time(const Call& call) { set_by_line(call); }

void compile_balance(const Call& call) {
  const auto& name = call.arg(0).text;
  const Words words(call, 1);
  std::vector<std::string_view> known = {"round_robin"};
  for (const auto& method : kMethods) {
    known.push_back(method.name);
    if (method.name != name) continue;
    if (words.count() < method.least || words.count() > method.most) {
      return call.error(call.arg(0), "is written " + std::string(method.usage));
    }
    start_anew(call);
    return method.set(call, words);
  }
  if (name != "round_robin") {
    const auto near = did_you_mean(name, known);
    return call.error(call.arg(0), "unknown method " + quote(name) +
                                       (near.empty() ? detail::choice(known) : near));
  }
  if (words.count() > 0) call.error(words.at(0), "round_robin takes no parameters");
}

}  // namespace weir::config
