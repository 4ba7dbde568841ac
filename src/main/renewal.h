// Puts certificates and keys that have changed on disk into the configuration in force, without
// anything else of it being read again. A pair that does not fit stays as it was. The master's, or
// the control thread's where there is no master.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "main/configurator.h"
#include "main/secret_watch.h"

namespace weir::main {

class Renewal {
 public:
  // By the path of a file: why what it holds now is not in force.
  using Problems = std::map<std::string, std::string>;

  // `prepared` is in force.
  void watch(const Configurator::Prepared& prepared, TimePoint now);
  // The same configuration, of which weir itself has written some files.
  void adopt(const std::shared_ptr<const Bundle>& bundle);
  // What the last look found is not in force. It is found again, later each time.
  void failed(const std::string& why, TimePoint now);
  // Looks another time: something else is going on.
  void postpone(TimePoint now) { next_ = now + interval_; }
  // When to look next; max(): never.
  [[nodiscard]] TimePoint next() const { return next_; }

  struct Found {
    // To be put into force; null: there is nothing new that is good.
    std::shared_ptr<const Bundle> bundle;
    std::vector<std::string> renewed;  // paths of what is new in it
    std::vector<std::string> faults;   // lines for the log: what is wrong since now
    bool told = false;                 // problems() are others than before
  };
  // nullopt: nothing has happened. `options` are those that the configuration was loaded with.
  [[nodiscard]] std::optional<Found> look(const Configurator::Options& options, TimePoint now);
  [[nodiscard]] const Problems& problems() const { return problems_; }

 private:
  using Files = std::vector<const Bundle::File*>;
  [[nodiscard]] std::shared_ptr<const Bundle> with(const Files& files) const;
  [[nodiscard]] std::string check(const Configurator::Options& options, const Files& files);
  [[nodiscard]] bool are_mates(const std::string& a, const std::string& b) const;
  [[nodiscard]] bool is_staple(const std::string& path) const;
  [[nodiscard]] std::vector<Files> groups(const std::vector<Bundle::File>& changed) const;
  [[nodiscard]] Files choose(const Configurator::Options& options,
                             const std::vector<Bundle::File>& changed, Problems& problems);
  std::optional<Found> mended(const std::vector<Bundle::File>& changed);
  void add_good(const Configurator::Options& options, std::span<const Files> some, Files& good,
                Problems& problems);
  void split(const Configurator::Options& options, const Files& group, const std::string& error,
             Files& good, Problems& problems);
  [[nodiscard]] std::vector<std::string> unfit_staples(const Files& good) const;

  SecretWatch watch_;
  std::shared_ptr<const Bundle> bundle_;
  std::vector<std::pair<std::string, std::string>> pairs_;    // certificates and their keys
  std::vector<std::pair<std::string, std::string>> staples_;  // certificates and answers of OCSP
  std::vector<config::StapleUse> checked_;                    // of the last check() without error
  Duration interval_{0};
  Problems problems_;
  std::vector<std::string> offered_;  // paths of what the last look found
  Problems refused_;                  // of what could not be put into force
  std::uint32_t failures_ = 0;        // in a row
  TimePoint again_at_ = TimePoint::max();
  TimePoint next_ = TimePoint::max();
};

// Problems as a text, to be sent: "PATH\tWHY\n" each.
[[nodiscard]] std::string to_text(const Renewal::Problems& problems);
[[nodiscard]] Renewal::Problems problems_of(const std::string& text);

}  // namespace weir::main
