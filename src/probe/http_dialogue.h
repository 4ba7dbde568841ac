// A GET, and the tests of its answer: status and fields as soon as the head is there, then the body
// if a test asks for it.
#pragma once

#include <cstdint>

#include "http/chunked.h"
#include "http/head.h"
#include "probe/dialogue.h"

namespace weir::probe {

class HttpDialogue : public Dialogue {
 public:
  static constexpr std::uint32_t kHeadLimit = 64 * 1024;   // of heads, interim answers included
  static constexpr std::size_t kBodyLimit = 256 * 1024;    // more of a body is not looked at
  static constexpr std::uint64_t kSpareLimit = 64 * 1024;  // read for the connection's sake alone

  // `check` must outlive it.
  HttpDialogue(const config::HealthCheckConfig& check, const upstream::PeerSpec& peer);

  [[nodiscard]] std::string opening() override { return request_; }
  [[nodiscard]] std::optional<upstream::CheckResult> take(std::string_view bytes,
                                                          std::string& reply) override;
  [[nodiscard]] upstream::CheckResult ended() override;
  [[nodiscard]] std::string waits_for() const override;
  [[nodiscard]] bool reusable() const override { return reusable_; }

 private:
  using Result = std::optional<upstream::CheckResult>;
  Result take_head();
  Result begin_body();
  Result take_body(std::string_view bytes);
  Result take_chunks(std::string_view bytes);
  void keep(std::string_view data);
  // The whole body is there (or as much of it as counts).
  Result end_body();
  [[nodiscard]] bool waits_for_body() const;

  const config::HealthCheckConfig& check_;
  std::string request_;
  std::string received_;     // the head
  std::size_t skipped_ = 0;  // bytes of interim answers
  http::ParseState parse_state_;
  http::ResponseHead head_;
  bool in_body_ = false;
  std::uint64_t left_ = 0;  // of a counted body
  http::ChunkedDecoder chunks_;
  std::string body_;
  std::size_t after_ = 0;  // bytes behind the answer's end
  bool complete_ = false;
  bool reusable_ = false;
};

}  // namespace weir::probe
