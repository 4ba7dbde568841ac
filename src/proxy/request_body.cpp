#include "proxy/request_body.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace weir::proxy {
namespace {

using Kind = http::Framing::Kind;

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kFileReadSize = 128 * 1024;
constexpr std::size_t kKeptCapacity = 64 * 1024;

// A file without a name: it goes when it is closed, whatever happens to the process.
int open_spool() {
  const char* directory = std::getenv("TMPDIR");
  if (directory == nullptr || *directory == '\0') directory = "/tmp";
  return ::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

}  // namespace

RequestBody::~RequestBody() { clear(); }

void RequestBody::clear() {
  if (file_ >= 0) {
    ::close(file_);
    file_ = -1;
  }
  if (memory_.capacity() > kKeptCapacity) {
    std::string().swap(memory_);
  } else {
    memory_.clear();
  }
  first_ = {};
  length_ = remaining_ = received_ = in_file_ = stored_ = cursor_ = 0;
  complete_ = replayable_ = true;
  kind_ = Kind::none;
}

Error RequestBody::begin(const http::Framing& framing, std::string_view first, const Limits& limits,
                         std::size_t& taken) {
  limits_ = limits;
  kind_ = framing.kind;
  taken = 0;
  if (kind_ == Kind::none) return {};
  if (kind_ == Kind::counted) {
    if (limits.max_size != 0 && framing.length > limits.max_size) {
      return {Errc::client_body_too_large, 0};
    }
    length_ = remaining_ = framing.length;
    taken = static_cast<std::size_t>(std::min<std::uint64_t>(first.size(), length_));
    first_ = first.substr(0, taken);
    remaining_ -= taken;
    received_ = stored_ = taken;
    complete_ = remaining_ == 0;
    return {};
  }
  complete_ = false;
  decoder_ = http::ChunkedDecoder();
  return decode(first, taken);
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
  if (bytes.empty()) return {};
  if (limits_.buffered) {
    if (file_ >= 0 || first_.size() + memory_.size() + bytes.size() > limits_.memory) {
      return spool(bytes);
    }
  } else if (replayable_ && stored_ + bytes.size() > limits_.keep) {
    // Too large to keep: from here on only what the peer has not taken yet is held.
    replayable_ = false;
  }
  if (!replayable_ && drained()) {
    first_ = {};
    memory_.clear();
    stored_ = cursor_ = 0;
  }
  memory_.append(bytes);
  stored_ += bytes.size();
  return {};
}

Error RequestBody::spool(std::string_view bytes) {
  if (file_ < 0) file_ = open_spool();
  if (file_ < 0) return {Errc::local_resources, errno};
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

void RequestBody::drop() {
  limits_.buffered = false;
  replayable_ = false;
  first_ = {};
  memory_.clear();
  stored_ = cursor_ = in_file_ = 0;
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
