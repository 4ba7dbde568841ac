#include "admin/pages.h"

#include <array>

namespace weir::admin {
namespace {

struct Route {
  std::string_view path;
  std::string_view help;
  Page (*page)(const Source&);
};

Page index_page(const Source& source);

Page metrics_page(const Source& source) {
  return {.type = "text/plain; version=0.0.4; charset=utf-8",
          .body = metrics_text(source),
          .allow = {}};
}

Page alive_page(const Source&) { return {.body = "ok\n", .allow = {}}; }

Page ready_page(const Source& source) {
  auto ready = readiness(source);
  return {.status = ready.ready ? 200u : 503u, .body = std::move(ready.text), .allow = {}};
}

Page upstreams_page(const Source& source) {
  return {.type = "application/json", .body = upstreams_json(source), .allow = {}};
}

constexpr std::array kRoutes = {
    Route{"/", "this list", index_page},
    Route{"/metrics", "Prometheus metrics", metrics_page},
    Route{"/healthz", "200 while the process lives", alive_page},
    Route{"/readyz", "200 when requests would be served, else 503 and why not", ready_page},
    Route{"/upstreams", "upstreams and their peers, as JSON", upstreams_page},
};

Page index_page(const Source& source) {
  Page page;
  page.body = "weir " + source.version + "\n\n";
  for (const auto& route : kRoutes) {
    page.body += route.path;
    page.body.append(12 - route.path.size(), ' ');
    page.body += route.help;
    page.body += '\n';
  }
  page.body += "/api/VERB   operators' verbs; `weir -h verbs` tells of them\n";
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

Page page_for(const Source& source, std::string_view method, std::string_view target) {
  const auto path = target.substr(0, target.find('?'));
  for (const auto& route : kRoutes) {
    if (route.path != path) continue;
    if (method == "GET" || method == "HEAD") return route.page(source);
    Page page = error_page(405);
    page.allow = "GET, HEAD";
    return page;
  }
  return error_page(404);
}

}  // namespace weir::admin
