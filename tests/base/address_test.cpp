#include "base/address.h"

#include <doctest/doctest.h>

using weir::Cidr;
using weir::IpAddress;

TEST_CASE("addresses are parsed and written back") {
  struct Row {
    const char* input;
    const char* want;  // null: refused
  };
  const Row rows[] = {{"10.0.0.1", "10.0.0.1:80"},
                      {"255.255.255.255", "255.255.255.255:80"},
                      {"::1", "[::1]:80"},
                      {"[::1]", "[::1]:80"},
                      {"2001:db8::a", "[2001:db8::a]:80"},
                      {"", nullptr},
                      {"10.0.0", nullptr},
                      {"10.0.0.256", nullptr},
                      {"010.0.0.1", nullptr},
                      {"a.example", nullptr},
                      {"::g", nullptr},
                      {"10.0.0.1 ", nullptr}};
  for (const auto& row : rows) {
    CAPTURE(row.input);
    const auto address = IpAddress::parse(row.input, 80);
    CHECK(address.has_value() == (row.want != nullptr));
    if (address && row.want) CHECK(address->text() == row.want);
  }
}

TEST_CASE("a mapped IPv4 address is that IPv4 address") {
  CHECK(IpAddress::parse("::ffff:10.1.2.3", 9)->unmapped().text() == "10.1.2.3:9");
  CHECK(IpAddress::parse("::1", 9)->unmapped().text() == "[::1]:9");
  CHECK(IpAddress::parse("0.0.0.0", 9)->is_wildcard());
  CHECK(IpAddress::parse("::")->is_wildcard());
  CHECK_FALSE(IpAddress::parse("0.0.0.1")->is_wildcard());
  CHECK_FALSE(IpAddress::parse("::1")->is_wildcard());
}

TEST_CASE("ranges contain what their mask says") {
  struct Row {
    const char* range;
    const char* address;
    bool want;
  };
  const Row rows[] = {{"10.0.0.0/8", "10.255.0.1", true},
                      {"10.0.0.0/8", "11.0.0.1", false},
                      {"10.0.0.1", "10.0.0.1", true},
                      {"10.0.0.1", "10.0.0.2", false},
                      {"0.0.0.0/0", "1.2.3.4", true},
                      {"0.0.0.0/0", "::1", false},
                      {"192.168.16.0/20", "192.168.31.9", true},
                      {"192.168.16.0/20", "192.168.32.1", false},
                      {"2001:db8::/33", "2001:db8:7fff::1", true},
                      {"2001:db8::/33", "2001:db8:8000::1", false},
                      {"10.0.0.0/8", "::ffff:10.0.0.1", true}};
  for (const auto& row : rows) {
    CAPTURE(row.range);
    CAPTURE(row.address);
    CHECK(Cidr::parse(row.range)->contains(*IpAddress::parse(row.address)) == row.want);
  }
  for (const char* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "/8", "::/129"}) {
    CAPTURE(bad);
    CHECK_FALSE(Cidr::parse(bad).has_value());
  }
}

TEST_CASE("a range can tell an address behind ::ffff: from the IPv4 address") {
  const auto mapped = *IpAddress::parse("::ffff:10.0.0.1");
  CHECK(Cidr::parse("::/0")->covers(mapped));
  CHECK_FALSE(Cidr::parse("::/0")->contains(mapped));
  CHECK_FALSE(Cidr::parse("10.0.0.0/8")->covers(mapped));
}

TEST_CASE("bits behind the mask of a range") {
  struct Row {
    const char* range;
    bool want;
  };
  for (const auto& row :
       {Row{"10.0.0.0/8", false}, Row{"10.0.0.1/8", true}, Row{"10.0.0.1", false},
        Row{"10.128.0.0/9", false}, Row{"10.128.0.0/8", true}, Row{"0.0.0.1/0", true},
        Row{"2001:db8::/32", false}, Row{"2001:db8::1/127", true}, Row{"unix:", false}}) {
    CAPTURE(row.range);
    CHECK(Cidr::parse(row.range)->has_low_bits() == row.want);
  }
}

TEST_CASE("a network without its low bits") {
  const struct {
    const char* range;
    const char* want;
  } rows[] = {{"10.1.2.3/8", "10.0.0.0/8"},
              {"10.1.2.3", "10.1.2.3/32"},
              {"10.1.2.3/0", "0.0.0.0/0"},
              {"10.1.255.3/20", "10.1.240.0/20"},
              {"2001:db8::ffff/100", "2001:db8::/100"},
              {"::1/0", "::/0"},
              {"::1", "::1/128"},
              {"unix:", "unix:"}};
  for (const auto& row : rows) {
    CAPTURE(row.range);
    CHECK(Cidr::parse(row.range)->masked().text() == row.want);
  }
}
