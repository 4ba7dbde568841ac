#include "proxy/location_tools.h"

#include <algorithm>
#include <limits>

#include "proxy/log_target.h"

namespace weir::proxy {
namespace {

std::shared_ptr<const content::MimeTypes> make_types(const config::TypeMap& types,
                                                     RouteParts& parts) {
  auto& known = parts.types[types.get()];
  if (known == nullptr) {
    auto table = types == nullptr ? content::MimeTypes::defaults() : content::MimeTypes();
    if (types != nullptr) {
      for (const auto& [extension, type] : *types) table.add(extension, type);
    }
    known = std::make_shared<const content::MimeTypes>(std::move(table));
  }
  return known;
}

content::TypeSet make_set(const config::TypeSet& types) {
  content::TypeSet set;
  if (types.all) set.add("*");
  for (const auto& type : types.types) set.add(type);
  return set;
}

content::CompressionPolicy make_policy(const config::RequestConfig& r) {
  content::CompressionPolicy policy;
  policy.http_version = static_cast<int>(r.gzip_http_version);
  const auto has = [&](config::GzipProxied bit) { return (r.gzip_proxied & bit) != 0; };
  policy.proxied.off = r.gzip_proxied == 0;
  policy.proxied.expired = has(config::gzip_expired);
  policy.proxied.no_cache = has(config::gzip_no_cache);
  policy.proxied.no_store = has(config::gzip_no_store);
  policy.proxied.private_ = has(config::gzip_private);
  policy.proxied.no_last_modified = has(config::gzip_no_last_modified);
  policy.proxied.no_etag = has(config::gzip_no_etag);
  policy.proxied.auth = has(config::gzip_auth);
  policy.proxied.any = has(config::gzip_any);
  policy.disable_msie6 = r.gzip_disable.msie6;
  for (const auto& agent : r.gzip_disable.agents) {
    policy.disable.push_back(
        [agent](std::string_view text) { return agent->match(text, nullptr); });
  }
  return policy;
}

std::optional<access::Referers> make_referers(const config::ValidReferers& config,
                                              const config::ServerConfig* server) {
  if (config.empty()) return std::nullopt;
  access::Referers referers;
  if (config.none) referers.allow_none();
  if (config.blocked) referers.allow_blocked();
  for (const auto& name : config.names) static_cast<void>(referers.add_name(name));
  for (const auto& pattern : config.patterns) referers.add_pattern(pattern.regex);
  if (!config.server_names || server == nullptr) return referers;
  using Kind = config::ServerName::Kind;
  for (const auto& name : server->names) {
    if (name.kind == Kind::regex) {
      referers.add_server_pattern(name.pattern.regex);
    } else if (!name.text.empty()) {
      const std::string text = name.kind == Kind::leading_wildcard    ? "*" + name.text
                               : name.kind == Kind::trailing_wildcard ? name.text + "*"
                                                                      : name.text;
      static_cast<void>(referers.add_name(text));
    }
  }
  return referers;
}

std::shared_ptr<const content::SubstitutePatterns> make_substitutions(
    const std::vector<config::SubFilter>& filters) {
  std::vector<std::string> patterns;
  for (const auto& filter : filters) {
    if (!filter.from.is_constant()) return nullptr;
    patterns.emplace_back(filter.from.constant());
  }
  if (patterns.empty()) return nullptr;
  return std::make_shared<const content::SubstitutePatterns>(patterns);
}

std::shared_ptr<Log> make_log(const std::vector<config::ErrorLog>& logs, RouteParts& parts) {
  if (logs.empty() || parts.log_files == nullptr) return nullptr;
  std::vector<Log::Target> targets;
  for (const auto& log : logs) targets.push_back(log_target(log));
  for (const auto& [known, log] : parts.logs) {
    if (known == targets) return log;
  }
  auto log = std::make_shared<Log>(*parts.log_files);
  // The files have been opened before; should one be gone, what was opened at first stays.
  static_cast<void>(log->configure(targets));
  parts.logs.emplace_back(std::move(targets), log);
  return log;
}

std::shared_ptr<PerWorker<LocationStats>> make_counters(const config::Location& location,
                                                        RouteParts& parts) {
  if (!parts.counters) return nullptr;
  if (location.kind != config::LocationKind::unnamed) {
    parts.last_counters = location.path.empty() ? nullptr : parts.counters(location);
  }
  return parts.last_counters;
}

}  // namespace

LocationTools::LocationTools(const config::Location& location, RouteParts& parts)
    : types(make_types(location.request.types, parts)),
      compression(make_policy(location.request)),
      gzip_types(make_set(location.request.gzip_types)),
      brotli_types(make_set(location.request.brotli_types)),
      zstd_types(make_set(location.request.zstd_types)),
      charset_types(make_set(location.request.charset_types)),
      sub_filter_types(make_set(location.request.sub_filter_types)),
      addition_types(make_set(location.request.addition_types)),
      ssi_types(make_set(location.request.ssi_types)),
      referers(make_referers(location.request.valid_referers, parts.server)),
      log(make_log(location.request.error_log, parts)),
      stats(make_counters(location, parts)),
      substitutions(make_substitutions(location.request.sub_filter)) {
  const auto& r = location.request;
  if (parts.charsets != nullptr) {
    if (r.charset.is_constant()) parts.charsets->declare(r.charset.constant());
    if (r.source_charset.is_constant()) parts.charsets->declare(r.source_charset.constant());
  }
  for (const auto& rule : r.access) {
    acl.add(rule.allow ? access::Access::allowed : access::Access::denied,
            rule.network ? rule.network->text() : "all");
  }
  for (const auto& limit : r.limit_req) {
    request_limits.push_back({parts.request_zones[limit.zone],
                              static_cast<std::int64_t>(parts.model.limit_zones[limit.zone].rate),
                              static_cast<std::int64_t>(limit.burst),
                              // nodelay: the greatest number there is
                              static_cast<std::int64_t>(std::min<std::uint64_t>(
                                  limit.delay, std::numeric_limits<std::int64_t>::max()))});
  }
  for (const auto& limit : r.limit_conn) {
    connection_limits.push_back({parts.connection_zones[limit.zone], limit.connections});
  }
  filters = r.gzip || r.brotli || r.zstd || r.gunzip || !r.charset.empty() ||
            !r.sub_filter.empty() || !r.add_before_body.empty() || !r.add_after_body.empty() ||
            r.ssi || r.expires.kind != config::ExpiresConfig::Kind::off || !r.add_trailer.empty() ||
            r.proxy_force_ranges || r.proxy_store.on || !r.chunked_transfer_encoding ||
            !r.proxy_method.empty();
  admits = !acl.empty() || !request_limits.empty() || !connection_limits.empty() ||
           !r.auth_basic.empty() || !r.auth_request.empty() || !r.mirror.empty() ||
           location.try_files.has_value() || !r.set_real_ip_from.empty();
}

}  // namespace weir::proxy
