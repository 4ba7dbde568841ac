// What variables ask an exchange for beyond its plain members.
#include "access/secure_link.h"
#include "config/units.h"
#include "http/date.h"
#include "proxy/exchange.h"
#include "proxy/text.h"
#include "proxy/variables.h"
#include "proxy/worker.h"

namespace weir::proxy {
namespace {

bool append_own_field(const Answer& answer, std::string_view name, std::string& out) {
  if (name == "content-type") {
    out.append(answer.full_type());
  } else if (name == "content-length") {
    if (answer.length >= 0) append_number(out, static_cast<std::uint64_t>(answer.length));
  } else if (name == "location") {
    out.append(answer.location);
  } else if (name == "etag") {
    out.append(answer.etag);
  } else if (name == "last-modified") {
    if (!answer.last_modified_text.empty()) {
      out.append(answer.last_modified_text);
    } else if (answer.last_modified) {
      char date[http::kDateSize];
      http::format_date(*answer.last_modified, date);
      out.append(date, sizeof date);
    }
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string_view Exchange::origin_form() {
  const auto& request = main_->request_;
  if (request.authority_size == 0) return request.target_text();
  origin_form_.assign(request.path_size == 0 ? std::string_view("/") : request.path_text());
  if (request.has_query) origin_form_.append("?").append(request.query_text());
  return origin_form_;
}

std::string_view Exchange::capture(std::uint32_t index) const {
  if (index >= captures_.size()) return {};
  const auto [from, to] = captures_[index];
  if (from == std::string::npos) return {};
  return std::string_view(match_subject_).substr(from, to - from);
}

bool Exchange::match(const config::Pattern& pattern, std::string_view subject) {
  search_captures_.clear();
  if (!pattern.regex->match(subject, &search_captures_)) return false;
  remember_match(pattern, subject);
  return true;
}

void Exchange::assign(const config::VariableRef& variable, std::string_view text) {
  switch (variable.id) {
    case config::Variable::args:
      args_.assign(text);
      untouched_path_ = false;
      return;
    case config::Variable::limit_rate:
      limit_rate_.emplace(text);
      return;
    default:
      variables().assign(variable.index, text);
  }
}

void Exchange::remember_match(const config::Pattern& pattern, std::string_view subject) {
  match_subject_.assign(subject);
  captures_.swap(search_captures_);
  for (const auto& [group, variable] : pattern.variables) {
    variables().assign(variable, capture(group));
  }
}

std::string_view Exchange::pool_name() const {
  return pool_ != nullptr ? std::string_view(pool_->pool->name()) : std::string_view{};
}

std::string_view Exchange::client_text() {
  auto& main = *main_;
  if (main.client_text_size_ == 0) {
    main.client_text_size_ =
        static_cast<std::uint8_t>(main.client_address_.write_host(main.client_text_));
  }
  return {main.client_text_, main.client_text_size_};
}

std::string_view Exchange::request_id() {
  auto& main = *main_;
  if (!main.has_request_id_) {
    static constexpr char digits[] = "0123456789abcdef";
    for (int half = 0; half < 2; ++half) {
      auto bits = worker_.random();
      for (int i = 0; i < 16; ++i, bits >>= 4) main.request_id_[half * 16 + i] = digits[bits & 15];
    }
    main.has_request_id_ = true;
  }
  return {main.request_id_, sizeof request_id_};
}

void Exchange::append_sent_field(std::string_view name, std::string& out) {
  auto& main = *main_;
  if (!main.sent_head_.empty()) return append_line_field(main.sent_head_, name, out);
  if (main.answer_.status != 0) {
    if (append_own_field(main.answer_, name, out)) return;
    bool first = true;
    for (std::size_t i = 0; i < main.answer_.size(); ++i) {
      const auto& field = main.answer_.field(i);
      if (!equal_ignoring_case(field.name, name)) continue;
      if (!first) out.append(", ");
      first = false;
      out.append(field.value);
    }
    return;
  }
  // The head of a peer's answer that passes as it is.
  if (!main.has_response_) return;
  bool first = true;
  for (const auto& field : main.response_.fields) {
    if (!equal_ignoring_case(main.response_.name(field), name)) continue;
    if (!first) out.append(", ");
    first = false;
    out.append(main.response_.value(field));
  }
}

bool Exchange::has_valid_referer() {
  const auto& referers = location_->tools().referers;
  if (!referers) return true;
  const auto* field =
      request().has(http::FieldId::referer) ? request().find(http::FieldId::referer) : nullptr;
  return referers->valid(field != nullptr ? std::optional(request().value(*field)) : std::nullopt);
}

// $secure_link and $secure_link_expires.
void Exchange::append_secure_link(std::string& out, bool expires) {
  const auto& c = config().secure_link;
  if (!c.secret.empty()) {
    if (const auto link = access::check_secret_link(path_, c.secret); link && !expires) {
      out.append(*link);
    }
    return;
  }
  if (c.link.empty() || c.md5.empty()) return;
  std::string value;
  std::string text;
  evaluate(c.link, *this, value);
  // The text that is hashed may hold the time until which the link is good.
  const auto comma = value.rfind(',');
  if (expires) {
    if (comma != std::string::npos) out.append(value, comma + 1);
    return;
  }
  evaluate(c.md5, *this, text);
  const auto now = std::chrono::system_clock::to_time_t(worker_.loop().wall());
  switch (access::check_link(value, text, now).verdict) {
    case access::LinkVerdict::valid:
      out.push_back('1');
      break;
    case access::LinkVerdict::expired:
      out.push_back('0');
      break;
    case access::LinkVerdict::invalid:
      break;
  }
}

void Exchange::append_rate(std::string& out) {
  std::string text;
  if (main_->limit_rate_) {
    text = *main_->limit_rate_;
  } else {
    evaluate(config().limit_rate, *this, text);
  }
  append_number(out, config::parse_size(text).value_or(0));
}

}  // namespace weir::proxy
