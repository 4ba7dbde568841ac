#include "content/accept_encoding.h"

#include <algorithm>

#include "http/chars.h"
#include "http/date.h"
#include "http/user_agent.h"

namespace weir::content {
namespace {

using http::equal_ignoring_case;
using http::is_digit;

constexpr int kBest = 1000;

// ---- gzip as nginx reads it ---------------------------------------------------------------------

// The digits of a quality behind "q=" up to a comma or space, as nginx weighs them: it adds the
// decimals up, which tells 0 from more than 0.
bool is_positive_quality(std::string_view text) {
  text = text.substr(0, text.find_first_of(", "));
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return false;
  int weight = text[0] == '1' ? 100 : 0;
  if (text.size() > 1 && text[1] != '.') return false;
  const auto decimals = text.substr(std::min<std::size_t>(text.size(), 2));
  if (decimals.size() > 3) return false;
  for (const char c : decimals) {
    if (!is_digit(c)) return false;
    weight += c - '0';
  }
  return weight > 0 && weight <= 100;
}

// What follows the word gzip.
bool is_accepted(std::string_view rest) {
  const auto skip_spaces = [&rest] {
    while (rest.starts_with(' ')) rest.remove_prefix(1);
  };
  skip_spaces();
  if (rest.empty() || rest.front() == ',') return true;
  if (rest.front() != ';') return false;
  rest.remove_prefix(1);
  skip_spaces();
  if (rest.empty()) return true;
  if (http::to_lower(rest.front()) != 'q') return false;
  return rest.substr(1).starts_with('=') && is_positive_quality(rest.substr(2));
}

// ---- the others, as RFC 9110 has it -------------------------------------------------------------

// "0.5" as 500; nullopt: malformed.
std::optional<int> parse_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int value = text[0] == '1' ? kBest : 0;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int scale = kBest;
  for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (!is_digit(c)) return std::nullopt;
    value += (c - '0') * (scale /= 10);
  }
  return value <= kBest ? std::optional(value) : std::nullopt;
}

// The quality of one item of the list; 0 if it is malformed.
int quality_of(std::string_view item) {
  const auto semicolon = item.find(';');
  if (semicolon == std::string_view::npos) return kBest;
  const auto weight = http::trim_blanks(item.substr(semicolon + 1));
  if (weight.size() < 2 || http::to_lower(weight[0]) != 'q' || weight[1] != '=') return 0;
  return parse_quality(weight.substr(2)).value_or(0);
}

struct Qualities {
  std::optional<int> zstd, brotli, gzip, identity, any;
};

Qualities read_qualities(std::string_view accept_encoding) {
  Qualities found;
  http::for_each_item(accept_encoding, [&found](std::string_view item) {
    const auto name = http::trim_blanks(item.substr(0, item.find(';')));
    std::optional<int>* const of = equal_ignoring_case(name, "zstd")       ? &found.zstd
                                   : equal_ignoring_case(name, "br")       ? &found.brotli
                                   : equal_ignoring_case(name, "gzip")     ? &found.gzip
                                   : equal_ignoring_case(name, "identity") ? &found.identity
                                   : name == "*"                           ? &found.any
                                                                           : nullptr;
    if (of != nullptr && !*of) *of = quality_of(item);
  });
  return found;
}

// ---- gzip_proxied -------------------------------------------------------------------------------

// Whether one of the fields has the directive, without a value.
bool has_directive(std::span<const std::string_view> fields, std::string_view directive) {
  return std::any_of(fields.begin(), fields.end(), [&](std::string_view field) {
    bool found = false;
    http::for_each_item(field, [&](std::string_view item) {
      found = found || equal_ignoring_case(item, directive);
    });
    return found;
  });
}

bool is_expired(const AnswerFacts& answer, std::time_t now) {
  const auto expires = http::parse_date(*answer.expires);
  const auto date = answer.date ? http::parse_date(*answer.date) : std::optional(now);
  return expires && date && *expires < *date;
}

bool may_compress_for_proxy(const Proxied& proxied, const ClientFacts& client,
                            const AnswerFacts& answer, std::time_t now) {
  if (proxied.off) return false;
  if (proxied.any || (proxied.auth && client.authorization)) return true;
  if (answer.expires) return proxied.expired && is_expired(answer, now);
  if (!answer.cache_control.empty()) {
    const auto has = [&answer](std::string_view name) {
      return has_directive(answer.cache_control, name);
    };
    return (proxied.no_cache && has("no-cache")) || (proxied.no_store && has("no-store")) ||
           (proxied.private_ && has("private"));
  }
  if (proxied.no_last_modified && answer.last_modified) return false;
  return !(proxied.no_etag && answer.etag);
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  constexpr std::string_view word = "gzip";
  for (std::size_t at = 0; at + word.size() <= accept_encoding.size(); ++at) {
    if (!equal_ignoring_case(accept_encoding.substr(at, word.size()), word)) continue;
    const char before = at == 0 ? ',' : accept_encoding[at - 1];
    if (before == ',' || before == ' ')
      return is_accepted(accept_encoding.substr(at + word.size()));
    at += word.size() - 1;
  }
  return false;
}

std::string_view coding_name(Coding coding) {
  switch (coding) {
    case Coding::zstd:
      return "zstd";
    case Coding::brotli:
      return "br";
    case Coding::gzip:
      return "gzip";
  }
  return {};
}

std::optional<Coding> choose_coding(std::string_view accept_encoding, CodingSet offered) {
  const auto found = read_qualities(accept_encoding);
  const int any = found.any.value_or(0);
  std::optional<Coding> best;
  int best_quality = std::max(1, found.identity.value_or(0));
  const auto consider = [&](Coding coding, bool offer, int quality) {
    if (!offer || quality < best_quality || (best && quality == best_quality)) return;
    best = coding;
    best_quality = quality;
  };
  consider(Coding::zstd, offered.zstd, found.zstd.value_or(any));
  consider(Coding::brotli, offered.brotli, found.brotli.value_or(any));
  // What nginx takes for a quality above 0 counts as at least the least there is.
  const int gzip = accepts_gzip(accept_encoding) ? std::max(1, found.gzip.value_or(kBest)) : 0;
  consider(Coding::gzip, offered.gzip, gzip);
  return best;
}

bool may_compress(const CompressionPolicy& policy, const ClientFacts& client,
                  const AnswerFacts& answer, std::time_t now) {
  if (client.http_version < policy.http_version) return false;
  if (client.via && !may_compress_for_proxy(policy.proxied, client, answer, now)) return false;
  if (!client.user_agent) return true;
  if (policy.disable_msie6 && http::parse_user_agent(*client.user_agent).msie6) return false;
  return std::none_of(policy.disable.begin(), policy.disable.end(),
                      [&](const auto& matches) { return matches(*client.user_agent); });
}

}  // namespace weir::content
