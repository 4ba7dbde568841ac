#include "proxy/answer.h"

#include <algorithm>

#include "content/type_set.h"
#include "http/chars.h"
#include "http/date.h"
#include "http/etag.h"
#include "http/status.h"
#include "proxy/text.h"

namespace weir::proxy {

void Answer::reset() {
  status = 0;
  reason.clear();
  length = -1;
  content_type.clear();
  charset.clear();
  last_modified.reset();
  last_modified_text.clear();
  etag.clear();
  location.clear();
  has_date = has_server = allow_ranges = single_range = false;
  count_ = 0;
}

void Answer::add(std::string_view name, std::string_view value) {
  if (count_ == fields_.size()) fields_.emplace_back();
  auto& field = fields_[count_++];
  field.name.assign(name);
  field.value.assign(value);
}

void Answer::remove(std::string_view name) {
  std::size_t to = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (http::equal_ignoring_case(fields_[i].name, name)) continue;
    if (to != i) std::swap(fields_[to], fields_[i]);
    ++to;
  }
  count_ = to;
}

void Answer::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

const std::string* Answer::find(std::string_view name) const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (http::equal_ignoring_case(fields_[i].name, name)) return &fields_[i].value;
  }
  return nullptr;
}

void Answer::clear_validators() {
  last_modified.reset();
  last_modified_text.clear();
  etag.clear();
}

void Answer::body_changes(bool keeps_validators) {
  length = -1;
  allow_ranges = false;
  remove("Accept-Ranges");
  if (!keeps_validators) {
    clear_validators();
  } else if (!etag.empty() && !http::weaken_etag(etag)) {
    etag.clear();
  }
}

std::string Answer::full_type() const {
  if (content_type.empty() || charset.empty()) return content_type;
  return content_type + "; charset=" + charset;
}

void Answer::set_type(std::string_view value) {
  const auto parsed = content::parse_content_type(value);
  if (parsed.charset.empty()) {
    content_type.assign(value);
    charset.clear();
  } else {
    charset.assign(parsed.charset);
    content_type.assign(parsed.matched);
  }
}

void Answer::write(std::string_view server_and_date, bool with_length, std::string& out) const {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(status));
  out.push_back(' ');
  out.append(reason.empty() ? http::reason_phrase(status) : std::string_view(reason));
  out.append("\r\n");
  const auto date_at = server_and_date.find("\r\n") + 2;
  if (!has_server) out.append(server_and_date.substr(0, date_at));
  if (!has_date) out.append(server_and_date.substr(date_at));
  if (!content_type.empty()) {
    out.append("Content-Type: ").append(content_type);
    if (!charset.empty()) out.append("; charset=").append(charset);
    out.append("\r\n");
  }
  if (with_length && length >= 0) {
    out.append("Content-Length: ");
    append_number(out, static_cast<std::uint64_t>(length));
    out.append("\r\n");
  }
  if (!last_modified_text.empty()) {
    out.append("Last-Modified: ").append(last_modified_text).append("\r\n");
  } else if (last_modified) {
    char date[http::kDateSize];
    http::format_date(*last_modified, date);
    out.append("Last-Modified: ").append(date, sizeof date).append("\r\n");
  }
  if (!location.empty()) out.append("Location: ").append(location).append("\r\n");
  if (!etag.empty()) out.append("ETag: ").append(etag).append("\r\n");
  for (std::size_t i = 0; i < count_; ++i) {
    out.append(fields_[i].name).append(": ").append(fields_[i].value).append("\r\n");
  }
}

}  // namespace weir::proxy
