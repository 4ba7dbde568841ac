// The addresses behind the host names among the peers: looked up when a configuration is loaded,
// and again whenever the lifetime of an answer ends. A name that cannot be looked up keeps the
// addresses that it had. Control thread, which never waits: other threads ask, and each answer is
// taken when it comes.
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
#include "discovery/name_asker.h"
#include "discovery/question.h"

namespace weir::discovery {

// What is asked about the host names among the peers of a model: each once, in the order of text().
[[nodiscard]] std::vector<Question> questions(const config::Model& model);

class Names {
 public:
  // May be answered by any thread, but does not block. As NameAsker::ask().
  using Ask = std::function<void(const std::vector<Question>&, const NameAsker::Answered&)>;
  struct Options {
    // Until it is asked again, where an answer has no lifetime, or there was none.
    Duration interval{std::chrono::seconds{5}};
    Ask ask{};                     // none: a NameAsker of its own
    const Clock* clock = nullptr;  // must outlive it
    // How long prepare() lets others wait for names that were never looked up.
    Duration patience{std::chrono::seconds{5}};
  };
  // Lifetimes are brought into this range.
  static constexpr Duration kLeast = std::chrono::seconds{1};
  static constexpr Duration kMost = std::chrono::hours{1};

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

  // `changed` is called when the addresses of watched names are others than before.
  Names(boost::asio::io_context& io, const Options& options, std::function<void()> changed);
  ~Names() { stop(); }
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // Asks for those that are not watched yet, all at the same time, and calls `ready` when there are
  // answers, or patience is at its end; within prepare() if nothing is missing. Of watched names
  // what is known stands, and with `again` they are due: the next watch() asks for them.
  void prepare(const std::vector<Question>& questions, bool again, std::function<void()> ready);
  // The addresses as they were found last; empty as long as none were.
  [[nodiscard]] Addresses known(const Question& question) const;
  // From now on these are asked for again and again; at once, if they never were.
  void watch(const std::vector<Question>& questions);
  void stop();
  // A look-up is on its way.
  [[nodiscard]] bool busy() const;
  [[nodiscard]] Counts counts() const;
  // In alphabetical order.
  [[nodiscard]] std::vector<Status> status() const;

 private:
  struct Known {
    Question question{};
    Addresses last_good{};
    std::string error{};
    bool asking = false;    // a look-up is on its way
    bool answered = false;  // one has ended
    bool watched = false;
    TimePoint due{};  // when to ask again
    std::optional<TimePoint> found_at{};
  };
  struct Mailbox;  // where other threads bring what was found, as long as somebody wants it

  Known& entry(const Question& question);
  [[nodiscard]] TimePoint now() const { return options_.clock->now(); }
  [[nodiscard]] static Addresses give(const Known& known);
  bool take(Known& known, Addresses found);
  void ask(const std::vector<Question>& questions);
  void ask_due();
  void collect();
  void give_up();
  void wait();

  SystemClock system_clock_;
  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  Options options_;
  std::function<void()> changed_;
  std::map<std::string, Known> known_;  // by the text of the question
  std::set<std::string> expected_;  // texts of what was prepared last: not watched yet, but kept
  std::set<std::string> missing_;   // of these, without an answer
  std::function<void()> ready_;     // waits for those
  boost::asio::steady_timer patience_timer_;
  std::shared_ptr<Mailbox> mailbox_;
  NameAsker asker_;  // the last one: it ends first
};

}  // namespace weir::discovery
