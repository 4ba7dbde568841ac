#include "http/parse_request.h"

using namespace weir::http;
using namespace weir::http::test;
using namespace std::string_literals;

TEST_CASE("parts of the target") {
  struct Target {
    std::string line;
    const char *authority, *path, *query, *host;
    bool has_query;
  };
  const Target targets[] = {
      {"GET / HTTP/1.1", "", "/", "", "a", false},
      {"GET /x/y?z=1?2 HTTP/1.1", "", "/x/y", "z=1?2", "a", true},
      {"GET /? HTTP/1.1", "", "/", "", "a", true},
      {"GET //b/c HTTP/1.1", "", "//b/c", "", "a", false},
      {"GET /http://b/ HTTP/1.1", "", "/http://b/", "", "a", false},
      {"GET http://b:81/x?y HTTP/1.1", "b:81", "/x", "y", "b:81", true},
      {"GET http://b HTTP/1.1", "b", "", "", "b", false},
      {"GET http://b?/x HTTP/1.1", "b", "", "/x", "b", true},
      {"GET https://[::1]/x HTTP/1.1", "[::1]", "/x", "", "[::1]", false},
      {"OPTIONS * HTTP/1.1", "", "", "", "a", false},
  };
  for (const Target& target : targets) {
    CAPTURE(target.line);
    const Outcome outcome = parse_whole(line(target.line));
    REQUIRE(outcome.result.status == ParseStatus::complete);
    const RequestHead& head = outcome.head;
    CHECK(head.text(head.authority, head.authority_size) == target.authority);
    CHECK(head.path_text() == target.path);
    CHECK(head.query_text() == target.query);
    CHECK(head.has_query == target.has_query);
    CHECK(head.host_text() == target.host);
    CHECK(head.request_line() == target.line);
  }
}

TEST_CASE("the index of the fields") {
  const Outcome outcome = parse_whole(
      "\r\nGET / HTTP/1.1\r\nhOsT:a\r\nX-Empty:\r\nX-Blank: \t \r\nCookie: \t b=c \r\n"
      "X_Under: 1\r\nX-Long-Name-That-Nobody-Has-An-Id-For: "
      "0123456789abcdef0123456789\r\n\r\nrest");
  REQUIRE(outcome.result.status == ParseStatus::complete);
  const RequestHead& head = outcome.head;
  CHECK(head.start == 2);
  CHECK(head.size == outcome.copy.size() - 4);
  REQUIRE(head.fields.size() == 6);
  struct Want {
    const char *name, *value, *line;
    FieldId id;
    bool invalid;
  };
  const Want wants[] = {
      {"hOsT", "a", "hOsT:a\r\n", FieldId::host, false},
      {"X-Empty", "", "X-Empty:\r\n", FieldId::other, false},
      {"X-Blank", "", "X-Blank: \t \r\n", FieldId::other, false},
      {"Cookie", "b=c", "Cookie: \t b=c \r\n", FieldId::cookie, false},
      {"X_Under", "1", "X_Under: 1\r\n", FieldId::other, true},
      {"X-Long-Name-That-Nobody-Has-An-Id-For", "0123456789abcdef0123456789",
       "X-Long-Name-That-Nobody-Has-An-Id-For: 0123456789abcdef0123456789\r\n", FieldId::other,
       false},
  };
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const Field& field = head.fields[i];
    CAPTURE(std::string(wants[i].name));
    CHECK(head.name(field) == wants[i].name);
    CHECK(head.value(field) == wants[i].value);
    CHECK(head.text(field.line, field.line_size) == wants[i].line);
    CHECK(field.id == wants[i].id);
    CHECK(field.invalid_name == wants[i].invalid);
  }
  CHECK(head.find(FieldId::cookie) == &head.fields[3]);
  CHECK(head.find("x-blank") == &head.fields[2]);
  CHECK(head.find(FieldId::date) == nullptr);
  CHECK(head.find("x-blan") == nullptr);
}

