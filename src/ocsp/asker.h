// Asks responders of OCSP for the answers that a configuration wants to send with its certificates,
// and again before those are too old; so many at once, however many certificates there are. Control
// thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "base/log.h"
#include "config/model.h"

namespace weir::ocsp {

class Asker {
 public:
  // Both must outlive it.
  Asker(boost::asio::io_context& io, Log& log);
  ~Asker();
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  // What is wanted from now on; what is asked already goes on.
  void use(const config::Model& model);
  void stop();

 private:
  struct Job;
  struct Turns;
  boost::asio::awaitable<void> run(std::shared_ptr<Job> job);
  static boost::asio::awaitable<std::string> ask(std::shared_ptr<Job> job);
  void note(Job& job, const std::string& error);
  [[nodiscard]] double share() { return std::uniform_real_distribution<>(0, 1)(random_); }

  boost::asio::io_context& io_;
  Log& log_;
  SystemClock clock_;
  std::mt19937_64 random_{std::random_device{}()};
  std::shared_ptr<Turns> turns_;
  std::map<const tls::AskedStaple*, std::shared_ptr<Job>> jobs_;
};

}  // namespace weir::ocsp
