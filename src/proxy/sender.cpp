#include "proxy/sender.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "proxy/http2_stream.h"
#include "proxy/temp_file.h"

namespace weir::proxy {
namespace {

// Bytes sent that may stay in front of those held back.
constexpr std::size_t kCompact = 64 * 1024;
constexpr std::size_t kFilePiece = 64 * 1024;
constexpr std::size_t kKeptCapacity = 64 * 1024;
// A client is slow that takes nothing for so long, or less than that from the beginning on. For one
// that keeps up, a file would cost twice the work to save the peer milliseconds.
constexpr Duration kPatience{200};
constexpr std::uint64_t kSlowRate = 4 * 1024 * 1024;  // bytes a second

// Capacity that one answer needed is not kept for all that follow.
void empty(std::string& text) {
  if (text.capacity() > kKeptCapacity) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

}  // namespace

void Sender::reset() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  file_written_ = file_read_ = 0;
  client_ = nullptr;
  compressor_.reset();
  empty(head_);
  empty(encoded_);
  empty(tail_);
  tail_sent_ = 0;
  ended_ = moved_ = ending_ = false;
  trailers_.clear();
  sent_ = plain_size_ = coded_size_ = 0;
  paused_until_ = TimePoint::min();
  error_ = {};
}

void Sender::begin(net::Descriptor& client, const net::Loop& loop, const Options& options,
                   std::unique_ptr<BodyFilter> compressor, std::string_view head) {
  client_ = &client;
  loop_ = &loop;
  options_ = options;
  compressor_ = std::move(compressor);
  head_.assign(head);
  began_ = last_moved_ = loop.now();
}

void Sender::begin_held(const net::Loop& loop, const Options& options) {
  loop_ = &loop;
  options_ = options;
  began_ = last_moved_ = loop.now();
}

bool Sender::take(std::string& out) {
  if (in_memory() == 0 && !refill()) return false;
  out.assign(tail_, tail_sent_);
  tail_.clear();
  tail_sent_ = 0;
  return true;
}

bool Sender::room() const {
  const auto held = in_memory() + in_file();
  return held == 0 || held < options_.memory || (file_has_room() && (in_file() > 0 || slow()));
}

bool Sender::slow() const {
  const auto now = loop_->now();
  if (client_ == nullptr || paused_until_ > now || now - last_moved_ >= kPatience) return true;
  const auto elapsed = now - began_;
  return elapsed >= kPatience &&
         sent_ * 1000 < kSlowRate * static_cast<std::uint64_t>(elapsed / Duration{1});
}

TimePoint Sender::room_at() const {
  return file_has_room() ? last_moved_ + kPatience : TimePoint::max();
}

bool Sender::can_flush() const {
  return held() > 0 && client_->writable() && paused_until_ <= loop_->now();
}

// ---- bytes of the body
// ---------------------------------------------------------------------------

void Sender::write(std::string_view bytes, bool last) {
  if (compressor_ != nullptr || options_.framing != Framing::chunked) {
    // Nothing is written around these bytes.
    write(const_cast<char*>(bytes.data()), bytes.size(), 0, last);
    return;
  }
  encoded_.assign(kFrameRoom, '\0');
  encoded_.append(bytes).append(kTailRoom, '\0');
  write(encoded_.data() + kFrameRoom, bytes.size(), kFrameRoom, last);
}

void Sender::write(char* data, std::size_t size, std::size_t room, bool last) {
  if (options_.framing == Framing::none || ended_ || !error_.ok()) return;
  plain_size_ += size;
  if (compressor_ != nullptr) {
    encoded_.assign(kFrameRoom, '\0');
    if (!compressor_->write({data, size}, options_.flush, last, encoded_)) {
      return fail(Errc::local_resources, 0);
    }
    size = encoded_.size() - kFrameRoom;
    encoded_.append(kTailRoom, '\0');
    data = encoded_.data() + kFrameRoom;
    room = kFrameRoom;
  }
  coded_size_ += size;
  ended_ = last;
  ending_ = last && options_.framing == Framing::stream;
  if (options_.framing != Framing::chunked) return push(data, size, room);
  if (size == 0) {
    if (last) {
      char end[] = "0\r\n\r\n";
      push(end, 5, 0);
    }
    return;
  }
  char digits[16];
  const auto digits_end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
  const auto length = static_cast<std::size_t>(digits_end - digits);
  std::memcpy(data + size, "\r\n0\r\n\r\n", 7);
  std::memcpy(data - 2, "\r\n", 2);
  std::memcpy(data - 2 - length, digits, length);
  push(data - 2 - length, length + 2 + size + (last ? 7 : 2), room - 2 - length);
}

std::size_t Sender::write_file(int file, std::uint64_t offset, std::size_t size) {
  if (!error_.ok() || !client_->writable()) return 0;
  if (options_.rate > 0) {
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, allowance()));
    if (size == 0) return 0;
  }
  const auto result = client_->write_file(file, offset, size);
  if (result.blocked()) return 0;
  if (!result.ok()) {
    fail(result.status == net::IoResult::Status::eof ? Errc::local_resources : Errc::client_closed,
         result.error);
    return 0;
  }
  sent_ += result.size;
  plain_size_ += result.size;
  coded_size_ += result.size;
  moved_ = true;
  return result.size;
}

