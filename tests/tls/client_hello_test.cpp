#include "tls/client_hello.h"

#include <doctest/doctest.h>

#include "hello.h"

using namespace weir::tls;
using namespace weir::tls::testing;

namespace {

struct Read {
  HelloStatus status;
  ClientHello hello;
};
Read read(std::string_view bytes) {
  Read result{};
  result.status = read_client_hello(bytes, result.hello);
  return result;
}

}  // namespace

TEST_CASE("name, protocols and version of a hello") {
  const struct {
    std::string bytes;
    std::string name, protocols, version;
  } cases[] = {
      {hello(name("App.Example.") + protocols({"h2", "http/1.1"}) + versions({0x0304, 0x0303})),
       "app.example", "h2,http/1.1", "TLSv1.3"},
      {hello(name("a.example")), "a.example", "", "TLSv1.2"},
      {hello(protocols({"imap"}), 0x0301), "", "imap", "TLSv1"},
      {hello("", 0x0302), "", "", "TLSv1.1"},
      {hello(versions({0x7a7a, 0x0303})), "", "", "TLSv1.2"},  // a number to be ignored
      {hello(extension(10, "xy") + name("a") + name("b")), "a", "", "TLSv1.2"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.bytes);
    const auto got = read(c.bytes);
    CHECK((got.status == HelloStatus::complete));
    CHECK(got.hello.server_name == c.name);
    CHECK(got.hello.protocols == c.protocols);
    CHECK(got.hello.version == c.version);
    // More of the client's bytes behind it change nothing.
    CHECK((read(c.bytes + "more").status == HelloStatus::complete));
  }
}

TEST_CASE("a hello comes in pieces of any size, in one record or in several") {
  const auto whole = message(name("a.example") + protocols({"h2"}));
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    const auto bytes = record(whole.substr(0, cut)) + record(whole.substr(cut));
    CHECK((read(bytes).status == HelloStatus::complete));
    CHECK(read(bytes).hello.server_name == "a.example");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CHECK((read(std::string_view(bytes).substr(0, size)).status == HelloStatus::more));
    }
  }
}

TEST_CASE("what is no hello is known by its first byte, or by what breaks it") {
  const struct {
    const char* what;
    std::string bytes;
  } cases[] = {
      {"HTTP", "G"},
      {"a record of data", std::string("\x17\x03\x01", 3)},
      {"another major version", std::string("\x16\x02", 2)},
      {"an empty record", std::string("\x16\x03\x01\0\0", 5)},
      {"another message", record("\x02rest")},
      {"a name of no host", hello(extension(0, sized(std::string(1, '\1') + sized("a", 2), 2)))},
      {"a name with a control character", hello(name(std::string_view("a\0b", 3)))},
      {"a name with a slash", hello(name("../x"))},
      {"an empty name", hello(name(""))},
      {"a name longer than its list", hello(extension(0, std::string("\0\3\0\0\5a", 6)))},
      {"an empty protocol", hello(protocols({""}))},
      {"an extension over the end", hello(std::string("\0\0\xff\xff", 4))},
      {"a session over the end",
       record("\x01" + sized(number(0x0303, 2) + std::string(32, 'r') + "\xff", 3))},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    CHECK((read(c.bytes).status == HelloStatus::other));
  }
}

TEST_CASE("a hello in the form of SSL 2.0 tells its version") {
  const std::string bytes("\x80\x2e\x01\x03\x01", 5);
  CHECK((read(bytes.substr(0, 4)).status == HelloStatus::more));
  CHECK((read(bytes).status == HelloStatus::complete));
  CHECK(read(bytes).hello.version == "TLSv1");
  CHECK((read(std::string("\x80\x2e\x04\x03\x01", 5)).status == HelloStatus::other));
}
