// Orders and renews the certificates that a configuration wants from ACME servers: one order at a
// time for each issuer, in a thread of its own, which runs from the first configuration that wants
// any. What it gets it gives away to be stored; it comes into force by being found there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "config/model.h"
#include "tls/challenges.h"

namespace weir::acme {

// What is kept of failed orders, by the issuer's name: see acme/journal.h.
using Journals = std::map<std::string, std::string>;

class Manager {
 public:
  // Keeps a file: called on the manager's thread.
  using Store = std::function<void(const std::string& path, const std::string& text)>;
  Manager(Log& log, std::shared_ptr<tls::Challenges> challenges, Store store);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // ---- from the control thread ----
  // What is wanted from now on. An order that is under way goes on. `journals`: of issuers that are
  // not known yet.
  void use(const std::shared_ptr<const config::Model>& model, const Journals& journals = {});
  // A file that was to be kept is not: its certificate is ordered again later.
  void not_stored(const std::string& path, const std::string& why);
  void stop();

  // What is to be told of a certificate, by the path that it is stored at.
  struct Status {
    std::string path;
    std::string issuer;
    std::vector<std::string> names;
    WallTime next{};    // when it is ordered next
    std::string error;  // why the last order came to nothing; empty: it did not
  };
  [[nodiscard]] std::vector<Status> status() const;  // any thread

 private:
  struct Loop;
  struct Desk;
  void run();
  void begin(const std::shared_ptr<Desk>& desk);
  void take(const std::shared_ptr<const config::Model>& model, const Journals& journals);
  void show();

  Log& log_;
  std::shared_ptr<tls::Challenges> challenges_;
  Store store_;
  mutable std::mutex mutex_;  // guards status_
  std::vector<Status> status_;
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

}  // namespace weir::acme