void Sender::finish(std::string_view trailers) {
  if (options_.framing == Framing::none || ended_ || !error_.ok()) return;
  if (compressor_ != nullptr) {
    // What it still holds goes as a chunk of its own.
    encoded_.assign(kFrameRoom, '\0');
    if (!compressor_->write({}, true, true, encoded_)) return fail(Errc::local_resources, 0);
    compressor_.reset();
    const std::string rest = encoded_.substr(kFrameRoom);
    coded_size_ += rest.size();
    const auto plain = plain_size_;
    const auto coded = coded_size_;
    if (!rest.empty()) write(rest, false);
    plain_size_ = plain;
    coded_size_ = coded;
  }
  ended_ = true;
  ending_ = options_.framing == Framing::stream;
  if (ending_) trailers_.assign(trailers);
  if (options_.framing != Framing::chunked) return;
  std::string end = "0\r\n";
  end.append(trailers).append("\r\n");
  push(end.data(), end.size(), 0);
}

// Hands bytes to the client, or keeps what it does not take. The head goes in one piece with the
// first of them.
void Sender::push(char* data, std::size_t size, std::size_t room) {
  if (size == 0) return;
  if (!head_.empty() && options_.stream != nullptr) send_stream_head();
  if (!head_.empty()) {
    if (head_.size() <= room) {
      data -= head_.size();
      std::memcpy(data, head_.data(), head_.size());
      size += head_.size();
      head_.clear();
    } else {
      head_.append(data, size);
      std::string whole;
      whole.swap(head_);
      const auto sent = send(whole, true);
      keep(std::string_view(whole).substr(sent));
      whole.clear();
      head_.swap(whole);
      return;
    }
  }
  const std::string_view bytes(data, size);
  const auto sent = in_memory() + in_file() == 0 ? send(bytes, true) : 0;
  keep(bytes.substr(sent));
}

void Sender::send_stream_head() {
  options_.stream->send_head(head_, options_.framing != Framing::none);
  sent_ += head_.size();
  moved_ = true;
  head_.clear();
}

std::size_t Sender::send(std::string_view bytes, bool all) {
  if (client_ == nullptr || !error_.ok()) return 0;
  const auto whole = bytes.size();
  if (options_.rate > 0) {
    bytes = bytes.substr(
        0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), allowance())));
    if (bytes.empty()) return 0;
  }
  const bool last = all && ended_ && bytes.size() == whole && trailers_.empty();
  const auto result =
      options_.stream == nullptr ? client_->write(bytes) : options_.stream->send(bytes, last);
  if (result.status == net::IoResult::Status::error) {
    fail(Errc::client_closed, result.error);
    return 0;
  }
  sent_ += result.size;
  if (result.size > 0) {
    moved_ = true;
    last_moved_ = loop_->now();
  }
  return result.size;
}

// nginx's `limit_rate`: what has been sent may be as much as the rate gives for the seconds since
// the beginning, the running one included.
std::uint64_t Sender::allowance() {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  const auto now = loop_->now();
  const auto elapsed = static_cast<std::uint64_t>(duration_cast<seconds>(now - began_).count());
  const auto budget = options_.rate * (elapsed + 1) + options_.rate_after;
  if (sent_ < budget) {
    paused_until_ = TimePoint::min();
    return budget - sent_;
  }
  paused_until_ =
      now + Duration{static_cast<std::int64_t>((sent_ - budget) * 1000 / options_.rate) + 1};
  return 0;
}

void Sender::keep(std::string_view bytes) {
  if (bytes.empty() || !error_.ok()) return;
  if (options_.most > 0 && in_memory() + in_file() + bytes.size() > options_.most) {
    return fail(Errc::local_resources, 0);
  }
  const bool to_file = in_file() > 0 || (options_.file > 0 &&
                                         in_memory() + bytes.size() > options_.memory && slow());
  if (!to_file) {
    if (in_memory() == 0) {
      tail_.clear();
      tail_sent_ = 0;
    }
    tail_.append(bytes);
    return;
  }
  if (file_ < 0) file_ = open_unnamed_file(options_.file_directory);
  while (file_ >= 0 && !bytes.empty()) {
    const auto n = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(file_written_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    file_written_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (!bytes.empty()) fail(Errc::local_resources, errno);
}

// Brings the next piece of the file into memory.
bool Sender::refill() {
  tail_.clear();
  tail_sent_ = 0;
  if (in_file() == 0) return false;
  tail_.resize(std::min(in_file(), kFilePiece));
  const auto n = ::pread(file_, tail_.data(), tail_.size(), static_cast<off_t>(file_read_));
  if (n <= 0) {
    tail_.clear();
    fail(Errc::local_resources, n < 0 ? errno : EIO);
    return false;
  }
  tail_.resize(static_cast<std::size_t>(n));
  file_read_ += static_cast<std::uint64_t>(n);
  if (file_read_ == file_written_) file_read_ = file_written_ = 0;  // its room is used again
  return true;
}

Error Sender::flush() {
  if (!error_.ok() || holds()) return error_;
  if (!head_.empty() && options_.stream != nullptr) send_stream_head();
  if (!head_.empty()) {
    std::string head;
    head.swap(head_);
    const auto sent = send(head, true);
    keep(std::string_view(head).substr(sent));
  }
  while (error_.ok() && client_->writable() && (in_memory() > 0 || refill())) {
    const auto sent = send(std::string_view(tail_).substr(tail_sent_), in_file() == 0);
    tail_sent_ += sent;
    if (in_memory() > 0) {
      if (tail_sent_ >= kCompact) {
        tail_.erase(0, tail_sent_);
        tail_sent_ = 0;
      }
      break;
    }
    tail_.clear();
    tail_sent_ = 0;
  }
  if (ending_ && error_.ok() && in_memory() + in_file() == 0) {
    ending_ = !options_.stream->finish(trailers_);
  }
  return error_;
}

}  // namespace weir::proxy