TEST_CASE("connection options, framing, expectation") {
  struct Options {
    std::string name;
    const char* version;
    std::string fields;
    bool keep_alive, upgrade, others, expect;
  };
  const Options table[] = {
      {"1.1", "1.1", "", true, false, false, false},
      {"1.1 close", "1.1", "Connection: Close\r\n", false, false, false, false},
      {"1.1 both", "1.1", "Connection: keep-alive, close\r\n", false, false, false, false},
      {"1.1 close in the second", "1.1", "Connection: x\r\nA: b\r\nConnection: , close ,\r\n",
       false, false, true, false},
      {"1.1 closed is not close", "1.1", "Connection: closed\r\n", true, false, true, false},
      {"1.0", "1.0", "", false, false, false, false},
      {"1.0 keep-alive", "1.0", "Connection: Keep-Alive\r\n", true, false, false, false},
      {"1.0 both", "1.0", "Connection: keep-alive\r\nConnection: close\r\n", false, false, false,
       false},
      {"upgrade", "1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true, true, false, false},
      {"upgrade in a list", "1.1", "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
       true, true, false, false},
      {"upgrade not named", "1.1", "Upgrade: websocket\r\n", true, false, false, false},
      {"upgrade without field", "1.1", "Connection: upgrade\r\n", true, false, false, false},
      {"upgrade with empty field", "1.1", "Connection: upgrade\r\nUpgrade:\r\n", true, false, false,
       false},
      {"two upgrades", "1.1", "Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n", true, false,
       false, false},
      {"names a field", "1.1", "Connection: X-Secret\r\n", true, false, true, false},
      {"expect in 1.1", "1.1", "Expect: 100-continue\r\n", true, false, false, true},
      {"expect in 1.0", "1.0", "Expect: 100-continue\r\n", false, false, false, false},
  };
  for (const Options& row : table) {
    CAPTURE(row.name);
    const Outcome outcome =
        parse_whole("GET / HTTP/"s + row.version + "\r\nHost: a\r\n" + row.fields + "\r\n");
    REQUIRE(outcome.result.status == ParseStatus::complete);
    CHECK(outcome.head.keep_alive == row.keep_alive);
    CHECK(outcome.head.upgrade == row.upgrade);
    CHECK(outcome.head.connection_names_fields == row.others);
    CHECK(outcome.head.expect_continue == row.expect);
    CHECK(outcome.head.framing.kind == Framing::Kind::none);
  }
  const Outcome counted = parse_whole(with("Content-Length: 9223372036854775807\r\n"));
  CHECK(counted.head.framing.kind == Framing::Kind::counted);
  CHECK(counted.head.framing.length == 9223372036854775807U);
  const Outcome chunked = parse_whole(with("Transfer-Encoding: Chunked\r\n"));
  CHECK(chunked.head.framing.kind == Framing::Kind::chunked);
}

TEST_CASE("methods") {
  struct Name {
    std::string text;
    Method method;
  };
  const Name names[] = {
      {"GET", Method::get},     {"HEAD", Method::head},         {"POST", Method::post},
      {"PUT", Method::put},     {"DELETE", Method::delete_},    {"OPTIONS", Method::options},
      {"PATCH", Method::patch}, {"PROPFIND", Method::propfind}, {"PROPPATCH", Method::proppatch},
      {"MKCOL", Method::mkcol}, {"COPY", Method::copy},         {"MOVE", Method::move},
      {"LOCK", Method::lock},   {"UNLOCK", Method::unlock},     {"GETS", Method::other},
      {"Get", Method::other}};
  for (const Name& name : names) {
    CAPTURE(name.text);
    const Outcome outcome = parse_whole(line(name.text + " / HTTP/1.1"));
    REQUIRE(outcome.result.status == ParseStatus::complete);
    CHECK(outcome.head.method == name.method);
    CHECK(outcome.head.method_text() == name.text);
  }
  CHECK(is_safe(Method::get));
  CHECK(is_safe(Method::propfind));
  CHECK_FALSE(is_safe(Method::put));
  CHECK_FALSE(is_safe(Method::other));
  CHECK(may_repeat(Method::put));
  CHECK(may_repeat(Method::other));
  CHECK_FALSE(may_repeat(Method::post));
  CHECK_FALSE(may_repeat(Method::lock));
  CHECK_FALSE(may_repeat(Method::patch));
}

TEST_CASE("limits") {
  Limits limits;
  limits.head = 200;
  limits.line = 100;
  limits.fields = 5;
  const std::string rest = " HTTP/1.1";
  const auto path = [&](std::size_t size) { return "GET /" + std::string(size - 14, 'x') + rest; };
  const std::string lines = "a: b\r\na: b\r\na: b\r\na: b\r\n";
  // Fills a head with two more lines to exactly `size` bytes.
  const auto head = [&](std::size_t size) {
    const std::string start = get + host;
    const std::size_t left = size - start.size() - 2;
    const std::size_t first = left / 2;
    return start + "X: " + std::string(first - 5, 'x') + "\r\n" +
           "X: " + std::string(left - first - 5, 'x') + "\r\n" + "\r\n";
  };
  const Row table[] = {
      {"request line at the limit", line(path(100)), ok},
      {"request line over the limit", line(path(101)), 414},
      {"request line without end", "GET /" + std::string(150, 'x'), 414},
      {"request line over the head", "GET /" + std::string(300, 'x'), 414},
      {"header line at the limit", with("X: " + std::string(97, 'x') + "\r\n"), ok},
      {"header line over the limit", with("X: " + std::string(98, 'x') + "\r\n"), 431},
      {"name over the limit", with(std::string(101, 'x') + ":\r\n"), 431},
      {"blanks over the limit", with("X: " + std::string(101, ' ') + "\r\n"), 431},
      {"head at the limit", head(200), ok},
      {"head over the limit", head(201), 431},
      {"fields at the limit", get + host + lines + "\r\n", ok},
      {"fields over the limit", get + host + lines + "a: b\r\n\r\n", 431},
  };
  for (const Row& row : table) {
    CAPTURE(row.name);
    const Outcome whole = parse_whole(row.bytes, limits);
    CAPTURE(std::string(whole.result.reason));
    const int got = whole.result.status == ParseStatus::complete ? ok : whole.result.http_status;
    CHECK(got == row.want);
    check_all_splits(row.bytes, limits, whole);
  }
}

TEST_CASE("what cannot become a request is refused before its head has ended") {
  struct Early {
    std::string name;
    std::string bytes;
    std::size_t by;  // bytes seen at the latest
  };
  const std::string tail = "\r\nHost: a\r\nAccept: */*\r\nUser-Agent: x\r\n\r\n";
  const Early table[] = {
      {"TLS", "\x16\x03\x01" + tail, 1},
      {"junk line", "hello world" + tail, 13},
      {"bare LF", "GET / HTTP/1.1\nHost: a\nAccept: */*\n\n", 15},
      {"TRACE", "TRACE / HTTP/1.1" + tail, 18},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 16},
      {"bare LF in the headers", get + "Host: a\nAccept: */*\n\n", 37},
  };
  for (const Early& row : table) {
    CAPTURE(row.name);
    Outcome outcome;
    parse(row.bytes, 1, 1, {}, outcome);
    CHECK(outcome.result.status == ParseStatus::error);
    CHECK(outcome.bytes_seen <= row.by);
  }
}

