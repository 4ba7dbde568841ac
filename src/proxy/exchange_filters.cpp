// What happens to the head of an answer before it is sent: nginx's header filters, in its order,
// and the filters of the body that follow from them.
#include <algorithm>
#include <array>

#include "config/units.h"
#include "content/accept_encoding.h"
#include "content/compress.h"
#include "content/expires.h"
#include "content/preconditions.h"
#include "http/date.h"
#include "http/user_agent.h"
#include "proxy/exchange.h"
#include "proxy/filters.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

using http::FieldId;

// The statuses that `expires` and `add_header` (without `always`) are for.
bool is_usual(int status) {
  static constexpr std::array kUsual = {200, 201, 204, 206, 301, 302, 303, 304, 307, 308};
  return std::find(kUsual.begin(), kUsual.end(), status) != kUsual.end();
}

std::optional<std::string_view> field_of(const http::Head& head, FieldId id) {
  const auto* field = head.has(id) ? head.find(id) : nullptr;
  if (field == nullptr) return std::nullopt;
  return head.value(*field);
}

std::optional<std::string_view> field_of(const http::Head& head, std::string_view name) {
  const auto* field = head.find(name);
  if (field == nullptr) return std::nullopt;
  return head.value(*field);
}

content::Validators validators(const Answer& answer) {
  content::Validators result;
  result.last_modified = answer.last_modified;
  if (!answer.etag.empty()) result.etag = answer.etag;
  return result;
}

bool is_type_of(const content::TypeSet& types, const Answer& answer) {
  return types.contains(answer.content_type);
}

}  // namespace

bool applies_to(const config::HeaderValue& header, int status) {
  return header.always || is_usual(status);
}

// In nginx's order: not_modified, headers, gunzip, addition, sub, charset, ssi, gzip, range.
Step Exchange::filter_head(bool from_peer) {
  filters_.clear();
  ssi_.reset();
  ranges_.clear();
  multipart_.reset();
  compressor_.reset();
  if (is_main() && !from_peer) {
    const Step step = filter_preconditions();
    if (!step.goes_on()) return step;
  }
  if (is_main()) {
    filter_expires();
    if (!filter_added_headers()) return Step::answer_with(500);
  }
  const auto& c = config();
  if (c.gunzip) filter_gunzip();
  add_surroundings_ = is_main() && answer_.status == 200 &&
                      (!c.add_before_body.empty() || !c.add_after_body.empty()) &&
                      is_type_of(location_->tools().addition_types, answer_);
  if (add_surroundings_) answer_.body_changes(true);
  if (!c.sub_filter.empty()) filter_substitutions();
  if (!c.charset.empty() || accel_charset_) filter_charset();
  if (c.ssi) filter_ssi();
  if (is_main() && (c.gzip || c.brotli || c.zstd)) filter_compression();
  if (is_main() && (vary_on_encoding_ && c.gzip_vary)) answer_.add("Vary", "Accept-Encoding");
  return is_main() ? filter_ranges() : Step{};
}

Step Exchange::filter_preconditions() {
  if (answer_.status != 200) return {};
  const auto& r = request();
  content::Conditions conditions;
  conditions.if_match = field_of(r, "if-match");
  conditions.if_unmodified_since = field_of(r, "if-unmodified-since");
  conditions.if_none_match = field_of(r, FieldId::if_none_match);
  conditions.if_modified_since = field_of(r, FieldId::if_modified_since);
  const auto mode = static_cast<content::IfModifiedSince>(config().if_modified_since);
  switch (content::check_preconditions(answer_.status, validators(answer_), conditions, mode)) {
    case content::Precondition::pass:
      return {};
    case content::Precondition::failed:
      return Step::answer_with(412);
    case content::Precondition::not_modified:
      break;
  }
  answer_.status = 304;
  answer_.reason.clear();
  answer_.content_type.clear();
  answer_.charset.clear();
  answer_.length = -1;
  answer_.allow_ranges = false;
  answer_.remove("Accept-Ranges");
  answer_.remove("Content-Encoding");
  return {};
}

