// An exchange that explains: it goes the way of every request, by the same code, up to the choice
// of a peer or the head of an answer, asks nobody, counts and logs nothing.
#include "proxy/exchange.h"
#include "proxy/explanation.h"
#include "proxy/pool_queue.h"
#include "proxy/variables.h"
#include "proxy/worker.h"

namespace weir::proxy {

LocationNode::Trail* Exchange::trail() {
  return explanation_ != nullptr ? &explanation_->tried : nullptr;
}

void Exchange::note(std::string_view text) { explanation_->notes.emplace_back(text); }

Step Exchange::explain_pick() {
  discard_answer();
  begin_walk();
  auto& out = *explanation_;
  out.pool = pool_->pool;
  if (pool_->hash_key != nullptr) evaluate(*pool_->hash_key, *this, out.key);
  out.pick = pool_->pool->explain(walk_, worker_.loop().now());
  if (pool_->queue != nullptr && pool_->queue->busy()) note("others wait in the queue before it");
  if (out.pick.has_peer || pool_->config == nullptr) return Step::finished();
  out.none_left = pool_->config->unavailable.status;
  if (pool_->config->queue.size > 0) note("it waits in the queue for a peer");
  if (pool_->config->unavailable.fail_open) note("fail_open: one is tried all the same");
  return Step::finished();
}

Step Exchange::explain_answer() {
  status_ = answer_.status;
  explanation_->redirect = answer_.location;
  return Step::finished();
}

void Exchange::end_explanation() {
  auto& out = *explanation_;
  if (!has_request_) out.problem = "it is no valid request";
  out.runtime = pin_->shared();
  out.server = server_;
  out.only_server = listen_->hosts.trivial();
  out.client = client_text();
  out.host = host_;
  out.path = path_;
  out.args = args_;
  out.location = &location_->config();
  out.status = status_;
  if (pool_ != nullptr && pool_->maintenance != nullptr && status_ == 503) {
    out.pool = pool_->pool;
    out.maintenance = true;
  }
  explanation_ = nullptr;
}

}  // namespace weir::proxy