TEST_CASE("a head object is used again without remains or allocation") {
  RequestHead head;
  const std::string first =
      "POST http://b/x?y HTTP/1.1\r\nHost: a\r\nConnection: close, z, upgrade\r\n"
      "Upgrade: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  ParseState state;
  REQUIRE(parse_request(first, {}, state, head).status == ParseStatus::complete);
  const auto capacity = head.fields.capacity();
  const Field* const data = head.fields.data();
  const std::string second = "GET /z HTTP/1.0\r\n\r\n";
  ParseState again;
  REQUIRE(parse_request(second, {}, again, head).status == ParseStatus::complete);
  CHECK(head.fields.capacity() == capacity);
  CHECK(head.fields.data() == data);
  CHECK(describe(head) == describe(parse_whole(second).head));
}

TEST_CASE("every byte at every place of a value, a target and a name") {
  for (std::size_t at = 0; at < 34; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      CAPTURE(at);
      CAPTURE(byte);
      const char c = static_cast<char>(byte);
      std::string text(34, 'x');
      text[at] = c;
      const bool control = byte < 0x20 || byte == 0x7f;

      const auto value = parse_whole(with("X: " + text + "\r\n")).result.status;
      CHECK((value == ParseStatus::complete) == (!control || c == '\t'));

      const auto target = parse_whole(line("GET /" + text + " HTTP/1.1")).result.status;
      CHECK((target == ParseStatus::complete) == (!control && c != ' ' && c != '#'));

      const auto name = parse_whole(with(text + ": a\r\n"));
      const bool taken = !control && c != ' ' && !(c == ':' && at == 0);
      CHECK((name.result.status == ParseStatus::complete) == taken);
      if (!taken || c == ':') continue;
      // nginx takes no other token characters either.
      const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                         (byte >= 'A' && byte <= 'Z') || c == '-';
      CHECK(name.head.fields[1].invalid_name == !plain);
    }
  }
}

TEST_CASE("no more is asked for with as many bytes as a head may have") {
  Limits limits;
  limits.head = 200;
  const std::string bytes = get + host + "X: " + std::string(300, 'x');
  for (std::size_t first = 1; first < limits.head; ++first) {
    CAPTURE(first);
    ParseState state;
    RequestHead head;
    const std::string_view all(bytes);
    CHECK(parse_request(all.substr(0, first), limits, state, head).status ==
          ParseStatus::need_more);
    const auto result = parse_request(all.substr(0, limits.head), limits, state, head);
    CHECK(result.status == ParseStatus::error);
    CHECK(result.http_status == 431);
  }
}

TEST_CASE("a fragment is cut off where that is asked for") {
  struct Case {
    const char* line;
    const char* target;
    const char* query;
  };
  const Case cases[] = {{"/a#b", "/a", ""},
                        {"/a?q#b?c", "/a?q", "q"},
                        {"/#", "/", ""},
                        {"http://h#b", "http://h", ""},
                        {"http://h?q#b", "http://h?q", "q"},
                        {"#b", nullptr, ""}};
  Limits limits;
  limits.cut_fragment = true;
  for (const auto& c : cases) {
    CAPTURE(c.line);
    const auto bytes = "GET " + std::string(c.line) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    ParseState state;
    RequestHead head;
    const auto result = parse_request(bytes, limits, state, head);
    CHECK((result.status == ParseStatus::complete) == (c.target != nullptr));
    if (result.status != ParseStatus::complete || c.target == nullptr) continue;
    CHECK(head.target_text() == c.target);
    CHECK(head.query_text() == c.query);
  }
}