void Exchange::filter_expires() {
  using Kind = config::ExpiresConfig::Kind;
  const auto& c = config().expires;
  if (c.kind == Kind::off || !is_usual(answer_.status)) return;
  content::Expires expires;
  if (c.kind == Kind::value) {
    std::string text;
    evaluate(c.value, *this, text);
    std::string_view problem;
    const auto parsed = content::parse_expires(text, c.modified, &config::parse_seconds, problem);
    if (!parsed) return;
    expires = *parsed;
  } else {
    expires.time = c.time;
    expires.kind = c.kind == Kind::epoch      ? content::Expires::Kind::epoch
                   : c.kind == Kind::max      ? content::Expires::Kind::max
                   : c.kind == Kind::modified ? content::Expires::Kind::modified
                   : c.kind == Kind::daily    ? content::Expires::Kind::daily
                                              : content::Expires::Kind::access;
  }
  const auto now = std::chrono::system_clock::to_time_t(worker_.loop().wall());
  const auto fields = content::cache_fields(expires, now, answer_.last_modified);
  if (!fields) return;
  answer_.set("Expires", fields->expires);
  answer_.set("Cache-Control", fields->cache_control);
}

// False: a value would break the head's lines.
bool Exchange::filter_added_headers() {
  std::string value;
  for (const auto& header : config().add_header) {
    if (!applies_to(header, answer_.status)) continue;
    value.clear();
    evaluate(header.value, *this, value);
    if (!is_field_text(value)) {
      log(LogLevel::error, "add_header: the value of " + header.name + " has line breaks");
      if (error_status_ == 500) continue;  // the page of this error goes without the field
      return false;
    }
    if (http::equal_ignoring_case(header.name, "last-modified")) {
      answer_.last_modified = http::parse_date(value);
      answer_.last_modified_text = value;
    } else if (http::equal_ignoring_case(header.name, "etag")) {
      answer_.etag = value;
    } else if (!value.empty()) {
      answer_.add(header.name, value);
    }
  }
  return true;
}

void Exchange::filter_gunzip() {
  const auto* coding = answer_.find("Content-Encoding");
  if (coding == nullptr || !http::equal_ignoring_case(*coding, "gzip")) return;
  vary_on_encoding_ = true;
  if (accepts_coding("gzip")) return;
  answer_.remove("Content-Encoding");
  answer_.body_changes(true);
  filters_.add(make_gunzip_filter());
}

void Exchange::filter_substitutions() {
  if (answer_.length == 0 || !is_type_of(location_->tools().sub_filter_types, answer_)) return;
  filters_.add(make_substitution_filter(*this));
  answer_.body_changes(config().sub_filter_last_modified);
}

void Exchange::filter_charset() {
  const auto& c = config();
  std::string charset;
  std::string source;
  evaluate(c.charset, *this, charset);
  evaluate(c.source_charset, *this, source);
  const std::string type = answer_.full_type();
  content::CharsetQuestion question;
  question.charsets = &runtime().charsets;
  question.types = &location_->tools().charset_types;
  if (!charset.empty() && charset != "off" && is_field_text(charset)) question.charset = charset;
  if (!source.empty() && source != "off") question.source = source;
  question.override_charset = c.override_charset;
  question.status = answer_.status;
  question.type = content::parse_content_type(type);
  question.encoded = answer_.find("Content-Encoding") != nullptr;
  if (accel_charset_) question.accel = *accel_charset_;
  const auto decision = content::decide_charset(question);
  if (decision.unmapped) {
    log(LogLevel::error,
        "no \"charset_map\" between the charsets \"" + source + "\" and \"" + charset + "\"");
  }
  if (decision.unknown_accel) {
    log(LogLevel::error, "unknown charset \"" + *accel_charset_ + "\" to override");
  }
  if (decision.action == content::CharsetDecision::Action::leave) return;
  answer_.content_type = std::string(question.type.matched);
  answer_.charset = std::string(decision.charset);
  if (decision.action != content::CharsetDecision::Action::recode) return;
  if (decision.recoding.map->has_utf8()) answer_.length = -1;
  filters_.add(make_charset_filter(decision.recoding));
}

// ---- compression
// -----------------------------------------------------------------------------------

