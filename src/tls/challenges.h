// What an ACME server (RFC 8555) asks for to be sure whose a name is, as long as it asks: answers
// over HTTP by their tokens (http-01), and certificates by the names they are for (tls-alpn-01, RFC
// 8737). Set by who orders certificates, read by all workers, under a lock that is taken only while
// there is any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace weir::tls {

class Context;

class Challenges {
 public:
  static constexpr std::string_view kPath = "/.well-known/acme-challenge/";
  static constexpr std::string_view kProtocol = "acme-tls/1";  // of ALPN

  void set_answer(const std::string& token, std::string answer);
  void remove_answer(const std::string& token);
  // What a path is to be answered with; empty: nothing that was asked for.
  [[nodiscard]] std::string answer(std::string_view path) const;

  // `name`: lower case.
  void set_certificate(const std::string& name, std::shared_ptr<const Context> context);
  void remove_certificate(const std::string& name);
  // Null: nobody asks for it.
  [[nodiscard]] std::shared_ptr<const Context> certificate(std::string_view name) const;

 private:
  void count();

  mutable std::mutex mutex_;
  std::atomic<std::size_t> count_{0};
  std::map<std::string, std::string, std::less<>> answers_;
  std::map<std::string, std::shared_ptr<const Context>, std::less<>> certificates_;
};

}  // namespace weir::tls
