#include "net/dns_message.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "net/dns_server.h"

using namespace weir;
using namespace weir::net;
using dns::Type;

namespace {

const std::string kLabel63(63, 'a');

// What the reply to `question` with this after the question says, in one line.
std::string say(const test::Query& question, std::string_view message) {
  dns::Reply reply;
  if (const char* why = dns::parse_reply(message, reply)) return why;
  std::string out;
  CHECK(reply.id == question.id);
  if (reply.has_question && reply.name != question.name) out += "other question ";
  if (reply.truncated) out += "truncated ";
  if (reply.code != 0) out += "code " + std::to_string(reply.code) + " ";
  for (const auto& each : reply.addresses) out += each.host_text() + " ";
  for (const auto& each : reply.services) {
    out += each.target + ":" + std::to_string(each.port) + "/" + std::to_string(each.priority) +
           "/" + std::to_string(each.weight) + " ";
  }
  if (reply.alias) out += "alias '" + *reply.alias + "' ";
  return out + "ttl " + std::to_string(reply.ttl);
}

test::Query question(std::string name, Type type = Type::a) { return {4711, name, type}; }

}  // namespace

TEST_CASE("a name is brought into one form, or nobody can be asked about it") {
  const struct {
    std::string given;
    const char* want;  // null: refused
  } rows[] = {
      {"example.com", "example.com"},
      {"WWW.Example.COM.", "www.example.com"},
      {"localhost", "localhost"},
      {"_http._tcp.a-b.c", "_http._tcp.a-b.c"},
      {"xn--bcher-kva.example", "xn--bcher-kva.example"},
      {"b\xc3\xbc"
       "cher.example",
       "b\xc3\xbc"
       "cher.example"},
      {"", nullptr},
      {".", nullptr},
      {"..", nullptr},
      {".example.com", nullptr},
      {"example..com", nullptr},
      {"example.com..", nullptr},
      {"exam ple.com", nullptr},
      {"exam\tple.com", nullptr},
      {std::string("exam\0ple.com", 12), nullptr},
      {"example.com\x7f", nullptr},
      {kLabel63 + "a.x", nullptr},
      {kLabel63 + "." + kLabel63 + "." + kLabel63 + "." + kLabel63 + ".a", nullptr},
  };
  for (const auto& row : rows) {
    CAPTURE(row.given);
    const auto got = dns::normalise(row.given);
    if (row.want == nullptr) {
      CHECK_FALSE(got);
    } else {
      CHECK(got == row.want);
    }
  }
  const std::string longest = kLabel63 + "." + kLabel63 + "." + kLabel63 + "." + kLabel63;
  CHECK(dns::normalise(longest) == longest);
  CHECK(dns::normalise(kLabel63) == kLabel63);
}

TEST_CASE("a query is the header, the name in labels, the type and the class") {
  using namespace std::string_literals;
  CHECK(dns::encode_query(0x1234, "www.example.com", Type::a) ==
        "\x12\x34\x01\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"s);
  CHECK(dns::encode_query(0xffff, "x", Type::aaaa) ==
        "\xff\xff\x01\0\0\1\0\0\0\0\0\0\1x\0\0\x1c\0\1"s);
  CHECK(dns::encode_query(0, "x", Type::srv).ends_with("\1x\0\0\x21\0\1"s));
}

