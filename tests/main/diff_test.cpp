#include "main/diff.h"

#include <doctest/doctest.h>

#include <string>

#include "config/load.h"

namespace weir::main {
namespace {

std::string peer(const std::string& name, const std::string& address, const std::string& more) {
  return R"({"name":")" + name + R"(","address":")" + address +
         R"(","weight":1,"backup":false,"configured_down":false,"set":null)" + more + "}";
}
std::string peer(const std::string& address) {
  return peer(address, address, R"(,"vanished":false,"slot":null)");
}

std::string pool(const std::string& name, const std::string& balance, const std::string& peers) {
  return R"({"upstreams":[{"name":")" + name + R"(","balance":")" + balance +
         R"(","key":null,"sticky":null,"peers":[)" + peers + "]}]}";
}

std::string compare(const std::string& running, const std::string& upstreams,
                    const discovery::Resolver& resolver = discovery::ask_name) {
  auto loaded = config::load_text("nginx.conf",
                                  "events {} http { " + upstreams + " server { listen 80; } }", {});
  REQUIRE(loaded.model != nullptr);
  std::string out;
  CHECK(diff_text(running, *loaded.model, out, resolver));
  return out;
}

const std::string kTwo = peer("10.0.0.1:80") + "," + peer("10.0.0.2:80");

}  // namespace

TEST_CASE("what is written of a pool that changes, comes or goes") {
  const std::string same = "server 10.0.0.1; server 10.0.0.2; ";
  struct Row {
    const char* name;
    std::string running;
    std::string upstreams;
    std::string want;
  };
  const Row rows[] = {
      {"nothing changes", pool("app", "ip_hash", kTwo), "upstream app { ip_hash; " + same + "}",
       "upstream \"app\" (ip_hash): no client moves\n"},
      {"a peer comes", pool("app", "ip_hash", kTwo),
       "upstream app { ip_hash; " + same + "server 10.0.0.3; server 10.0.0.4; }",
       "of the clients move\n"},
      {"nobody is bound", pool("app", "round_robin", kTwo), "upstream app { server 10.0.0.1; }",
       "upstream \"app\" (round_robin): no client is bound to a peer\n  - 10.0.0.2:80\n"},
      {"another key", pool("app", "ip_hash", kTwo), "upstream app { hash $uri; " + same + "}",
       "upstream \"app\" (ip_hash -> hash $uri): what binds clients changes: any of them may "
       "come to another peer\n"},
      {"keys as they are written", pool("app", "ip_hash", kTwo),
       "map $uri $kind { default a; } upstream app { hash $http_x_y${uri}a${kind}-$arg_b; " + same +
           "}",
       "upstream \"app\" (ip_hash -> hash $http_x_y${uri}a$kind-$arg_b): what binds clients "
       "changes: "
       "any of them may come to another peer\n"},
      {"a new one, and one that goes", pool("old", "ip_hash", kTwo), "upstream app { " + same + "}",
       "upstream \"app\" is new\nupstream \"old\" goes away\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto text = compare(row.running, row.upstreams);
    CAPTURE(text);
    CHECK(text.find(row.want) != std::string::npos);
  }
}

TEST_CASE("a peer that checks found down has no clients to lose") {
  const std::string rest = R"(,"vanished":false,"slot":null)";
  const std::string bad = R"("name":"/","state":"down")";
  const std::string good = R"("name":"/","state":"up")";
  struct Row {
    const char* name;
    std::string more;  // of the second of three peers
    const char* check;
    const char* want;
  };
  const Row rows[] = {
      {"down", R"(,"state":"down")", "health_check;", "no client moves"},
      {"checking", R"(,"state":"checking")", "health_check;", "no client moves"},
      {"up", R"(,"state":"up")", "health_check;", "of the clients move"},
      {"stopped, and one of two checks fails",
       R"(,"state":"maintenance","health_checks":[{)" + good + "},{" + bad + "}]", "health_check;",
       "no client moves"},
      {"stopped, and all checks pass",
       R"(,"state":"maintenance","health_checks":[{)" + good + "},{" + good + "}]", "health_check;",
       "of the clients move"},
      {"down, and no longer checked", R"(,"state":"down")", "", "of the clients move"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto running =
        pool("app", "ip_hash", kTwo + "," + peer("10.0.0.3:80", "10.0.0.3:80", rest + row.more));
    // Taken out by hand: its place stays, so only the clients it has can move.
    const auto text =
        compare(running, std::string("upstream app { ip_hash; zone z 64k; ") +
                             "server 10.0.0.1; server 10.0.0.2; server 10.0.0.3" +
                             (*row.check != '\0' ? " down; " : "; ") + row.check + " }");
    CAPTURE(text);
    CHECK(text.find(row.want) != std::string::npos);
  }
}

TEST_CASE("addresses of a name keep the places that they have in the running weir") {
  const auto running =
      pool("app", "ip_hash",
           peer("app:80", "10.0.0.9:80", R"(,"vanished":false,"slot":null)") + "," +
               peer("app:80", "10.0.0.2:80", R"(,"vanished":true,"slot":null)"));
  const auto resolver = [](const discovery::Question&) {
    return discovery::Addresses{.found = {*IpAddress::parse("10.0.0.9")}};
  };
  CHECK(compare(running, "upstream app { ip_hash; server app:80; }", resolver) ==
        "upstream \"app\" (ip_hash): no client moves\n");
}

TEST_CASE("nodes of another registry are not known before a reload") {
  const auto running = [](const std::string& registry) {
    return R"({"upstreams":[{"name":"app","balance":"ip_hash","key":null,"sticky":null,)"
           R"("registry":)" +
           registry + R"(,"peers":[)" +
           peer("10.0.0.1:80", "10.0.0.1:80", R"(,"vanished":false,"slot":0)") + "]}]}";
  };
  const std::string from_main = R"({"nodes":"app=main"})";
  const auto config = [](const std::string& line) {
    return "upstream app { ip_hash; registry redis://127.0.0.1 " + line + "; }";
  };
  const std::string head = "upstream \"app\" (ip_hash): ";
  const std::string unknown = "): which clients move is known after a reload only\n";
  CHECK(compare(running(from_main), config("app=main")) == head + "no client moves\n");
  CHECK(compare(running(from_main), config("app=next")) ==
        head + "the nodes of its registry are others (app=main -> app=next" + unknown);
  CHECK(compare(running(from_main), config("\"key=n:{id}\" field=addr")) ==
        head + "the nodes of its registry are others (app=main -> key=n:{id} addr" + unknown);
  CHECK(compare(running("null"), config("app=main")) ==
        head + "the nodes of its registry are others (none -> app=main" + unknown);
  const auto without = compare(running(from_main), "upstream app { ip_hash; server 10.0.0.2; }");
  CHECK(without.find("- 10.0.0.1:80") != std::string::npos);
  const auto unbound = "upstream app { registry redis://127.0.0.1 app=next; }";
  CHECK(compare(running(from_main), unbound).find(unknown) == std::string::npos);
}

TEST_CASE("what is no status of this version is refused") {
  config::Model model;
  std::string out;
  for (const char* text : {"", "{}", R"({"upstreams":1})", R"({"upstreams":[{"peers":[{}]}]})"}) {
    CAPTURE(text);
    CHECK(!diff_text(text, model, out));
    CHECK(out.find("cannot be compared") != std::string::npos);
  }
}

}  // namespace weir::main
