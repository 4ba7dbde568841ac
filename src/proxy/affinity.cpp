#include "proxy/affinity.h"

#include <ctime>

#include "proxy/exchange.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

using Kind = config::StickyConfig::Kind;

// The first of the values that is not empty.
void first_of(const std::vector<config::Value>& values, Exchange& x, std::string& out) {
  out.clear();
  for (const auto& value : values) {
    evaluate(value, x, out);
    if (!out.empty()) return;
  }
}

// As nginx writes the time of a cookie: years up to 2037 with two digits.
void append_expiry(std::string& out, std::time_t when) {
  std::tm parts{};
  gmtime_r(&when, &parts);
  char text[64];
  const char* format =
      parts.tm_year + 1900 > 2037 ? "%a, %d-%b-%Y %H:%M:%S GMT" : "%a, %d-%b-%y %H:%M:%S GMT";
  out.append(text, std::strftime(text, sizeof text, format, &parts));
}

bool is_samesite(std::string_view text) {
  return equal_ignoring_case(text, "strict") || equal_ignoring_case(text, "lax") ||
         equal_ignoring_case(text, "none");
}

// Nothing of a variable may end the field, or begin another attribute.
bool is_clean(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == ';') return false;
  }
  return true;
}

void append_attributes(const config::StickyConfig& sticky, Exchange& x, std::string& out) {
  if (sticky.expires_max) {
    out.append("; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000");
  } else if (sticky.expires) {
    const auto now = std::chrono::system_clock::to_time_t(x.worker().loop().wall());
    out.append("; expires=");
    append_expiry(out, now + static_cast<std::time_t>(sticky.expires->count()));
    out.append("; max-age=").append(std::to_string(sticky.expires->count()));
  }
  std::string text;
  evaluate(sticky.domain, x, text);
  if (!text.empty() && is_clean(text)) out.append("; domain=").append(text);
  if (sticky.httponly) out.append("; httponly");
  if (sticky.secure) out.append("; secure");
  text.clear();
  evaluate(sticky.samesite, x, text);
  if (!text.empty()) out.append("; samesite=").append(is_samesite(text) ? text : "strict");
  if (!sticky.path.empty()) out.append("; path=").append(sticky.path);
}

}  // namespace

void Affinity::reset() {
  id_.clear();
  cookie_.clear();
}

void Affinity::bind(Exchange& x, const PoolNode& pool, upstream::Walk& walk) {
  reset();
  if (pool.config == nullptr || !pool.config->sticky) return;
  const auto& sticky = *pool.config->sticky;
  first_of(sticky.lookup, x, id_);
  if (id_.empty()) return;
  if (sticky.kind != Kind::learn) return walk.bind(id_);
  std::string sid;
  if (pool.sessions->find(id_, sticky.timeout, x.worker().loop().now(), sid)) walk.bind(sid);
}

bool Affinity::binds(const PoolNode& pool) const {
  if (pool.config == nullptr || !pool.config->sticky) return false;
  return pool.config->sticky->kind == Kind::cookie || !id_.empty();
}

void Affinity::chose(Exchange& x, const PoolNode& pool, std::uint32_t peer) {
  if (pool.config == nullptr || !pool.config->sticky) return;
  const auto& sticky = *pool.config->sticky;
  if (sticky.kind != Kind::cookie) return;
  cookie_.assign(sticky.cookie).append("=").append(pool.pool->sid(peer));
  append_attributes(sticky, x, cookie_);
}

void Affinity::learn(Exchange& x, const PoolNode& pool, std::uint32_t peer, bool at_end) const {
  if (pool.sessions == nullptr) return;
  const auto& sticky = *pool.config->sticky;
  if (sticky.at_header == at_end) return;
  std::string created;
  first_of(sticky.create, x, created);
  const std::string& id = created.empty() ? id_ : created;
  if (id.empty()) return;
  pool.sessions->learn(id, pool.pool->sid(peer), !created.empty(), sticky.timeout,
                       x.worker().loop().now());
}

}  // namespace weir::proxy
