#include "access/acl.h"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <utility>

using namespace weir;
using namespace weir::access;

namespace {

Acl make(std::initializer_list<std::pair<Access, const char*>> rules) {
  Acl acl;
  for (const auto& [verdict, range] : rules) CHECK(acl.add(verdict, range));
  return acl;
}

IpAddress unix_client() {
  sockaddr any{};
  any.sa_family = AF_UNIX;
  return IpAddress(&any);
}

constexpr auto allow = Access::allowed;
constexpr auto deny = Access::denied;

}  // namespace

TEST_CASE("the first rule that applies decides") {
  const auto acl = make({{deny, "192.168.1.1"},
                         {allow, "192.168.1.0/24"},
                         {allow, "10.1.1.0/16"},
                         {allow, "2001:0db8::/32"},
                         {deny, "all"}});
  struct Row {
    const char* client;
    Access want;
  };
  const Row rows[] = {{"192.168.1.1", deny},      {"192.168.1.2", allow},
                      {"192.168.2.1", deny},      {"10.1.200.3", allow},
                      {"2001:db8::9", allow},     {"2001:db9::9", deny},
                      {"::ffff:10.1.2.3", allow}, {"::ffff:192.168.1.1", deny}};
  for (const auto& row : rows) {
    CAPTURE(row.client);
    CHECK(acl.check(*IpAddress::parse(row.client)) == row.want);
  }
  CHECK(acl.check(unix_client()) == deny);
}

TEST_CASE("clients on a Unix socket have their own rules") {
  CHECK(make({{allow, "unix:"}, {deny, "all"}}).check(unix_client()) == allow);
  CHECK(make({{deny, "127.0.0.1"}, {deny, "::/0"}}).check(unix_client()) == Access::undecided);
  CHECK(make({{deny, "unix:"}}).check(*IpAddress::parse("127.0.0.1")) == Access::undecided);
}

TEST_CASE("without a rule that applies nothing is decided") {
  CHECK(Acl{}.empty());
  CHECK(Acl{}.check(*IpAddress::parse("127.0.0.1")) == Access::undecided);
  CHECK(make({{deny, "10.0.0.0/8"}}).check(*IpAddress::parse("::1")) == Access::undecided);
}

TEST_CASE("IPv6 rules hold for IPv4 addresses behind ::ffff: only while there are none for IPv4") {
  const auto mapped = *IpAddress::parse("::ffff:10.0.0.1");
  CHECK(make({{deny, "::/0"}}).check(mapped) == deny);
  CHECK(make({{deny, "::/0"}, {allow, "127.0.0.1"}}).check(mapped) == Access::undecided);
}

TEST_CASE("what is no range is refused") {
  Acl acl;
  for (const char* bad : {"", "every", "10.0.0.0/33", "unix:/x", "localhost"}) {
    CAPTURE(bad);
    CHECK_FALSE(acl.add(allow, bad));
  }
  CHECK(acl.empty());
}
