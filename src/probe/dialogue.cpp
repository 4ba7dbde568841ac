#include "probe/dialogue.h"

#include "probe/grpc_dialogue.h"
#include "probe/http_dialogue.h"
#include "probe/tcp_dialogue.h"

namespace weir::probe {

std::unique_ptr<Dialogue> make_dialogue(const config::HealthCheckConfig& check,
                                        const upstream::PeerSpec& peer) {
  if (check.type == config::CheckType::http) return std::make_unique<HttpDialogue>(check, peer);
  if (check.type == config::CheckType::grpc) return std::make_unique<GrpcDialogue>(check, peer);
  if (!check.match.for_tcp()) return nullptr;
  return std::make_unique<TcpDialogue>(check.match);
}

}  // namespace weir::probe
