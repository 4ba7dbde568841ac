#include "net/lookup.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/socket.h"

namespace weir::net {
namespace {

// Without EDNS a datagram has 512 bytes; some servers do not care.
constexpr std::size_t kDatagram = 4096;
// Two questions, repeated a few times, have no more replies than this: somebody is guessing ids, or
// the server is out of its mind.
constexpr int kMaxMessages = 20;
// How long a caller may take it as given that a name has no addresses; as nginx.
constexpr Duration kRetryAfter = std::chrono::seconds{10};

constexpr std::uint8_t kFormatError = 1, kServerFailure = 2, kNotFound = 3, kUnimplemented = 4,
                       kRefused = 5;

ResolverStats::Count& counter_of(ResolverStats& stats, std::uint8_t code) {
  switch (code) {
    case 0:
      return stats.noerror;
    case kFormatError:
      return stats.formerr;
    case kServerFailure:
      return stats.servfail;
    case kNotFound:
      return stats.nxdomain;
    case kUnimplemented:
      return stats.notimp;
    case kRefused:
      return stats.refused;
    default:
      return stats.unknown;
  }
}

}  // namespace

Lookup::Ticket::~Ticket() {
  if (lookup_ != nullptr) lookup_->tickets_.erase(place_);
}

Lookup::Lookup(const Context& context, std::shared_ptr<const LookupRules> rules, LookupKind kind,
               std::string name, std::size_t first)
    : context_(context),
      rules_(std::move(rules)),
      kind_(kind),
      name_(std::move(name)),
      waiter_(context.loop),
      channels_(rules_->servers.size()),
      server_(first),
      moves_left_(rules_->servers.size() - 1) {
  const auto add = [&](dns::Type type) {
    questions_.push_back({type, static_cast<std::uint16_t>(context_.random()), false, false, {}});
  };
  if (kind == LookupKind::services) {
    add(dns::Type::srv);
    return;
  }
  if (rules_->ipv4) add(dns::Type::a);
  if (rules_->ipv6) add(dns::Type::aaaa);
}

Lookup::~Lookup() {
  auto answer = std::make_shared<Answer>();
  answer->error = ResolveError::cancelled;
  deliver(answer);
}

void Lookup::start() {
  task_.emplace(run());
  task_->start();
}

void Lookup::join(Ticket& ticket) {
  ticket.lookup_ = this;
  ticket.place_ = tickets_.insert(tickets_.end(), &ticket);
}

Task<void> Lookup::run() {
  for (;;) {
    next_server_ = false;
    resend_at_ = context_.loop.now() + rules_->resend;
    ask();
    while (!next_server_) {
      co_await waiter_.wait(resend_at_);
      read_all();
      if (complete()) {
        const AnswerPtr answer = conclude();
        channels_.clear();
        context_.done(*this, answer);
        deliver(answer);
        co_return;
      }
      // By the clock: whoever sends rubbish all the time would hide the time-out.
      if (context_.loop.now() < resend_at_) continue;
      if (tickets_.empty()) {
        channels_.clear();
        context_.done(*this, nullptr);
        co_return;
      }
      next_server_ = true;
    }
    server_ = (server_ + 1) % channels_.size();
  }
}

void Lookup::ask() {
  if (channels_[server_] == nullptr) {
    channels_[server_] = std::make_unique<Channel>(rules_->servers[server_]);
  }
  Channel& channel = *channels_[server_];
  // A connection that has brought nothing so far is not waited for again.
  channel.tcp.close();
  for (const auto& question : questions_) {
    if (question.answered || next_server_) continue;
    question.tcp ? send_tcp(channel, question) : send_udp(channel, question);
  }
}

void Lookup::send_udp(Channel& channel, const Question& question) {
  if (!channel.udp.is_open()) {
    const int fd = open_datagram(channel.server);
    if (fd < 0 || !channel.udp.open(context_.loop, fd)) {
      return failed(channel, channel.udp, "connect()", errno);
    }
    channel.udp.on_readable = &waiter_;
  }
  ResolverStats::count(context_.stats.queries);
  const auto sent = channel.udp.write(dns::encode_query(question.id, name_, question.type));
  if (!sent.ok() && !sent.blocked()) failed(channel, channel.udp, "send()", sent.error);
}

void Lookup::send_tcp(Channel& channel, const Question& question) {
  if (!channel.tcp.is_open()) {
    channel.tcp_out.clear();
    channel.tcp_in.clear();
    const int fd = begin_connect({channel.server, {}});
    if (fd < 0 || !channel.tcp.open(context_.loop, fd)) {
      return failed(channel, channel.tcp, "connect()", errno);
    }
    channel.tcp.expect_connect();
    channel.tcp.on_readable = channel.tcp.on_writable = &waiter_;
  }
  const std::string query = dns::encode_query(question.id, name_, question.type);
  channel.tcp_out.push_back(static_cast<char>(query.size() >> 8));
  channel.tcp_out.push_back(static_cast<char>(query.size() & 0xff));
  channel.tcp_out.append(query);
  ResolverStats::count(context_.stats.queries);
  flush_tcp(channel);
}

void Lookup::flush_tcp(Channel& channel) {
  while (!channel.tcp_out.empty() && channel.tcp.writable()) {
    const auto sent = channel.tcp.write(channel.tcp_out);
    if (sent.blocked()) return;
    if (!sent.ok()) return failed(channel, channel.tcp, "send()", sent.error);
    channel.tcp_out.erase(0, sent.size);
  }
}

void Lookup::read_all() {
  for (const auto& channel : channels_) {
    if (channel == nullptr) continue;
    read_udp(*channel);
    if (channel->tcp.is_open()) flush_tcp(*channel);
    read_tcp(*channel);
  }
}

// One datagram a read, so a short read does not mean drained.
void Lookup::read_udp(Channel& channel) {
  std::array<char, kDatagram> buffer;
  while (channel.udp.is_open()) {
    const auto got = channel.udp.read(buffer.data(), buffer.size());
    if (got.blocked()) return;
    if (got.status == IoResult::Status::error) {
      return failed(channel, channel.udp, "recv()", got.error);
    }
    take(channel, {buffer.data(), got.size}, false);
    if (++channel.messages >= kMaxMessages) give_up_udp(channel);
  }
}

// Guessing the sequence numbers of a connection is harder.
void Lookup::give_up_udp(Channel& channel) {
  channel.udp.close();
  channel.messages = 0;
  for (auto& question : questions_) {
    if (question.answered || question.tcp) continue;
    question.tcp = true;
    send_tcp(channel, question);
  }
}

void Lookup::read_tcp(Channel& channel) {
  std::array<char, kDatagram> buffer;
  while (channel.tcp.is_open() && channel.tcp.readable()) {
    const auto got = channel.tcp.read(buffer.data(), buffer.size());
    if (got.blocked()) return;
    if (!got.ok()) return failed(channel, channel.tcp, "recv()", got.error);
    channel.tcp_in.append(buffer.data(), got.size);
    while (channel.tcp_in.size() >= 2) {
      const auto size = static_cast<std::size_t>(static_cast<unsigned char>(channel.tcp_in[0]))
                            << 8 |
                        static_cast<unsigned char>(channel.tcp_in[1]);
      if (channel.tcp_in.size() < 2 + size) break;
      const std::string message = channel.tcp_in.substr(2, size);
      channel.tcp_in.erase(0, 2 + size);
      take(channel, message, true);
      if (!channel.tcp.is_open()) return;
      if (++channel.messages >= kMaxMessages) {
        return failed(channel, channel.tcp, "recv()", EBADMSG);
      }
    }
  }
}

void Lookup::take(Channel& channel, std::string_view message, bool tcp) {
  dns::Reply reply;
  if (const char* why = dns::parse_reply(message, reply)) return useless(channel, why, tcp);
  const auto found =
      std::find_if(questions_.begin(), questions_.end(), [&](const Question& question) {
        return question.id == reply.id &&
               (!reply.has_question || (question.type == reply.type && reply.name == name_));
      });
  if (found == questions_.end()) return useless(channel, "nobody asked for it", tcp);
  // Of a repeated query, or of the datagram that was truncated.
  if (found->answered || (!tcp && found->tcp)) return;
  if (!reply.truncated) return take_code(channel, *found, reply);
  if (tcp) return useless(channel, "it is truncated, though it came by TCP", tcp);
  found->tcp = true;
  resend_at_ = context_.loop.now() + rules_->resend;
  send_tcp(channel, *found);
}

void Lookup::take_code(Channel& channel, Question& question, dns::Reply& reply) {
  ResolverStats::count(counter_of(context_.stats, reply.code));
  // As nginx: what says nothing about the name does not end the wait for a reply that does.
  if (reply.code == kFormatError || reply.code > kRefused || !reply.has_question) {
    note(channel, "DNS error (" + std::to_string(reply.code) + ": " +
                      std::string(to_text(static_cast<ResolveError>(reply.code))) + ")");
    move_on(channel);
    return;
  }
  const bool about_server = reply.code != 0 && reply.code != kNotFound;
  if (rules_->tolerant && about_server && move_on(channel)) return;
  question.answered = true;
  question.reply = std::move(reply);
}

void Lookup::useless(Channel& channel, const char* why, bool tcp) {
  ResolverStats::count(context_.stats.useless);
  note(channel, std::string("useless DNS reply: ") + why);
  if (tcp) failed(channel, channel.tcp, "recv()", EBADMSG);
}

void Lookup::failed(Channel& channel, Descriptor& socket, const char* call, int error) {
  std::string what = std::string(call) + " failed";
  if (error != 0) what.append(" (").append(std::strerror(error)).append(")");
  note(channel, what);
  socket.close();
  move_on(channel);
}

// True: the next server will be asked at once.
bool Lookup::move_on(const Channel& channel) {
  if (&channel != channels_[server_].get()) return false;
  if (next_server_) return true;
  if (moves_left_ == 0) return false;
  --moves_left_;
  next_server_ = true;
  return true;
}

bool Lookup::complete() const {
  return std::all_of(questions_.begin(), questions_.end(),
                     [](const Question& question) { return question.answered; });
}

// Moves what the replies say to `answer`, and gives its lifetime in seconds. With two questions the
// last one, for IPv6, decides where both cannot be followed: nginx goes by the reply that comes
// last, which is usually that one.
std::uint32_t Lookup::collect(Answer& answer) {
  std::uint32_t ttl = 0x7fffffff;
  for (auto& question : questions_) {
    dns::Reply& reply = question.reply;
    if (reply.code != 0) answer.error = static_cast<ResolveError>(reply.code);
    const bool says_something =
        !reply.addresses.empty() || !reply.services.empty() || reply.alias.has_value();
    if (says_something) ttl = std::min(ttl, reply.ttl);
    auto& addresses = question.type == dns::Type::a ? answer.v4 : answer.v6;
    addresses = std::move(reply.addresses);
    answer.services = std::move(reply.services);
    answer.alias = std::move(reply.alias);
  }
  for (auto& service : answer.services) {
    service.weight = std::max(service.weight, std::uint16_t{1});  // as nginx
  }
  std::stable_sort(answer.services.begin(), answer.services.end(),
                   [](const auto& a, const auto& b) { return a.priority < b.priority; });
  return ttl;
}

AnswerPtr Lookup::conclude() {
  auto answer = std::make_shared<Answer>();
  const std::uint32_t ttl = collect(*answer);
  const bool found = !answer->v4.empty() || !answer->v6.empty() || !answer->services.empty();
  if (found) answer->alias.reset();
  if (found || answer->alias) {
    if (rules_->tolerant) answer->error = ResolveError::none;
  } else if (answer->error == ResolveError::none) {
    answer->error = ResolveError::not_found;
  }
  Duration lifetime = std::clamp(Duration{std::chrono::seconds{ttl}}, rules_->least, rules_->most);
  if (answer->error != ResolveError::none) {
    const auto error = answer->error;
    *answer = {};
    answer->error = error;
    lifetime = kRetryAfter;
  }
  if (rules_->valid > Duration{0}) lifetime = rules_->valid;
  answer->valid_until = context_.loop.now() + lifetime;
  return answer;
}

void Lookup::deliver(const AnswerPtr& answer) {
  for (Ticket* ticket : tickets_) {
    ticket->lookup_ = nullptr;
    ticket->answer_ = answer;
    ticket->waiter_.notify();
  }
  tickets_.clear();
}

void Lookup::note(const Channel& channel, std::string_view what) {
  if (noted_ || context_.log == nullptr) return;
  noted_ = true;
  std::string text(what);
  text.append(" while resolving ").append(name_);
  text.append(", resolver: ").append(channel.server.text());
  context_.log->error(text);
}

}  // namespace weir::net
