#include "tls/shared_state.h"

#include <utility>

namespace weir::tls {

std::shared_ptr<SessionCache> SharedState::cache(const std::string& name, std::size_t size) {
  auto& known = caches_[name + " " + std::to_string(size)];
  auto found = known.lock();
  if (found == nullptr) {
    found = std::make_shared<SessionCache>(size);
    known = found;
  }
  return found;
}

std::shared_ptr<TicketKeys> SharedState::keys(const std::string& name, std::chrono::seconds life) {
  auto& known = keys_[name];
  auto found = known.lock();
  if (found == nullptr) {
    found = std::make_shared<TicketKeys>(life);
    known = found;
  } else {
    found->set_life(life);
  }
  return found;
}

std::shared_ptr<AskedStaple> SharedState::staple(std::shared_ptr<AskedStaple> fresh) {
  // Certificates are renewed for ever, and so are these keys.
  std::erase_if(staples_, [](const auto& known) { return known.second.expired(); });
  auto& known = staples_[fresh->key()];
  if (auto earlier = known.lock()) return earlier;
  known = fresh;
  return fresh;
}

}  // namespace weir::tls
