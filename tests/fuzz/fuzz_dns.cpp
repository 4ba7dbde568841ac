// Any bytes as a DNS message, as a name, and as the files that say how names are resolved: reading
// ends, stays within the bytes, and gives names that can be asked about again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "heads.h"
#include "net/dns_message.h"
#include "net/resolv_conf.h"

namespace {

namespace dns = weir::net::dns;
using weir::fuzz::check;

// A query for `name`, made a reply by its one bit, has the name as its question.
void check_question(const std::string& name, dns::Type type) {
  std::string message = dns::encode_query(4711, name, type);
  message[2] = static_cast<char>(message[2] | 0x80);
  dns::Reply reply;
  check(dns::parse_reply(message, reply) == nullptr, "a query of weir's own can be read");
  check(reply.id == 4711 && reply.has_question, "it has its id and question");
  check(reply.name == name && reply.type == type, "its question is what was asked");
}

void check_name(const std::string& name) {
  check(name.size() <= dns::kMaxName, "the length of a name");
  for (const char c : name) check(c < 'A' || c > 'Z', "names are in lower case");
}

void check_reply(const dns::Reply& reply) {
  const bool says_something = !reply.addresses.empty() || !reply.services.empty() || reply.alias;
  if (reply.truncated || reply.code != 0) check(!says_something, "no answer that is not whole");
  check(reply.has_question || reply.code != 0, "only errors come without their question");
  check_name(reply.name);
  if (const auto name = dns::normalise(reply.name); name && reply.name.back() != '.') {
    check(*name == reply.name, "names come in their one form");
    check_question(*name, reply.type);
  }
  check(reply.addresses.size() + reply.services.size() <= dns::kMaxRecords,
        "no more than the most");
  check(reply.ttl <= 0x7fffffff, "a lifetime");
  check(says_something || reply.ttl == 0 || reply.type == dns::Type::srv, "nothing lives for 0 s");
  if (reply.alias) {
    check(reply.addresses.empty() && reply.services.empty(), "an alias is what is left over");
    check_name(*reply.alias);
  }
  for (const auto& address : reply.addresses) {
    check(reply.type == (address.is_v4() ? dns::Type::a : dns::Type::aaaa), "the family asked for");
    check(address.port() == 0, "no port");
  }
  for (const auto& service : reply.services) {
    check(reply.type == dns::Type::srv, "services only where they were asked for");
    check(dns::normalise(service.target).has_value(), "targets can be asked about");
  }
}

void as_message(std::string_view bytes) {
  for (const std::size_t size : {bytes.size(), bytes.size() / 2, bytes.size() - 1}) {
    const weir::fuzz::Exact exact(bytes.substr(0, size));
    dns::Reply reply;
    if (dns::parse_reply(exact.view(), reply) == nullptr) check_reply(reply);
  }
}

void as_name(std::string_view bytes) {
  const auto name = dns::normalise(bytes);
  if (!name) return;
  check_name(*name);
  check(dns::normalise(*name) == name, "a normal name is its own normal form");
  check_question(*name, dns::Type::a);
}

void as_files(std::string_view bytes) {
  const auto conf = weir::net::parse_resolv_conf(bytes, bytes.substr(0, 64));
  check(!conf.servers.empty() && conf.servers.size() <= 3, "the number of servers");
  check(conf.timeout >= std::chrono::seconds{1} && conf.attempts >= 1, "there is a first attempt");
  for (const auto& domain : conf.search) check_name(domain);
  for (const auto& [name, addresses] : weir::net::parse_hosts(bytes)) {
    check_name(name);
    check(!addresses.empty(), "a name in the hosts file has addresses");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  as_message(bytes);
  as_name(bytes);
  as_files(bytes);
  return 0;
}
