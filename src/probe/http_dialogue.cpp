#include "probe/http_dialogue.h"

#include <algorithm>

#include "probe/verdict.h"

namespace weir::probe {

using upstream::CheckLayer;
using upstream::CheckResult;

HttpDialogue::HttpDialogue(const config::HealthCheckConfig& check, const upstream::PeerSpec& peer)
    : check_(check), request_(check_request(check, peer)) {}

std::string HttpDialogue::waits_for() const { return in_body_ ? "the body" : "the answer"; }

HttpDialogue::Result HttpDialogue::take(std::string_view bytes, std::string&) {
  if (in_body_) return take_body(bytes);
  received_.append(bytes);
  return take_head();
}

HttpDialogue::Result HttpDialogue::take_head() {
  const http::Limits limits{.head = kHeadLimit, .line = kHeadLimit};
  for (;;) {
    const auto result =
        http::parse_response(received_, limits, parse_state_, http::Method::get, head_);
    if (result.status == http::ParseStatus::error) {
      return CheckResult{.layer = CheckLayer::response,
                         .detail = std::string("invalid answer: ") + result.reason};
    }
    if (result.status == http::ParseStatus::need_more) {
      if (skipped_ + received_.size() <= kHeadLimit) return std::nullopt;
      return CheckResult{.layer = CheckLayer::response,
                         .detail = "head of the answer is too large"};
    }
    // Interim answers precede the one that counts (RFC 9110 section 15.2).
    if (head_.status >= 200 || head_.status == 101) break;
    skipped_ += head_.size;
    received_.erase(0, head_.size);
    parse_state_ = {};
  }
  auto verdict = judge_head(check_.match, head_);
  // What has failed is not asked again over this connection: the next one starts anew.
  if (!verdict.passed()) return verdict;
  return begin_body();
}

HttpDialogue::Result HttpDialogue::begin_body() {
  in_body_ = true;
  using Kind = http::Framing::Kind;
  left_ = head_.framing.length;
  const std::string rest = received_.substr(head_.size);
  if (head_.framing.kind == Kind::none || (head_.framing.kind == Kind::counted && left_ == 0)) {
    complete_ = true;
    after_ = rest.size();
    return end_body();
  }
  if (auto verdict = take_body(rest)) return verdict;
  return waits_for_body() ? std::nullopt : end_body();
}

// A connection is worth some bytes of which the end is known, and is not worth waiting for more.
bool HttpDialogue::waits_for_body() const {
  if (!check_.match.body.empty()) return true;
  return check_.keepalive_time > Duration{0} && head_.keep_alive &&
         head_.framing.kind == http::Framing::Kind::counted && left_ <= kSpareLimit;
}

HttpDialogue::Result HttpDialogue::take_body(std::string_view bytes) {
  using Kind = http::Framing::Kind;
  if (head_.framing.kind == Kind::chunked) return take_chunks(bytes);
  auto own = bytes;
  if (head_.framing.kind == Kind::counted) {
    own = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    left_ -= own.size();
    after_ += bytes.size() - own.size();
    complete_ = left_ == 0;
  }
  keep(own);
  return complete_ || body_.size() >= kBodyLimit ? end_body() : std::nullopt;
}

HttpDialogue::Result HttpDialogue::take_chunks(std::string_view bytes) {
  using Status = http::ChunkedDecoder::Status;
  while (!bytes.empty()) {
    const auto step = chunks_.next(bytes);
    bytes.remove_prefix(step.consumed);
    if (step.status == Status::error) {
      // Where only the head counts, what is wrong behind it costs no more than the connection.
      if (!waits_for_body()) return end_body();
      return CheckResult{.layer = CheckLayer::response,
                         .status = head_.status,
                         .detail = std::string("invalid body: ") + step.reason};
    }
    if (step.status == Status::data) keep(step.data);
    if (step.status == Status::done) {
      complete_ = true;
      after_ = bytes.size();
      return end_body();
    }
    if (body_.size() >= kBodyLimit) return end_body();
    if (step.status == Status::more) break;
  }
  return std::nullopt;
}

void HttpDialogue::keep(std::string_view data) {
  if (check_.match.body.empty()) return;
  body_.append(data.substr(0, kBodyLimit - body_.size()));
}

HttpDialogue::Result HttpDialogue::end_body() {
  reusable_ = complete_ && after_ == 0 && head_.keep_alive && head_.status != 101 &&
              head_.framing.kind != http::Framing::Kind::until_close;
  return judge_body(check_.match, head_.status, body_);
}

CheckResult HttpDialogue::ended() {
  CheckResult result{.layer = CheckLayer::response};
  if (!in_body_) {
    result.detail = received_.empty() && skipped_ == 0
                        ? "connection closed without an answer"
                        : "connection closed inside the head of the answer";
    return result;
  }
  if (head_.framing.kind == http::Framing::Kind::until_close) return *end_body();
  result.status = head_.status;
  result.detail = "connection closed inside the body of the answer";
  return result;
}

}  // namespace weir::probe
