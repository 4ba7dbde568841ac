// The addresses behind the host names among the peers: looked up when a configuration is loaded,
// and again whenever the lifetime of an answer ends. A name that cannot be looked up keeps the
// addresses that it had. Control thread; the look-ups of a round are made by a thread of their own,
// which nobody waits for.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "config/model.h"
#include "discovery/ask_names.h"
#include "discovery/question.h"

namespace weir::discovery {

// What is asked about the host names among the peers of a model: each once, in the order of text().
[[nodiscard]] std::vector<Question> questions(const config::Model& model);

class Names {
 public:
  using Ask = std::function<std::vector<Addresses>(const std::vector<Question>&, Duration at_most)>;
  struct Options {
    // Until it is asked again, where an answer has no lifetime, or there was none.
    Duration interval{std::chrono::seconds{5}};
    Ask ask = ask_names;           // may block; called by any thread
    const Clock* clock = nullptr;  // must outlive it
  };
  // Lifetimes are brought into this range.
  static constexpr Duration kLeast = std::chrono::seconds{1};
  static constexpr Duration kMost = std::chrono::hours{1};
  // Whoever waits for an answer, as look_up() does, waits no longer than this.
  static constexpr Duration kPatience = std::chrono::seconds{5};

  // Of one name, for status pages.
  struct Status {
    std::string host;
    std::vector<IpAddress> addresses;   // in force
    std::string error;                  // of the last look-up; empty: it was good
    std::optional<TimePoint> found_at;  // the last good look-up
  };
  // Of the watched names.
  struct Counts {
    std::size_t watched = 0;
    std::size_t failing = 0;     // could not be looked up the last time
    std::size_t unresolved = 0;  // of these, without any address
  };

  // `changed` is called when the addresses of watched names are others than look_up() gave last.
  Names(boost::asio::io_context& io, const Options& options, std::function<void()> changed);
  ~Names() { stop(); }
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // What is not known is asked for, all at the same time.
  void look_up_all(const std::vector<Question>& questions);
  // The addresses: asked for if they are not known, else as they were found last.
  [[nodiscard]] Addresses look_up(const Question& question);
  // The same without asking: empty as long as it is not known.
  [[nodiscard]] Addresses known(const Question& question) const;
  // All that is known is asked for again by the next look_up().
  void forget_all();
  // From now on these are asked for again and again; at once, if they never were.
  void watch(const std::vector<Question>& questions);
  void stop();
  // A round is on its way.
  [[nodiscard]] bool busy() const { return !rounds_.empty(); }
  [[nodiscard]] Counts counts() const;
  // In alphabetical order.
  [[nodiscard]] std::vector<Status> status() const;

 private:
  struct Known {
    Question question{};
    Addresses last_good{};
    std::string error{};
    bool fresh = false;   // look_up() need not ask
    bool asking = false;  // by a round on its way
    bool watched = false;
    TimePoint due{};  // when to ask again
    std::optional<TimePoint> found_at{};
  };
  struct Mailbox;  // where a thread brings what it has found, as long as somebody wants it
  using Round = std::map<std::string, Addresses>;

  Known& entry(const Question& question);
  [[nodiscard]] TimePoint now() const { return options_.clock->now(); }
  [[nodiscard]] static Addresses give(const Known& known);
  bool take(Known& known, Addresses found);
  void begin_round();
  void end_round(const std::shared_ptr<Mailbox>& mailbox, Round found);
  void wait();

  SystemClock system_clock_;
  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  Options options_;
  std::function<void()> changed_;
  std::map<std::string, Known> known_;  // by the text of the question
  std::set<std::shared_ptr<Mailbox>> rounds_;
};

}  // namespace weir::discovery
