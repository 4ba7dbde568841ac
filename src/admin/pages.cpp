#include "admin/pages.h"

#include <algorithm>
#include <array>

#include "admin/dashboard.h"
#include "admin/history.h"
#include "admin/query.h"

namespace weir::admin {
namespace {

struct Route {
  std::string_view path;
  std::string_view help;
  Page (*page)(const Source&, std::string_view query);
};

Page help_page(const Source& source, std::string_view query);

Page metrics_page(const Source& source, std::string_view) {
  return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_text(source)};
}

Page alive_page(const Source&, std::string_view) { return {.body = "ok\n"}; }

Page ready_page(const Source& source, std::string_view) {
  auto ready = readiness(source);
  return {.status = ready.ready ? 200u : 503u, .body = std::move(ready.text)};
}

Page upstreams_page(const Source& source, std::string_view) {
  return {.type = "application/json", .body = upstreams_json(source)};
}

// Of one pool: pool=NAME.
Page history_page(const Source& source, std::string_view query) {
  constexpr std::string_view name = "pool=";
  const auto pool = query.starts_with(name) ? decode(query.substr(name.size())) : std::string();
  return {.type = "application/json", .body = history_json(source, pool)};
}

// Whoever could watch has been taken over before.
Page too_many_page(const Source&, std::string_view) {
  Page page = error_page(503);
  page.body = "as many watch events as may; close one of them\n";
  page.retry_after = 10;
  return page;
}

Page certificates_page(const Source& source, std::string_view) {
  return {.type = "application/json", .body = certificates_json(source)};
}

constexpr std::array kRoutes = {
    Route{"/help", "this list", help_page},
    Route{"/metrics", "Prometheus metrics", metrics_page},
    Route{"/healthz", "200 while the process lives", alive_page},
    Route{"/readyz", "200 when requests would be served, else 503 and why not", ready_page},
    Route{"/upstreams", "upstreams and their peers, as JSON", upstreams_page},
    Route{"/history", "the last 15 minutes, as JSON; ?pool=NAME: of its peers, too", history_page},
    Route{kEventsPath, "what the dashboard shows, as server-sent events", too_many_page},
    Route{"/certificates", "certificates in use and when they expire, as JSON", certificates_page},
};

Page help_page(const Source& source, std::string_view) {
  Page page;
  page.body = "weir " + source.version + "\n\n/           the dashboard\n";
  for (const auto& route : kRoutes) {
    page.body += route.path;
    page.body.append(15 - route.path.size(), ' ');
    page.body += route.help;
    page.body += '\n';
  }
  page.body += "/api/VERB      operators' verbs; `weir -h verbs` tells of them\n";
  return page;
}

const char* phrase(unsigned status) {
  switch (status) {
    case 400:
      return "bad request";
    case 404:
      return "not found";
    case 405:
      return "method not allowed";
    case 413:
      return "request bodies are not taken";
    case 503:
      return "too many watch already";
    case 431:
      return "request head too large";
    default:
      return "internal error";
  }
}

}  // namespace

Page error_page(unsigned status) {
  Page page;
  page.status = status;
  page.body = std::string(phrase(status)) + "\n";
  return page;
}

bool has_page(std::string_view path) {
  return std::any_of(kRoutes.begin(), kRoutes.end(),
                     [&](const auto& route) { return route.path == path; });
}

Page page_for(const Source& source, std::string_view method, std::string_view target) {
  const auto mark = std::min(target.find('?'), target.size());
  const auto path = target.substr(0, mark);
  const auto query = target.substr(std::min(mark + 1, target.size()));
  const auto* asset = find_asset(path);
  const auto* route = std::find_if(kRoutes.begin(), kRoutes.end(),
                                   [&](const auto& one) { return one.path == path; });
  if (asset == nullptr && route == kRoutes.end()) return error_page(404);
  const bool stream = path == kEventsPath;
  if (method != "GET" && (method != "HEAD" || stream)) {
    Page page = error_page(405);
    page.allow = stream ? "GET" : "GET, HEAD";
    return page;
  }
  if (asset == nullptr) return route->page(source, query);
  return {.type = std::string(asset->type),
          .body = std::string(asset->body),
          .etag = std::string(asset->etag)};
}

}  // namespace weir::admin
