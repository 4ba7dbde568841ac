#include "access/geo.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "access/forwarded.h"
#include "access/split_clients.h"

using namespace weir;
using namespace weir::access;
using Outcome = GeoBuilder::Outcome;

namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value_or(IpAddress{}); }

struct Entry {
  const char* network;
  const char* value;
  Outcome want = Outcome::ok;
};

GeoBuilder make(bool ranges, std::initializer_list<Entry> entries) {
  GeoBuilder geo;
  if (ranges) REQUIRE(geo.use_ranges());
  for (const auto& entry : entries) {
    CAPTURE(std::string(entry.network));
    const std::string_view network = entry.network;
    if (network == "default") {
      CHECK(geo.set_default(entry.value) == entry.want);
    } else if (network == "delete") {
      CHECK(geo.remove(entry.value) == entry.want);
    } else {
      CHECK(geo.add(network, entry.value) == entry.want);
    }
  }
  return geo;
}

struct Lookup {
  const char* address;
  const char* want;
};

void check(const GeoBuilder& builder, std::initializer_list<Lookup> lookups) {
  const auto geo = builder.build();
  for (const auto& row : lookups) {
    CAPTURE(std::string(row.address));
    CHECK(std::string(geo->find(ip(row.address))) == row.want);
  }
}

}  // namespace

TEST_CASE("the smallest network counts, whatever the order") {
  check(make(false, {{"10.0.0.0/8", "ten"},
                     {"10.1.2.0/24", "net"},
                     {"10.1.2.3", "host"},
                     {"10.1.0.0/16", "half"},
                     {"default", "world"},
                     {"192.168.0.0/16", "ten"},
                     {"2001:db8::/32", "doc"},
                     {"2001:db8:1::/48", "doc1"},
                     {"255.255.255.255", "nobody"}}),
        {{"10.0.0.0", "ten"},
         {"10.1.1.255", "half"},
         {"10.1.2.0", "net"},
         {"10.1.2.3", "host"},
         {"10.1.2.4", "net"},
         {"10.1.3.0", "half"},
         {"10.2.0.0", "ten"},
         {"10.255.255.255", "ten"},
         {"11.0.0.0", "world"},
         {"9.255.255.255", "world"},
         {"192.168.1.1", "ten"},
         {"::ffff:10.1.2.3", "host"},
         {"2001:db8::1", "doc"},
         {"2001:db8:1:ffff::", "doc1"},
         {"2001:db8:2::", "doc"},
         {"2001:db9::", "world"},
         {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "world"},
         {"255.255.255.254", "world"},
         {"255.255.255.255", "nobody"},
         {"not an address", "nobody"}});
}

TEST_CASE("without a default the value is empty; 0.0.0.0/0 is one for IPv4 alone") {
  check(make(false, {{"127.0.0.0/8", "loopback"}}),
        {{"127.0.0.1", "loopback"}, {"128.0.0.0", ""}, {"::1", ""}, {"x", ""}});
  check(make(false, {{"0.0.0.0/0", "v4"}, {"::1", "me"}}),
        {{"1.2.3.4", "v4"}, {"::1", "me"}, {"::2", ""}, {"::", ""}, {"x", "v4"}});
  check(make(false, {{"::/0", "v6"}}), {{"1.2.3.4", ""}, {"::", "v6"}, {"ffff::", "v6"}});
  check(make(false, {}), {{"1.2.3.4", ""}, {"::", ""}});
}

