#include "proxy/refusal.h"

#include <boost/json.hpp>
#include <string>

#include "http/chunked.h"

namespace weir::proxy {
namespace {

namespace json = boost::json;
using Kind = http::Framing::Kind;

std::string unchunked(std::string_view body) {
  http::ChunkedDecoder decoder;
  std::string text;
  for (;;) {
    const auto step = decoder.next(body);
    text.append(step.data);
    body.remove_prefix(step.consumed);
    if (step.status != http::ChunkedDecoder::Status::data) return text;
  }
}

}  // namespace

bool is_whole(const http::Framing& framing, std::string_view body) {
  switch (framing.kind) {
    case Kind::none:
      return true;
    case Kind::counted:
      return body.size() >= framing.length;
    case Kind::chunked: {
      http::ChunkedDecoder decoder;
      return decoder.skim(body).status != http::ChunkedDecoder::Status::more;
    }
    case Kind::until_close:
      break;
  }
  return false;
}

namespace {

bool is_not_executed(int status, const std::string& text) {
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  if (error || !value.is_object()) return false;
  const auto* inner = value.as_object().if_contains("error");
  if (inner == nullptr || !inner->is_object()) return false;
  const auto& fields = inner->as_object();
  if (status == 503) {
    const auto* maintaining = fields.if_contains("maintaining");
    return maintaining != nullptr && maintaining->is_bool() && maintaining->as_bool();
  }
  const auto* code = fields.if_contains("code");
  return code != nullptr && code->is_string() && code->as_string() == "APP_NOT_FOUND";
}

}  // namespace

Refusal find_refusal(int status, const http::Framing& framing, std::string_view body) {
  const std::string text = framing.kind == Kind::chunked ? unchunked(body) : std::string(body);
  if (status == 500) {
    const auto manager = text.find("ConnectionManager");
    return manager != std::string::npos && text.find("closed", manager) != std::string::npos
               ? Refusal::failed
               : Refusal::no;
  }
  return is_not_executed(status, text) ? Refusal::not_executed : Refusal::no;
}

}  // namespace weir::proxy
