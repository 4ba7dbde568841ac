// One call of grpc.health.v1.Health/Check over HTTP/2, begun without being asked (prior knowledge;
// over TLS by ALPN): nginx's type=grpc.
#pragma once

#include <cstdint>
#include <vector>

#include "probe/dialogue.h"
#include "probe/hpack.h"
#include "probe/http2_frames.h"

namespace weir::probe {

class GrpcDialogue : public Dialogue {
 public:
  static constexpr std::size_t kLimit = 64 * 1024;  // of heads, and of the message

  // `check` must outlive it.
  GrpcDialogue(const config::HealthCheckConfig& check, const upstream::PeerSpec& peer);

  [[nodiscard]] std::string opening() override;
  [[nodiscard]] std::optional<upstream::CheckResult> take(std::string_view bytes,
                                                          std::string& reply) override;
  [[nodiscard]] upstream::CheckResult ended() override;

 private:
  using Result = std::optional<upstream::CheckResult>;
  Result take_frame(const Frame& frame, std::string& reply);
  Result take_head(const Frame& frame);
  Result take_data(const Frame& frame);
  Result end_head();
  Result end();
  [[nodiscard]] upstream::CheckResult judge_status(std::uint32_t status) const;
  [[nodiscard]] upstream::CheckResult judge_message() const;
  [[nodiscard]] static upstream::CheckResult broken(const std::string& why);

  const config::HealthCheckConfig& check_;
  std::string host_;
  FrameReader frames_;
  bool greeted_ = false;  // the peer has sent its settings
  std::string block_;     // of the head that is coming
  bool in_head_ = false;
  bool last_ = false;         // END_STREAM has come, with the head that is coming
  std::string http_status_;   // ":status"
  std::string grpc_status_;   // as sent
  std::string grpc_message_;  // as sent
  std::string message_;       // of the answer, with its prefix
};

}  // namespace weir::probe