TEST_CASE("networks that touch the ends of the address space") {
  check(make(false, {{"255.0.0.0/8", "top"}, {"0.0.0.0/8", "bottom"}, {"ff00::/8", "multicast"}}),
        {{"255.255.255.255", "top"},
         {"254.255.255.255", ""},
         {"0.0.0.0", "bottom"},
         {"1.0.0.0", ""},
         {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"},
         {"fe00::", ""}});
}

TEST_CASE("networks are replaced, deleted, and refused") {
  check(make(false, {{"127.0.0.0/8", "loopback"},
                     {"127.0.0.0/8", "again", Outcome::replaced},
                     {"192.0.2.0/24", "test"},
                     {"192.0.2.1/24", "test2", Outcome::replaced},
                     {"192.0.3.1/24", "low", Outcome::low_bits},
                     {"delete", "127.0.0.0/8"},
                     {"delete", "127.0.0.0/8", Outcome::missing},
                     {"delete", "192.0.2.0/25", Outcome::missing},
                     {"delete", "10.0.0.0.0", Outcome::invalid},
                     {"10.0.0.0/33", "x", Outcome::invalid},
                     {"10.0.0.0-10.0.0.1", "x", Outcome::invalid},
                     {"unix:", "x", Outcome::invalid},
                     {"", "x", Outcome::invalid},
                     {"default", "a"},
                     {"default", "b", Outcome::replaced},
                     {"::1", "one"},
                     {"delete", "::1"}}),
        {{"127.0.0.1", "b"}, {"192.0.2.9", "test2"}, {"192.0.3.9", "low"}, {"::1", "b"}});
}

TEST_CASE("ranges") {
  check(make(true, {{"default", "default"},
                    {"127.0.0.0-127.0.0.1", "loopback"},
                    {"10.10.3.0-10.11.2.255", "foo"},
                    {"10.12.3.0-10.13.2.255", "foo2"},
                    {"delete", "10.10.3.0-10.11.2.255"}}),
        {{"127.0.0.0", "loopback"},
         {"127.0.0.1", "loopback"},
         {"127.0.0.2", "default"},
         {"10.10.3.0", "default"},
         {"10.11.0.0", "default"},
         {"10.12.2.255", "default"},
         {"10.12.3.0", "foo2"},
         {"10.12.255.255", "foo2"},
         {"10.13.0.0", "foo2"},
         {"10.13.2.255", "foo2"},
         {"10.13.3.0", "default"},
         {"::1", "default"},
         {"::ffff:127.0.0.1", "loopback"},
         {"255.255.255.255", "default"},
         {"x", "default"}});
  check(make(true, {{"0.0.0.0-255.255.255.254", "all"}}),
        {{"0.0.0.0", "all"}, {"255.255.255.254", "all"}, {"255.255.255.255", ""}, {"::", ""}});
}

TEST_CASE("narrower ranges are put into wider ones") {
  check(make(true, {{"127.0.0.0-127.0.0.255", "test"},
                    {"127.0.0.1-127.0.0.2", "test2"},
                    {"127.0.0.1-127.0.0.1", "loopback"}}),
        {{"127.0.0.0", "test"},
         {"127.0.0.1", "loopback"},
         {"127.0.0.2", "test2"},
         {"127.0.0.3", "test"},
         {"127.0.0.255", "test"},
         {"127.0.1.0", ""}});
  check(make(true, {{"127.0.0.0-127.0.0.255", "test"}, {"127.0.0.0-127.0.0.1", "begin"}}),
        {{"127.0.0.0", "begin"}, {"127.0.0.2", "test"}});
  check(make(true, {{"127.0.0.0-127.0.0.255", "test"}, {"127.0.0.1-127.0.0.255", "end"}}),
        {{"127.0.0.0", "test"}, {"127.0.0.1", "end"}, {"127.0.0.255", "end"}});
  check(make(true, {{"127.0.0.1-127.0.0.255", "b"}, {"127.0.0.0-127.0.0.0", "a"}}),
        {{"127.0.0.0", "a"}, {"127.0.0.1", "b"}});
}

TEST_CASE("ranges that cannot be, and warnings about others") {
  make(true, {{"10.0.0.10-10.0.0.20", "a"},
              {"10.0.0.15-10.0.0.25", "x", Outcome::overlaps},
              {"10.0.0.5-10.0.0.15", "x", Outcome::overlaps},
              {"10.0.0.5-10.0.0.25", "x", Outcome::overlaps},
              {"10.0.0.10-10.0.0.20", "b", Outcome::replaced},
              {"10.0.0.20-10.0.0.10", "x", Outcome::invalid},
              {"10.0.0.1", "x", Outcome::invalid},
              {"10.0.0.0/8", "x", Outcome::invalid},
              {"10.0.0.1-", "x", Outcome::invalid},
              {"::1-::2", "x", Outcome::invalid},
              {"0.0.0.0-255.255.255.255", "x", Outcome::invalid},
              {"default", "a"},
              {"default", "b", Outcome::replaced},
              {"delete", "10.0.0.10-10.0.0.19", Outcome::missing},
              {"delete", "10.0.0.10-10.0.0.20"},
              {"delete", "10.0.0.10-10.0.0.20", Outcome::missing},
              // A range in two halves of which one was there.
              {"10.1.0.0-10.1.255.255", "x"},
              {"10.1.0.0-10.2.0.5", "y", Outcome::replaced}});
  GeoBuilder late;
  CHECK(late.add("10.0.0.0/8", "x") == Outcome::ok);
  CHECK_FALSE(late.use_ranges());
}

TEST_CASE("many networks") {
  GeoBuilder builder;
  for (int i = 0; i < 256; ++i) {
    for (int j = 0; j < 256; j += 2) {
      builder.add("10." + std::to_string(i) + "." + std::to_string(j) + ".0/24",
                  std::to_string((i + j) % 7));
    }
  }
  const auto geo = builder.build();
  for (int i = 0; i < 256; ++i) {
    for (int j = 0; j < 256; ++j) {
      const auto text = "10." + std::to_string(i) + "." + std::to_string(j) + ".77";
      REQUIRE(geo->find(ip(text.c_str())) == (j % 2 == 0 ? std::to_string((i + j) % 7) : ""));
    }
  }
}

TEST_CASE("addresses with and without a port") {
  struct Row {
    const char* text;
    const char* want;  // null: refused
  };
  const Row rows[] = {{"10.0.0.1", "10.0.0.1:0"},
                      {"10.0.0.1:80", "10.0.0.1:80"},
                      {"::1", "[::1]:0"},
                      {"[::1]", "[::1]:0"},
                      {"[::1]:80", "[::1]:80"},
                      {"10.0.0.1:", nullptr},
                      {"10.0.0.1:0", nullptr},
                      {"10.0.0.1:65536", nullptr},
                      {"10.0.0.1:8x", nullptr},
                      {"2001:db8::1::2:80", nullptr},
                      {"a.example:80", nullptr},
                      {":80", nullptr},
                      {"", nullptr},
                      {"[::1]80", nullptr},
                      {"unknown", nullptr}};
  for (const auto& row : rows) {
    CAPTURE(std::string(row.text));
    const auto address = parse_address_and_port(row.text);
    CHECK(address.has_value() == (row.want != nullptr));
    if (address && row.want) CHECK(address->text() == row.want);
  }
}

TEST_CASE("the client behind proxies") {
  struct Row {
    std::vector<std::string_view> fields;
    const char* plain;
    const char* recursive;
  };
  const Row rows[] = {
      {{}, "127.0.0.1", "127.0.0.1"},
      {{"10.0.0.1"}, "10.0.0.1", "10.0.0.1"},
      {{"192.0.2.1, 10.0.0.1"}, "10.0.0.1", "10.0.0.1"},
      {{"192.0.2.1, 127.0.0.1"}, "127.0.0.1", "192.0.2.1"},
      {{"10.9.9.9, 192.0.2.1, 127.0.0.1"}, "127.0.0.1", "192.0.2.1"},
      {{"192.0.2.1,127.0.0.2 127.0.0.1,, "}, "127.0.0.1", "192.0.2.1"},
      {{"192.0.2.1", "127.0.0.1"}, "127.0.0.1", "192.0.2.1"},
      {{"192.0.2.1, 127.0.0.3", "127.0.0.1"}, "127.0.0.1", "192.0.2.1"},
      {{"unknown"}, "127.0.0.1", "127.0.0.1"},
      {{"unknown, 127.0.0.1"}, "127.0.0.1", "127.0.0.1"},
      {{"192.0.2.1, unknown, 127.0.0.2"}, "127.0.0.2", "127.0.0.2"},
      {{"192.0.2.1:80"}, "192.0.2.1", "192.0.2.1"},
      {{"[2001:db8::1]:80"}, "2001:db8::1", "2001:db8::1"},
      {{""}, "127.0.0.1", "127.0.0.1"},
      {{" , "}, "127.0.0.1", "127.0.0.1"},
  };
  const std::vector<Cidr> proxies = {*Cidr::parse("127.0.0.0/8")};
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    CAPTURE(i);
    const auto peer = ip("127.0.0.1");
    CHECK(forwarded_address(peer, rows[i].fields, proxies, false).host_text() == rows[i].plain);
    CHECK(forwarded_address(peer, rows[i].fields, proxies, true).host_text() == rows[i].recursive);
    CHECK(forwarded_address(ip("10.0.0.1"), rows[i].fields, proxies, true) == ip("10.0.0.1"));
  }
}

