#include "admin/api.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "admin/explain.h"
#include "admin/guard.h"
#include "admin/query.h"
#include "admin/utf8.h"
#include "admin/verbs.h"
#include "config/suggest.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view kPrefix = "/api/";

// Takes the same time for every wrong token of a length.
bool has_token(std::string_view authorization, const std::string& token) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() != scheme.size() + token.size()) return false;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != scheme[i]) return false;
  }
  return CRYPTO_memcmp(authorization.data() + scheme.size(), token.data(), token.size()) == 0;
}

// Empty, or what is wrong.
std::string read_query(std::string_view query, const VerbInfo& verb, Command& out) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = decode(pair.substr(0, equals));
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())));
    if (name == "target") {
      out.target = std::move(value);
    } else if (name == "value") {
      out.value = std::move(value);
    } else if (verb.option(name) == VerbInfo::Option::unknown) {
      return "unknown option " + config::quote(name) + " of " + std::string(verb.name);
    } else {
      out.options.emplace(name, std::move(value));
    }
  }
  return {};
}

// Empty, or why the request may not.
std::string why_not(const Source& source, const Request& request) {
  if (request.trusted) return {};
  const auto token = source.token ? source.token() : std::string();
  if (token.empty()) {
    return "nothing can be changed over this listener; set a token in admin { }, or use the "
           "`weir` command on the machine";
  }
  if (!has_token(request.authorization, token)) {
    return "the token is missing or wrong; send \"Authorization: Bearer TOKEN\"";
  }
  return {};
}

void change(const Source& source, const Command& command, const Request& request,
            const Answer& answer) {
  if (source.operators == nullptr || !source.changed) {
    return answer(refusal(503, "nothing can be changed here"));
  }
  const auto wall = source.clock->wall().time_since_epoch();
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(wall).count();
  const auto outcome = execute(source, command, now);
  if (!outcome.ok()) return answer(refusal(outcome.status, outcome.text));
  if (source.log != nullptr) {
    source.log->notice("operators: " + outcome.text +
                       (request.trusted ? "" : ", over the admin listener"));
  }
  source.changed(outcome.effect, [answer, text = outcome.text](const std::string& error) {
    json::object out = {{"ok", true}, {"text", to_utf8(text)}};
    if (!error.empty()) out["warning"] = to_utf8("it ends with weir, it is not kept: " + error);
    answer(json_page(200, out));
  });
}

void status(const Source& source, const Command& command, const Answer& answer) {
  std::vector<std::string> names;
  const auto runtime = source.present();
  if (runtime != nullptr) {
    for (const auto& node : runtime->pools) names.push_back(node.pool->name());
  }
  const auto& pool = command.target;
  if (!pool.empty() && std::find(names.begin(), names.end(), pool) == names.end()) {
    return answer(refusal(404, "unknown pool " + config::quote(pool) + known_names(pool, names)));
  }
  Page page;
  page.type = "application/json";
  page.body = upstreams_json(source, pool);
  answer(std::move(page));
}

void answer_api(const Source& source, const Request& request, const Answer& answer) {
  const auto mark = std::min(request.target.find('?'), request.target.size());
  const auto name = request.target.substr(kPrefix.size(), mark - kPrefix.size());
  const auto* verb = find_verb(name);
  if (verb == nullptr || verb->kind == VerbInfo::Kind::local) {
    std::vector<std::string_view> names;
    for (const auto& known : verb_table()) {
      if (known.kind != VerbInfo::Kind::local) names.push_back(known.name);
    }
    return answer(
        refusal(404, "unknown verb " + config::quote(name) + config::did_you_mean(name, names)));
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool changes = verb->kind == VerbInfo::Kind::changes;
  if (changes ? request.method != "POST" : !reads) {
    auto page =
        refusal(405, std::string(verb->name) + " takes " + (changes ? "POST" : "GET") + " only");
    page.allow = changes ? "POST" : "GET, HEAD";
    return answer(std::move(page));
  }
  if (changes) {
    if (const auto why = why_not(source, request); !why.empty()) return answer(refusal(403, why));
  }
  Command command;
  command.verb = verb->verb;
  const auto query = request.target.substr(std::min(mark + 1, request.target.size()));
  if (const auto error = read_query(query, *verb, command); !error.empty()) {
    return answer(refusal(400, error));
  }
  if (changes) return change(source, command, request, answer);
  if (verb->verb == Verb::explain) return explain(source, command, answer);
  status(source, command, answer);
}

// RFC 9110, 13.1.2: weak comparison.
bool has_etag(std::string_view list, std::string_view etag) {
  return !etag.empty() && (list == "*" || list.find(etag) != std::string_view::npos);
}

}  // namespace

Page json_page(unsigned status, const json::object& object) {
  Page page;
  page.status = status;
  page.type = "application/json";
  page.body = json::serialize(object) + "\n";
  return page;
}

Page refusal(unsigned status, const std::string& why) {
  return json_page(status, {{"error", to_utf8(why)}});
}

void answer(const Source& source, const Request& request, const Answer& answer) {
  if (const auto why = why_refused(source, request); !why.empty()) {
    return answer(refusal(403, why));
  }
  if (request.target.starts_with(kPrefix)) return answer_api(source, request, answer);
  auto page = page_for(source, request.method, request.target);
  if (has_etag(request.if_none_match, page.etag)) {
    page.status = 304;
    page.body.clear();
  }
  answer(std::move(page));
}

}  // namespace weir::admin
