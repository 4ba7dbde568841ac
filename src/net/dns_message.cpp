#include "net/dns_message.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace weir::net::dns {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::uint16_t kClassInternet = 1;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool may_stand_in_label(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7f && c != '.';
}

void put16(std::string& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}

// Reads forward through a message, and never beyond it.
class Reader {
 public:
  explicit Reader(std::string_view message) : message_(message) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  void seek(std::size_t at) { at_ = at; }
  [[nodiscard]] bool has(std::size_t size) const { return message_.size() - at_ >= size; }
  [[nodiscard]] std::uint8_t byte(std::size_t at) const {
    return static_cast<std::uint8_t>(message_[at]);
  }

  bool read16(std::uint16_t& out) {
    if (!has(2)) return false;
    out = static_cast<std::uint16_t>(byte(at_) << 8 | byte(at_ + 1));
    at_ += 2;
    return true;
  }
  bool read32(std::uint32_t& out) {
    std::uint16_t high = 0, low = 0;
    if (!read16(high) || !read16(low)) return false;
    out = static_cast<std::uint32_t>(high) << 16 | low;
    return true;
  }
  bool skip(std::size_t size) {
    if (!has(size)) return false;
    at_ += size;
    return true;
  }
  bool read_name(std::string& out);

 private:
  bool append_label(std::size_t at, std::size_t size, std::string& out);

  std::string_view message_;
  std::size_t at_ = 0;
};

bool Reader::append_label(std::size_t at, std::size_t size, std::string& out) {
  if (message_.size() - at < size) return false;
  if (!out.empty()) out.push_back('.');
  if (out.size() + size > kMaxName) return false;
  for (const char c : message_.substr(at, size)) {
    out.push_back(may_stand_in_label(c) ? lower(c) : ' ');
  }
  return true;
}

// Each pointer must lead to before the bytes read since the last one, so there is no way round.
bool Reader::read_name(std::string& out) {
  out.clear();
  std::size_t at = at_;
  std::size_t start = at_;
  bool jumped = false;
  while (at < message_.size()) {
    const std::uint8_t size = byte(at);
    if (size == 0) {
      if (!jumped) at_ = at + 1;
      return true;
    }
    if (size <= kMaxLabel) {
      if (!append_label(at + 1, size, out)) return false;
      at += 1 + std::size_t{size};
      continue;
    }
    if ((size & 0xc0) != 0xc0 || at + 1 >= message_.size()) return false;
    const std::size_t target = static_cast<std::size_t>(size & 0x3f) << 8 | byte(at + 1);
    if (target < kHeader || target >= start) return false;
    if (!jumped) at_ = at + 2;
    jumped = true;
    at = start = target;
  }
  return false;
}

struct Record {
  std::string owner;
  Type type{};
  std::uint32_t ttl = 0;
  std::size_t data = 0;  // offset
  std::size_t size = 0;
};

bool read_record(Reader& reader, Record& record, bool& internet) {
  std::uint16_t type = 0, internet_class = 0, size = 0;
  if (!reader.read_name(record.owner) || !reader.read16(type) || !reader.read16(internet_class) ||
      !reader.read32(record.ttl) || !reader.read16(size)) {
    return false;
  }
  record.type = static_cast<Type>(type);
  internet = internet_class == kClassInternet;
  // RFC 2181: a time with the highest bit set is none.
  if (record.ttl > 0x7fffffff) record.ttl = 0;
  record.data = reader.at();
  record.size = size;
  return reader.skip(size);
}

IpAddress address_of(std::string_view bytes) {
  if (bytes.size() == 4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, bytes.data(), 4);
    return IpAddress(reinterpret_cast<const sockaddr*>(&v4));
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  std::memcpy(&v6.sin6_addr, bytes.data(), 16);
  return IpAddress(reinterpret_cast<const sockaddr*>(&v6));
}

// Adds what a record of the type asked for says.
bool take(std::string_view message, Reader reader, const Record& record, Reply& reply) {
  if (record.type == Type::srv) {
    Service service;
    reader.seek(record.data);
    const bool read = reader.read16(service.priority) && reader.read16(service.weight) &&
                      reader.read16(service.port) && reader.read_name(service.target) &&
                      reader.at() == record.data + record.size;
    if (!read) return false;
    // The root as target says that there is no such service here (RFC 2782).
    if (normalise(service.target)) reply.services.push_back(std::move(service));
    return true;
  }
  if (record.size != (record.type == Type::a ? 4U : 16U)) return false;
  reply.addresses.push_back(address_of(message.substr(record.data, record.size)));
  return true;
}

