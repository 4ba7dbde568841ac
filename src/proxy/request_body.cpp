#include "proxy/request_body.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "proxy/temp_file.h"

namespace weir::proxy {
namespace {

using Kind = http::Framing::Kind;

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kFileReadSize = 128 * 1024;
constexpr std::size_t kKeptCapacity = 64 * 1024;

}  // namespace

RequestBody::~RequestBody() { clear(); }

void RequestBody::clear() {
  if (file_ >= 0) {
    ::close(file_);
    file_ = -1;
    if (limits_.file_only && !limits_.keep_file) ::unlink(file_path_.c_str());
  }
  file_path_.clear();
  if (memory_.capacity() > kKeptCapacity) {
    std::string().swap(memory_);
  } else {
    memory_.clear();
  }
  first_ = {};
  length_ = remaining_ = received_ = in_file_ = stored_ = cursor_ = 0;
  complete_ = replayable_ = started_ = true;
  dropping_ = lost_ = false;
  kind_ = Kind::none;
}

void RequestBody::arrive(const http::Framing& framing, std::string_view first,
                         std::string& pending) {
  kind_ = framing.kind;
  if (kind_ == Kind::none) {
    if (!first.empty()) pending.assign(first);
    return;
  }
  started_ = complete_ = false;
  first_ = first;
  if (kind_ == Kind::chunked) return;
  length_ = remaining_ = framing.length;
  const auto mine = static_cast<std::size_t>(std::min<std::uint64_t>(first.size(), length_));
  first_ = first.substr(0, mine);
  if (mine < first.size()) pending.assign(first.substr(mine));
  remaining_ -= mine;
  received_ = mine;
  complete_ = remaining_ == 0;
}

Error RequestBody::start(const Limits& limits, std::string& pending) {
  if (started_) return {};
  started_ = true;
  limits_ = limits;
  if (kind_ == Kind::counted) {
    if (limits.max_size != 0 && length_ > limits.max_size) return {Errc::client_body_too_large, 0};
    if (limits.buffered && limits.file_only) return spool(std::exchange(first_, {}));
    stored_ = first_.size();
    return {};
  }
  const auto first = std::exchange(first_, {});
  decoder_ = http::ChunkedDecoder();
  std::size_t taken = 0;
  const Error error = decode(first, taken);
  if (taken < first.size()) pending.assign(first.substr(taken));
  return error;
}

bool RequestBody::share(RequestBody& copy) const {
  copy.clear();
  copy.kind_ = kind_ == Kind::none ? Kind::none : Kind::counted;
  copy.length_ = outgoing().length;
  copy.memory_.assign(first_).append(memory_);
  copy.stored_ = stored_;
  copy.in_file_ = in_file_;
  copy.limits_ = {};
  if (file_ < 0) return true;
  copy.file_ = ::dup(file_);
  return copy.file_ >= 0;
}

void RequestBody::append_text(std::string& out) const {
  if (file_ >= 0 || !started_ || !complete_ || !replayable_) return;
  if (kind_ != Kind::chunked || limits_.buffered) {
    out.append(first_).append(memory_);
    return;
  }
  http::ChunkedDecoder decoder;
  for (std::string_view rest = memory_; !rest.empty();) {
    const auto step = decoder.next(rest);
    out.append(step.data);
    rest.remove_prefix(step.consumed);
    if (step.status != http::ChunkedDecoder::Status::data) break;
  }
}

Error RequestBody::decode(std::string_view bytes, std::size_t& taken) {
  // Buffered bodies are kept decoded, streamed ones as they came: they go out chunked again.
  taken = 0;
  Error error;
  while (taken < bytes.size() && !complete_) {
    const auto rest = bytes.substr(taken);
    const auto step = limits_.buffered ? decoder_.next(rest) : decoder_.skim(rest);
    if (step.status == http::ChunkedDecoder::Status::error) return {Errc::client_bad_body, 0};
    taken += step.consumed;
    if (limits_.max_size != 0 && decoder_.decoded() > limits_.max_size) {
      return {Errc::client_body_too_large, 0};
    }
    complete_ = step.status == http::ChunkedDecoder::Status::done;
    error = store(limits_.buffered ? step.data : rest.substr(0, step.consumed));
    if (!error.ok()) return error;
    if (step.status == http::ChunkedDecoder::Status::more) break;
  }
  received_ += taken;
  return {};
}

Error RequestBody::store(std::string_view bytes) {
  if (bytes.empty() || dropping_) return {};
  if (limits_.buffered) {
    if (file_ >= 0 || limits_.file_only ||
        first_.size() + memory_.size() + bytes.size() > limits_.memory) {
      return spool(bytes);
    }
  } else if (replayable_ && stored_ + bytes.size() > limits_.keep) {
    // Too large to keep: from here on only what the peer has not taken yet is held.
    replayable_ = false;
  }
  if (!replayable_ && drained()) {
    lost_ = lost_ || stored_ > 0;
    first_ = {};
    memory_.clear();
    stored_ = cursor_ = 0;
  }
  memory_.append(bytes);
  stored_ += bytes.size();
  return {};
}

Error RequestBody::spool(std::string_view bytes) {
  if (file_ < 0) {
    file_ = limits_.file_only ? open_named_file(limits_.directory, file_path_)
                              : open_unnamed_file(limits_.directory);
  }
  if (file_ < 0) return {Errc::local_resources, errno};
  // A file without a name can be opened by way of this one as long as the request lasts.
  if (file_path_.empty()) {
    file_path_ = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_);
  }
  while (!bytes.empty()) {
    const auto n = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(in_file_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {Errc::local_resources, errno};
    in_file_ += static_cast<std::uint64_t>(n);
    stored_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

RequestBody::ReadResult RequestBody::read(net::Descriptor& client, char* scratch,
                                          std::string& pending) {
  const auto result = client.read(scratch, kReadSize);
  if (result.blocked()) return {{}, true};
  if (!result.ok()) return {{Errc::client_closed, result.error}, false};
  return {accept(scratch, result.size, pending), false};
}

Error RequestBody::accept(char* bytes, std::size_t size, std::string& pending) {
  std::string_view rest(bytes, size);
  if (kind_ == Kind::chunked) {
    std::size_t taken = 0;
    if (const auto error = decode(rest, taken); !error.ok()) return error;
    if (taken < size) pending.append(rest.substr(taken));
    return {};
  }
  const auto mine = static_cast<std::size_t>(std::min<std::uint64_t>(size, remaining_));
  remaining_ -= mine;
  received_ += mine;
  complete_ = remaining_ == 0;
  if (mine < size) pending.append(rest.substr(mine));
  return store(rest.substr(0, mine));
}

Error RequestBody::drop(std::string& pending) {
  Limits limits;
  limits.buffered = false;
  limits.keep = 0;
  const Error error = start(limits, pending);
  limits_.buffered = false;
  dropping_ = true;
  replayable_ = false;
  lost_ = true;
  first_ = {};
  memory_.clear();
  stored_ = cursor_ = in_file_ = 0;
  return error;
}

http::Framing RequestBody::outgoing() const {
  if (kind_ == Kind::counted) return {Kind::counted, length_};
  if (kind_ == Kind::none) return {};
  if (limits_.buffered) return {Kind::counted, decoder_.decoded()};
  return {Kind::chunked, 0};
}

std::string_view RequestBody::in_memory() const {
  if (cursor_ < first_.size()) return first_.substr(cursor_);
  const auto at = cursor_ - first_.size();
  if (at < memory_.size()) return std::string_view(memory_).substr(at);
  return {};
}

void RequestBody::consume(std::size_t size) { cursor_ += size; }

net::IoResult RequestBody::write(net::Descriptor& peer, char* scratch) {
  net::IoResult last{net::IoResult::Status::ok, 0, 0};
  std::size_t total = 0;
  while (!drained()) {
    auto bytes = in_memory();
    if (bytes.empty()) {
      const auto at = cursor_ - first_.size() - memory_.size();
      const auto n = ::pread(file_, scratch, kFileReadSize, static_cast<off_t>(at));
      if (n <= 0) return {net::IoResult::Status::error, n < 0 ? errno : EIO, total};
      bytes = {scratch, static_cast<std::size_t>(n)};
    }
    last = peer.write(bytes);
    if (!last.ok()) break;
    total += last.size;
    cursor_ += last.size;
    if (last.size < bytes.size()) {
      last.status = net::IoResult::Status::blocked;
      break;
    }
  }
  last.size = total;
  return last;
}

}  // namespace weir::proxy