TEST_CASE("what a reply says about its question") {
  using test::address, test::cname, test::srv;
  const struct {
    const char* what;
    const char* name;
    Type type;
    std::vector<std::string> records;
    const char* want;
  } rows[] = {
      {"one address", "a.x", Type::a, {address("a.x", "10.0.0.1", 60)}, "10.0.0.1 ttl 60"},
      {"several, in their order, with the least lifetime",
       "a.x",
       Type::a,
       {address("a.x", "10.0.0.2", 60), address("a.x", "10.0.0.1", 5)},
       "10.0.0.2 10.0.0.1 ttl 5"},
      {"an IPv6 address", "a.x", Type::aaaa, {address("a.x", "fe80::1")}, "fe80::1 ttl 3600"},
      {"letters in any case", "a.x", Type::a, {address("A.X", "10.0.0.1")}, "10.0.0.1 ttl 3600"},
      {"none", "a.x", Type::a, {}, "ttl 0"},
      {"an alias and its address",
       "a.x",
       Type::a,
       {cname("a.x", "b.x", 7), address("b.x", "10.0.0.1", 60)},
       "10.0.0.1 ttl 7"},
      {"the same the other way round",
       "a.x",
       Type::a,
       {address("b.x", "10.0.0.1", 60), cname("a.x", "b.x", 7)},
       "10.0.0.1 ttl 7"},
      {"only an alias", "a.x", Type::a, {cname("a.x", "B.x", 7)}, "alias 'b.x' ttl 7"},
      {"a chain without end",
       "a.x",
       Type::a,
       {cname("a.x", "b.x", 9), cname("b.x", "c.x", 8)},
       "alias 'c.x' ttl 8"},
      {"an alias to the root", "a.x", Type::a, {cname("a.x", "")}, "alias '' ttl 3600"},
      {"an alias with a dot inside a label",
       "a.x",
       Type::a,
       {test::record("a.x", Type::cname, 9, std::string("\3b.c\1x\0", 7))},
       "alias 'b c.x' ttl 9"},
      {"addresses of others do not count, nor their lifetimes",
       "a.x",
       Type::a,
       {address("evil.x", "6.6.6.6", 1), address("a.x", "10.0.0.1", 60)},
       "10.0.0.1 ttl 60"},
      {"addresses of the other family do not count",
       "a.x",
       Type::a,
       {address("a.x", "::1", 1)},
       "ttl 0"},
      {"records of another class do not count",
       "a.x",
       Type::a,
       {test::labels("a.x") + std::string("\0\1\0\3\0\0\0\7\0\4\1\1\1\1", 14)},
       "ttl 0"},
      {"unknown types do not count",
       "a.x",
       Type::a,
       {test::record("a.x", static_cast<Type>(46), 1, "signature"), address("a.x", "10.0.0.1")},
       "10.0.0.1 ttl 3600"},
      {"a lifetime with the highest bit is none",
       "a.x",
       Type::a,
       {address("a.x", "10.0.0.1", 0x80000001)},
       "10.0.0.1 ttl 0"},
      {"services",
       "_h._tcp.x",
       Type::srv,
       {srv("_h._tcp.x", 10, 5, 8080, "B.x"), srv("_h._tcp.x", 1, 0, 80, "c.x", 9)},
       "b.x:8080/10/5 c.x:80/1/0 ttl 9"},
      {"no such service here", "_h._tcp.x", Type::srv, {srv("_h._tcp.x", 0, 0, 0, "")}, "ttl 3600"},
      {"a circle of aliases",
       "a.x",
       Type::a,
       {cname("a.x", "b.x"), cname("b.x", "a.x")},
       "the chain of CNAMEs is too long, or runs in a circle"},
      {"an address that is too short",
       "a.x",
       Type::a,
       {test::record("a.x", Type::a, 9, "\1\2\3")},
       "a record has bad data"},
      {"an address without bytes",
       "a.x",
       Type::a,
       {test::record("a.x", Type::a, 9, "")},
       "a record has bad data"},
      {"an IPv6 address of four bytes",
       "a.x",
       Type::aaaa,
       {test::record("a.x", Type::aaaa, 9, "\1\2\3\4")},
       "a record has bad data"},
      {"a service without a target",
       "s.x",
       Type::srv,
       {test::record("s.x", Type::srv, 9, std::string("\0\1\0\1\0\1", 6))},
       "a record has bad data"},
      {"a service with more than a target",
       "s.x",
       Type::srv,
       {test::record("s.x", Type::srv, 9, std::string("\0\1\0\1\0\1\1a\0x", 10))},
       "a record has bad data"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto asked = question(row.name, row.type);
    CHECK(say(asked, asked.with(row.records)) == row.want);
  }
}

TEST_CASE("names may be compressed, but only by pointers that lead back") {
  using namespace std::string_literals;
  // In a reply the question's name is at 12, and the first record right after the question.
  const auto asked = question("www.example.com");
  constexpr std::size_t name = 12, record = 12 + 17 + 4, data = record + 2 + 10;
  const auto a = [](const std::string& owner) {
    return owner + "\0\1\0\1\0\0\0\x09\0\4\x0a\0\0\1"s;
  };
  const auto pointer = [](std::size_t at) { return test::bytes16(0xc000 | at); };
  const auto cname = [&](const std::string& target) {
    return pointer(name) + "\0\5\0\1\0\0\0\x09"s + test::bytes16(target.size()) + target;
  };
  const struct {
    const char* what;
    std::vector<std::string> records;
    const char* want;
  } rows[] = {
      {"the whole name", {a(pointer(name))}, "10.0.0.1 ttl 9"},
      {"the end of it", {a("\3www"s + pointer(name + 4))}, "10.0.0.1 ttl 9"},
      {"into the data of a record before",
       {cname("\5alias"s + pointer(name + 4)), a(pointer(data))},
       "10.0.0.1 ttl 9"},
      {"by way of another pointer",
       {cname("\5alias"s + pointer(name + 4)), a(pointer(data + 6))},
       "alias 'alias.example.com' ttl 9"},
      {"to itself", {a(pointer(record))}, "a record is cut short or has a bad name"},
      {"forward", {a(pointer(record + 2))}, "a record is cut short or has a bad name"},
      {"round and round", {a("\1a"s + pointer(record))}, "a record is cut short or has a bad name"},
      {"out of the message", {a(pointer(0x3fff))}, "a record is cut short or has a bad name"},
      {"into the header", {a(pointer(3))}, "a record is cut short or has a bad name"},
      {"of another kind", {a("\x80\x0c"s)}, "a record is cut short or has a bad name"},
      {"in data, to itself", {cname(pointer(data))}, "a CNAME has a bad name"},
      {"in data, forward", {cname(pointer(data + 9))}, "a CNAME has a bad name"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(say(asked, asked.with(row.records)) == row.want);
  }
  // Each pointer leads to the one before it: such a chain ends, and its name has bytes to count.
  std::string staircase;
  for (std::size_t at = record + 12; at < 3000; at += 2) staircase += pointer(at - 2);
  const std::string first = pointer(name) + "\0\x10\0\1\0\0\0\x09"s +
                            test::bytes16(2 + staircase.size()) + pointer(name) + staircase;
  const std::string last = a(pointer(record + 12 + staircase.size()));
  CHECK(say(asked, asked.with({first, last})) == "10.0.0.1 ttl 9");
}

TEST_CASE("names longer than 255 characters do not pass") {
  const auto asked = question("a.x");
  const std::string four = kLabel63 + "." + kLabel63 + "." + kLabel63 + "." + kLabel63;
  CHECK(say(asked, asked.with({test::cname("a.x", four)})) == "alias '" + four + "' ttl 3600");
  CHECK(say(asked, asked.with({test::cname("a.x", four + ".b")})) == "a CNAME has a bad name");
}

TEST_CASE("headers decide what a message is") {
  const auto asked = question("a.x");
  const std::string address = test::address("a.x", "10.0.0.1");
  const struct {
    std::string message;
    const char* want;
  } rows[] = {
      {asked.message(0x8180, 1, address), "10.0.0.1 ttl 3600"},
      {asked.message(0x81b0, 1, address), "10.0.0.1 ttl 3600"},  // DNSSEC's bits mean nothing here
      {asked.message(0x8580, 1, address), "10.0.0.1 ttl 3600"},
      {asked.message(0x8380, 1, address), "truncated ttl 0"},
      {asked.message(0x8380, 9, ""), "truncated ttl 0"},
      {asked.message(0x8183, 1, address), "code 3 ttl 0"},
      {asked.message(0x8182, 0, ""), "code 2 ttl 0"},
      {asked.message(0x0180, 1, address), "it is a query"},
      {asked.message(0x9180, 1, address), "it replies to another kind of query"},
      {asked.message(0x8180, 2, address), "a record is cut short or has a bad name"},
      {asked.message(0x8180, 0xffff, address), "a record is cut short or has a bad name"},
      {"", "it is shorter than a header"},
      {"\x12", "it is shorter than a header"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.message.size());
    dns::Reply reply;
    if (row.message.size() < 12) {
      CHECK(std::string_view(dns::parse_reply(row.message, reply)) == row.want);
    } else {
      CHECK(say(asked, row.message) == row.want);
    }
  }
  using namespace std::string_literals;
  dns::Reply reply;
  CHECK(dns::parse_reply("\0\7\x81\x81\0\0\0\0\0\0\0\0"s, reply) == nullptr);
  CHECK(reply.id == 7);
  CHECK(reply.code == 1);
  CHECK_FALSE(reply.has_question);
  CHECK(dns::parse_reply("\0\7\x81\x80\0\0\0\0\0\0\0\0"s, reply) != nullptr);
  CHECK(dns::parse_reply("\0\7\x81\x80\0\2\0\0\0\0\0\0\1a\0\0\1\0\1\1a\0\0\1\0\1"s, reply) !=
        nullptr);
  CHECK(dns::parse_reply("\0\7\x81\x80\0\1\0\0\0\0\0\0\1a\0\0\1\0\3"s, reply) != nullptr);
  CHECK(dns::parse_reply("\0\7\x81\x80\0\1\0\0\0\0\0\0\1a\0\0\x0f\0\1"s, reply) != nullptr);
}

TEST_CASE("a message that ends anywhere is read to its end, and no further") {
  const auto asked = question("www.example.com", Type::aaaa);
  const std::string whole =
      asked.with({test::cname("www.example.com", "b.x"), test::address("b.x", "::1")});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::unique_ptr<char[]> exact(new char[size]);
    std::copy_n(whole.begin(), size, exact.get());
    dns::Reply reply;
    CHECK(dns::parse_reply({exact.get(), size}, reply) != nullptr);
  }
  CHECK(say(asked, whole) == "::1 ttl 3600");
  CHECK(say(asked, whole + "what comes after the answer") == "::1 ttl 3600");
}

TEST_CASE("no more records are read than there may be") {
  const auto asked = question("a.x");
  std::vector<std::string> records;
  for (std::size_t i = 0; i < 1000; ++i) {
    records.push_back(
        test::address("a.x", "10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256)));
  }
  dns::Reply reply;
  CHECK(dns::parse_reply(asked.with(records), reply) == nullptr);
  CHECK(reply.addresses.size() == dns::kMaxRecords);
}