bool Exchange::may_compress() const {
  content::ClientFacts client;
  client.http_version = request().version;
  client.via = request().find("via") != nullptr;
  client.authorization = request().has(FieldId::authorization);
  client.user_agent = field_of(request(), FieldId::user_agent);
  content::AnswerFacts facts;
  std::string_view controls[8];
  std::size_t count = 0;
  for (std::size_t i = 0; i < answer_.size(); ++i) {
    const auto& field = answer_.field(i);
    if (http::equal_ignoring_case(field.name, "cache-control") && count < std::size(controls)) {
      controls[count++] = field.value;
    } else if (http::equal_ignoring_case(field.name, "expires")) {
      facts.expires = field.value;
    } else if (http::equal_ignoring_case(field.name, "date")) {
      facts.date = field.value;
    }
  }
  facts.cache_control = {controls, count};
  facts.last_modified = answer_.last_modified.has_value();
  facts.etag = !answer_.etag.empty();
  const auto now = std::chrono::system_clock::to_time_t(worker_.loop().wall());
  return content::may_compress(location_->tools().compression, client, facts, now);
}

std::string_view Exchange::accept_encoding() const {
  return field_of(request(), FieldId::accept_encoding).value_or(std::string_view{});
}

bool Exchange::accepts_coding(std::string_view name) const {
  if (!is_main()) return false;  // a part of an answer is not coded by itself
  const auto accepted = accept_encoding();
  if (name == "gzip") return content::accepts_gzip(accepted) && may_compress();
  content::CodingSet offered;
  (name == "br" ? offered.brotli : offered.zstd) = true;
  return content::choose_coding(accepted, offered).has_value() && may_compress();
}

void Exchange::filter_compression() {
  const auto& c = config();
  const auto& tools = location_->tools();
  const int status = answer_.status;
  if ((status != 200 && status != 403 && status != 404) ||
      answer_.find("Content-Encoding") != nullptr) {
    return;
  }
  const auto fits = [&](bool on, const content::TypeSet& types, std::uint64_t least) {
    return on && is_type_of(types, answer_) &&
           (answer_.length < 0 || static_cast<std::uint64_t>(answer_.length) >= least);
  };
  content::CodingSet offered;
  offered.gzip = fits(c.gzip, tools.gzip_types, c.gzip_min_length);
  offered.brotli = fits(c.brotli, tools.brotli_types, c.brotli_min_length);
  offered.zstd = fits(c.zstd, tools.zstd_types, c.zstd_min_length);
  if (!offered.gzip && !offered.brotli && !offered.zstd) return;
  vary_on_encoding_ = true;
  const auto coding = content::choose_coding(accept_encoding(), offered);
  if (!coding || !may_compress()) return;
  compressor_ = make_compression_filter(c, *coding, answer_.length);
  if (compressor_ == nullptr) return;
  answer_.add("Content-Encoding", content::coding_name(*coding));
  answer_.body_changes(true);
}

// ---- ranges
// ----------------------------------------------------------------------------------------

Step Exchange::filter_ranges() {
  if (answer_.status != 200 || answer_.length < 0 || !answer_.allow_ranges) return {};
  if (config().max_ranges == 0) {
    answer_.allow_ranges = false;
    return {};
  }
  const auto range = field_of(request(), FieldId::range);
  const bool wanted =
      range && content::if_range_holds(field_of(request(), FieldId::if_range), validators(answer_));
  auto verdict = content::RangeVerdict::ignore;
  if (wanted) {
    const auto most = answer_.single_range ? 1U : config().max_ranges;
    verdict = content::parse_ranges(*range, answer_.length, most, ranges_);
  }
  std::string text;
  switch (verdict) {
    case content::RangeVerdict::ignore:
      ranges_.clear();
      answer_.add("Accept-Ranges", "bytes");
      return {};
    case content::RangeVerdict::unsatisfiable:
      ranges_.clear();
      content::append_unsatisfied_range(answer_.length, text);
      answer_.set("Content-Range", text);
      answer_.length = -1;
      return Step::answer_with(416);
    case content::RangeVerdict::partial:
      break;
  }
  answer_.status = 206;
  answer_.reason.clear();
  const auto whole = answer_.length;
  if (ranges_.size() == 1) {
    content::append_content_range(ranges_.front(), whole, text);
    answer_.set("Content-Range", text);
    answer_.length = ranges_.front().size();
    return {};
  }
  multipart_.emplace(worker_.random() >> 1, answer_.full_type(), whole);
  answer_.content_type = multipart_->content_type();
  answer_.charset.clear();
  answer_.length = multipart_->size(ranges_);
  return {};
}

}  // namespace weir::proxy