TEST_CASE("geo looks behind its proxies") {
  GeoBuilder builder;
  CHECK(builder.add_proxy("127.0.0.1") == Outcome::ok);
  CHECK(builder.add_proxy("10.0.0.1/8") == Outcome::low_bits);
  CHECK(builder.add_proxy("proxy.example") == Outcome::invalid);
  const std::vector<std::string_view> fields = {"192.0.2.1, 10.0.0.1"};
  CHECK(builder.build()->client(ip("127.0.0.1"), fields).host_text() == "10.0.0.1");
  builder.set_recursive();
  CHECK(builder.build()->client(ip("127.0.0.1"), fields).host_text() == "192.0.2.1");
  CHECK(GeoBuilder().build()->client(ip("127.0.0.1"), fields).host_text() == "127.0.0.1");
}

TEST_CASE("shares of clients by their hash") {
  CHECK(murmur_hash2("") == 0);
  // Reference values of MurmurHash2 with seed 0.
  CHECK(murmur_hash2("a") == 0x92685f5e);
  CHECK(murmur_hash2("abcd") == 0x26873021);
  CHECK(murmur_hash2("abcdefg") == 0xf9a1cef3);
  CHECK(murmur_hash2("\xff\xfe\xfd") == 0x3d614590);

  using Part = SplitClients::Part;
  const auto split = SplitClients::make({{5000, "half"}, {1, "few"}, {std::nullopt, "rest"}});
  REQUIRE(split.has_value());
  int half = 0, few = 0, rest = 0;
  for (int i = 0; i < 100000; ++i) {
    const auto value = split->find(std::to_string(i));
    half += value == "half";
    few += value == "few";
    rest += value == "rest";
  }
  CHECK(half + few + rest == 100000);
  CHECK(half > 49000);
  CHECK(half < 51000);
  CHECK(few < 50);

  const auto none = SplitClients::make({{1, "few"}});
  CHECK(none->find("1") == "");
  CHECK(SplitClients::make({{10000, "all"}})->find("x") == "all");
  CHECK(SplitClients::make({{6000, "a"}, {4000, "b"}}).has_value());
  CHECK(SplitClients::make({{std::nullopt, "a"}, {std::nullopt, "b"}}).has_value());
  CHECK_FALSE(SplitClients::make({{6000, "a"}, {4001, "b"}}).has_value());
  CHECK_FALSE(SplitClients::make({{std::nullopt, "a"}, {1, "b"}}).has_value());
  CHECK_FALSE(SplitClients::make(std::vector<Part>(3, Part{5000, "a"})).has_value());
}

TEST_CASE("the text of a share") {
  struct Row {
    const char* text;
    std::optional<std::uint32_t> want;
  };
  const Row rows[] = {{"50%", 5000},
                      {"0.5%", 50},
                      {"0.05%", 5},
                      {"5.%", 500},
                      {".5%", 50},
                      {"100%", 10000},
                      {"33.33%", 3333},
                      {"0.005%", std::nullopt},
                      {"0%", std::nullopt},
                      {"0.00%", std::nullopt},
                      {"50", std::nullopt},
                      {"%", std::nullopt},
                      {"", std::nullopt},
                      {"5.5.5%", std::nullopt},
                      {"x%", std::nullopt},
                      {"-1%", std::nullopt},
                      {"99999999999999999999%", std::nullopt}};
  for (const auto& row : rows) {
    CAPTURE(std::string(row.text));
    CHECK((SplitClients::parse_share(row.text) == row.want));
  }
}