const char* parse_answer(std::string_view message, Reader reader, std::size_t count, Reply& reply) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < std::min(count, kMaxRecords); ++i) {
    Record record;
    bool internet = false;
    if (!read_record(reader, record, internet)) return "a record is cut short or has a bad name";
    if (internet && (record.type == reply.type || record.type == Type::cname)) {
      records.push_back(std::move(record));
    }
  }
  std::string owner = reply.name;
  std::uint32_t ttl = 0x7fffffff;
  for (int aliases = 0; aliases <= kMaxAliases; ++aliases) {
    const Record* cname = nullptr;
    bool found = false;
    for (const auto& record : records) {
      if (record.owner != owner) continue;
      if (record.type == Type::cname) {
        cname = &record;
        continue;
      }
      if (!take(message, reader, record, reply)) return "a record has bad data";
      ttl = std::min(ttl, record.ttl);
      found = true;
    }
    if (found) reply.alias.reset();
    if (found || cname == nullptr) {
      reply.ttl = found || reply.alias ? ttl : 0;
      return nullptr;
    }
    reader.seek(cname->data);
    if (!reader.read_name(owner)) return "a CNAME has a bad name";
    reply.alias = owner;
    ttl = std::min(ttl, cname->ttl);
  }
  return "the chain of CNAMEs is too long, or runs in a circle";
}

}  // namespace

std::optional<std::string> normalise(std::string_view text) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.size() > kMaxName) return std::nullopt;
  std::string result;
  result.reserve(text.size());
  std::size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return std::nullopt;
      label = 0;
    } else if (!may_stand_in_label(c) || ++label > kMaxLabel) {
      return std::nullopt;
    }
    result.push_back(lower(c));
  }
  if (label == 0) return std::nullopt;
  return result;
}

std::string encode_query(std::uint16_t id, std::string_view name, Type type) {
  constexpr std::uint16_t recursion_desired = 0x0100;
  std::string out;
  out.reserve(kHeader + name.size() + 6);
  put16(out, id);
  put16(out, recursion_desired);
  put16(out, 1);  // questions
  out.append(6, '\0');
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out.push_back(static_cast<char>(label.size()));
    out.append(label);
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out.push_back('\0');
  put16(out, static_cast<std::uint16_t>(type));
  put16(out, kClassInternet);
  return out;
}

const char* parse_reply(std::string_view message, Reply& reply) {
  reply = {};
  Reader reader(message);
  std::uint16_t flags = 0, questions = 0, answers = 0;
  if (!reader.read16(reply.id) || !reader.read16(flags) || !reader.read16(questions) ||
      !reader.read16(answers) || !reader.skip(4)) {
    return "it is shorter than a header";
  }
  constexpr std::uint16_t response = 0x8000, opcode = 0x7800, truncated = 0x0200, code = 0x000f;
  if ((flags & response) == 0) return "it is a query";
  if ((flags & opcode) != 0) return "it replies to another kind of query";
  reply.truncated = (flags & truncated) != 0;
  reply.code = static_cast<std::uint8_t>(flags & code);
  // A server that does not understand a query may leave the question out.
  if (questions == 0 && reply.code != 0) return nullptr;
  if (questions != 1) return "it has not one question";
  std::uint16_t type = 0, question_class = 0;
  if (!reader.read_name(reply.name) || !reader.read16(type) || !reader.read16(question_class)) {
    return "its question is cut short or has a bad name";
  }
  if (question_class != kClassInternet) return "its question is of another class";
  reply.type = static_cast<Type>(type);
  reply.has_question = true;
  const bool known = reply.type == Type::a || reply.type == Type::aaaa || reply.type == Type::srv;
  if (!known) return "its question is of another type";
  if (reply.truncated || reply.code != 0) return nullptr;
  return parse_answer(message, reader, answers, reply);
}

}  // namespace weir::net::dns
