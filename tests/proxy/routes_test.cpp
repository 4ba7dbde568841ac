#include "proxy/routes.h"

#include <doctest/doctest.h>

#include <string>

#include "config/load.h"

using namespace weir;
using namespace weir::proxy;

namespace {

std::shared_ptr<const config::Model> load(const std::string& text) {
  const auto loaded = config::load_text("test.conf", text, {});
  for (const auto& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity == config::Diagnostic::Severity::error) MESSAGE(diagnostic.text());
  }
  REQUIRE(loaded.model != nullptr);
  return loaded.model;
}

// What locations are made with.
struct Parts {
  explicit Parts(const config::Model& model)
      : parts{model, {}, {}, {}, &charsets, model.servers[0].get(), nullptr, {}} {}
  content::Charsets charsets;
  RouteParts parts;
};

// The text of the `return 200 TEXT` of a location.
std::string name_of(const LocationNode& node) {
  for (const auto& rule : node.config().rules) {
    const auto* answer = std::get_if<config::ReturnRule>(&rule);
    if (answer != nullptr) return std::string(answer->text.constant());
  }
  return "(none)";
}

}  // namespace

TEST_CASE("locations are found in nginx's order") {
  const auto model = load(R"(server {
    listen 127.0.0.1:1;
    location / { return 200 root; }
    location = / { return 200 exact-root; }
    location /a { return 200 a; }
    location /a/ { return 200 a-slash; location ~ \.deep$ { return 200 nested-regex; } }
    location /a/b/c { return 200 abc; location = /a/b/c/x { return 200 nested-exact; } }
    location ^~ /static/ { return 200 static; }
    location ~ \.php$ { return 200 php; location ~ ^/x/ { return 200 php-in-x; } }
    location ~* \.(png|JPG)$ { return 200 image; }
    location ~ \.png$ { return 200 never-png; }
    location @named { return 200 named; }
  })");
  Parts parts(*model);
  const LocationNode root(*model->servers[0]->root, parts.parts);
  struct Row {
    const char* path;
    const char* want;
  };
  const Row rows[] = {
      {"/", "exact-root"},
      {"/z", "root"},
      {"/a", "a"},
      {"/ab", "a"},
      {"/a/", "a-slash"},
      {"/a/q", "a-slash"},
      {"/a/q.deep", "nested-regex"},
      {"/a/b/c", "abc"},
      {"/a/b/c/x", "nested-exact"},
      {"/a/b/cx", "abc"},
      {"/a/i.php", "php"},
      {"/x/i.php", "php-in-x"},
      {"/static/i.php", "static"},
      {"/static/a.png", "static"},
      {"/A.PNG", "image"},
      {"/a.jpg", "image"},
      {"/a.png", "image"},
      {"/a.pngx", "a"},
      {"/@named", "root"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    config::Regex::Captures captures;
    CHECK(name_of(*root.find(row.path, captures).node) == row.want);
  }
  REQUIRE(root.find_named("@named") != nullptr);
  CHECK(name_of(*root.find_named("@named")) == "named");
}

TEST_CASE("a proxied location with a slash is offered to whoever forgets it") {
  const auto model = load(R"(server {
    listen 127.0.0.1:1;
    location /app/ { proxy_pass http://127.0.0.1:2; }
    location /own/ { return 200 own; }
    location /both { return 200 both; }
    location /both/ { proxy_pass http://127.0.0.1:2; }
  })");
  Parts parts(*model);
  const LocationNode root(*model->servers[0]->root, parts.parts);
  config::Regex::Captures captures;
  CHECK(root.find("/app", captures).add_slash);
  CHECK_FALSE(root.find("/app/", captures).add_slash);
  CHECK_FALSE(root.find("/own", captures).add_slash);
  CHECK_FALSE(root.find("/both", captures).add_slash);
  CHECK_FALSE(root.find("/ap", captures).add_slash);
}

TEST_CASE("captures are those of the regular expression that was chosen") {
  const auto model = load(R"(server {
    listen 127.0.0.1:1;
    location ~ ^/u/(\d+)/(.*)$ { return 200 $1; }
  })");
  Parts parts(*model);
  const LocationNode root(*model->servers[0]->root, parts.parts);
  config::Regex::Captures captures;
  const std::string path = "/u/42/rest";
  CHECK(root.find(path, captures).node != &root);
  REQUIRE(captures.size() >= 3);
  CHECK(path.substr(captures[1].first, captures[1].second - captures[1].first) == "42");
  CHECK(path.substr(captures[2].first, captures[2].second - captures[2].first) == "rest");
}

TEST_CASE("servers are found by name: exact, then wildcards, then expressions, then the default") {
  const auto model = load(R"(
    server { listen 127.0.0.1:1; server_name first; }
    server { listen 127.0.0.1:1; server_name a.example.org; }
    server { listen 127.0.0.1:1; server_name *.example.org; }
    server { listen 127.0.0.1:1; server_name *.b.example.org; }
    server { listen 127.0.0.1:1; server_name .dot.net; }
    server { listen 127.0.0.1:1; server_name www.*; }
    server { listen 127.0.0.1:1; server_name ~^r\d+\.example\.org$; }
    server { listen 127.0.0.1:1; server_name ~^r\d+$; }
    server { listen 127.0.0.1:1 default_server; server_name other; }
  )");
  Parts parts(*model);
  VirtualHosts hosts;
  std::vector<std::unique_ptr<ServerNode>> nodes;
  for (const auto& server : model->servers) {
    nodes.push_back(std::make_unique<ServerNode>(*server, static_cast<std::uint32_t>(nodes.size()),
                                                 parts.parts));
    hosts.add(*nodes.back(), server->listens[0].default_server);
  }
  struct Row {
    const char* host;
    std::uint32_t want;
  };
  const Row rows[] = {{"first", 0},
                      {"a.example.org", 1},
                      {"x.example.org", 2},
                      {"x.y.example.org", 2},
                      {"x.b.example.org", 3},
                      {"b.example.org", 2},
                      {"example.org", 8},
                      {"dot.net", 4},
                      {"a.dot.net", 4},
                      {"www.anything.at", 5},
                      {"r12.example.org", 2},
                      {"r12", 7},
                      {"", 8},
                      {"nobody", 8}};
  for (const auto& row : rows) {
    CAPTURE(row.host);
    config::Regex::Captures captures;
    const config::Pattern* pattern = nullptr;
    CHECK(hosts.find(row.host, captures, pattern).index == row.want);
  }
}
