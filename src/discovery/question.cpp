#include "discovery/question.h"

#include "discovery/name_servers.h"

namespace weir::discovery {

std::string Question::text() const {
  std::string text = service.empty() ? host : service + " " + host;
  if (resolver) text += " by " + text_of(*resolver);
  return text;
}

Question question_of(const config::UpstreamConfig& upstream, const config::PeerConfig& peer) {
  Question question{.host = peer.where.host, .service = peer.service};
  if (peer.resolve) {
    question.resolver = upstream.resolver;
    question.timeout = upstream.resolver_timeout.value_or(question.timeout);
  }
  return question;
}

Rank Addresses::rank_of(const IpAddress& address) const {
  for (const auto& [known, rank] : ranks) {
    if (known == address) return rank;
  }
  return {};
}

}  // namespace weir::discovery
