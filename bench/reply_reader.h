// Finds where an HTTP/1.1 answer ends and checks what it can on the way: the status and, for a
// counted body, nothing else. As cheap as a load generator can be; it trusts the peer's syntax.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

class ReplyReader {
 public:
  enum class State : std::uint8_t { head, counted, chunk_size, chunk_data, trailer, done, bad };

  void reset() {
    state_ = State::head;
    line_.clear();
    status_ = 0;
    left_ = 0;
    closes_ = false;
  }

  State state() const { return state_; }
  bool done() const { return state_ == State::done; }
  bool bad() const { return state_ == State::bad; }
  int status() const { return status_; }
  bool closes() const { return closes_; }

  // Bytes of a counted body still to come, which may be thrown away unseen.
  std::size_t counted_left() const { return state_ == State::counted ? left_ : 0; }
  void skip_counted(std::size_t n) {
    left_ -= n;
    if (left_ == 0) state_ = State::done;
  }

  // Takes what belongs to this answer; returns how many bytes that was.
  std::size_t feed(std::string_view bytes) {
    const std::size_t all = bytes.size();
    while (!bytes.empty() && !done() && !bad()) bytes.remove_prefix(step(bytes));
    return all - bytes.size();
  }

 private:
  std::size_t step(std::string_view bytes) {
    switch (state_) {
      case State::head:
        return take_until(bytes, "\r\n\r\n", &ReplyReader::on_head);
      case State::chunk_size:
        return take_until(bytes, "\r\n", &ReplyReader::on_chunk_size);
      case State::trailer:
        return take_until(bytes, "\r\n", &ReplyReader::on_trailer);
      case State::chunk_data:
      case State::counted: {
        const std::size_t n = std::min(left_, bytes.size());
        left_ -= n;
        if (left_ == 0) state_ = state_ == State::counted ? State::done : State::chunk_size;
        return n;
      }
      case State::done:
      case State::bad:
        break;
    }
    return 0;
  }

  // Calls `act` with everything up to and including `end`, however it was cut in transit.
  std::size_t take_until(std::string_view bytes, std::string_view end,
                         void (ReplyReader::*act)(std::string_view)) {
    if (line_.empty()) {
      const std::size_t at = bytes.find(end);
      if (at != std::string_view::npos) {
        (this->*act)(bytes.substr(0, at + end.size()));
        return at + end.size();
      }
      line_.assign(bytes);
      return bytes.size();
    }
    const std::size_t before = line_.size();
    line_.append(bytes);
    const std::size_t at = line_.find(end, before < end.size() ? 0 : before - end.size() + 1);
    if (at == std::string::npos) return bytes.size();
    const std::string whole = line_.substr(0, at + end.size());
    line_.clear();
    (this->*act)(whole);
    return whole.size() - before;
  }

  void on_head(std::string_view head) {
    status_ = 0;
    for (const char c : head.substr(std::min<std::size_t>(9, head.size()), 3)) {
      status_ = status_ * 10 + (c - '0');
    }
    closes_ = has(head, "\r\nconnection: close");
    if (status_ == 101 || status_ == 204 || status_ == 304) {
      state_ = State::done;
    } else if (status_ >= 200 && has(head, "\r\ntransfer-encoding: chunked")) {
      state_ = State::chunk_size;
    } else if (status_ >= 200) {
      on_counted(head);
    }
  }

  void on_counted(std::string_view head) {
    static constexpr std::string_view kName = "\r\ncontent-length: ";
    const std::size_t at = find(head, kName);
    if (at == std::string_view::npos) {
      state_ = State::bad;
      return;
    }
    left_ = 0;
    for (const char c : head.substr(at + kName.size())) {
      if (c < '0' || c > '9') break;
      left_ = left_ * 10 + static_cast<std::size_t>(c - '0');
    }
    state_ = left_ == 0 ? State::done : State::counted;
  }

  void on_chunk_size(std::string_view line) {
    // The line end after a chunk's data reads as an empty line here.
    if (line.size() == 2) return;
    left_ = 0;
    for (const char c : line) {
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) break;
      left_ = left_ * 16 + static_cast<std::size_t>(digit);
    }
    state_ = left_ == 0 ? State::trailer : State::chunk_data;
  }

  void on_trailer(std::string_view line) {
    if (line.size() == 2) state_ = State::done;
  }

  static std::size_t find(std::string_view head, std::string_view lower_case) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    };
    const auto it = std::search(head.begin(), head.end(), lower_case.begin(), lower_case.end(),
                                [&](char a, char b) { return lower(a) == b; });
    return it == head.end() ? std::string_view::npos : static_cast<std::size_t>(it - head.begin());
  }
  static bool has(std::string_view head, std::string_view lower_case) {
    return find(head, lower_case) != std::string_view::npos;
  }

  State state_ = State::head;
  bool closes_ = false;
  int status_ = 0;
  std::size_t left_ = 0;
  std::string line_;
};

}  // namespace bench
