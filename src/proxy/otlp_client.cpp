#include "proxy/otlp_client.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "config/units.h"
#include "proxy/escape_log.h"

namespace weir::proxy {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;  // only its first line is looked at

void append_attribute(std::string& out, const std::string& name, const std::string& value) {
  constexpr auto kJson = config::LogFormat::Escape::json;
  out.append(R"({"key":")");
  append_log_value(out, name, kJson);
  out.append(R"(","value":{"stringValue":")");
  append_log_value(out, value, kJson);
  out.append(R"("}})");
}

std::string reason(int error) { return std::strerror(error); }

class Post {
 public:
  Post(Duration patience, const std::function<bool()>& hurry)
      : hurry_(hurry), deadline_(clock_.now() + patience) {}

  std::string run(const config::TraceConfig& config, const std::string& request) {
    std::string error = connect(config);
    if (error.empty()) error = send(request);
    if (error.empty()) error = read_status();
    return error;
  }

 private:
  // Until the descriptor is ready; false: it is too late.
  bool wait(short events) {
    constexpr Duration kSlice{50};
    for (;;) {
      const auto left = std::chrono::duration_cast<Duration>(deadline_ - clock_.now());
      if (left <= Duration{0} || hurry_()) return false;
      pollfd entry{fd_.get(), events, 0};
      const int ready = ::poll(&entry, 1, static_cast<int>(std::min(left, kSlice).count()));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  std::string connect(const config::TraceConfig& config) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const auto port = std::to_string(config.port);
    std::string host = config.host;
    if (host.starts_with('[')) host = host.substr(1, host.find(']') - 1);
    if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
      return ::gai_strerror(error);
    }
    std::string why = "it has no address";
    for (const addrinfo* to = found; to != nullptr; to = to->ai_next) {
      why = connect_to(*to);
      if (why.empty()) break;
    }
    ::freeaddrinfo(found);
    return why;
  }

  std::string connect_to(const addrinfo& to) {
    fd_ = UniqueFd(::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_) return reason(errno);
    if (::connect(fd_.get(), to.ai_addr, to.ai_addrlen) == 0) return {};
    if (errno != EINPROGRESS) return reason(errno);
    if (!wait(POLLOUT)) return "timed out connecting";
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    return error == 0 ? std::string() : reason(error);
  }

  std::string send(std::string_view rest) {
    while (!rest.empty()) {
      const auto n = ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n > 0) {
        rest.remove_prefix(static_cast<std::size_t>(n));
      } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        return reason(errno);
      } else if (!wait(POLLOUT)) {
        return "timed out taking the batch";
      }
    }
    return {};
  }

  std::string read_status() {
    std::string head;
    while (head.find('\n') == std::string::npos) {
      char buffer[4096];
      const auto n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (n > 0) {
        head.append(buffer, static_cast<std::size_t>(n));
      } else if (n == 0) {
        return "closed the connection";
      } else if (errno != EAGAIN && errno != EINTR) {
        return reason(errno);
      } else if (!wait(POLLIN)) {
        return "timed out answering";
      }
      if (head.size() > kMaxAnswer) return "is no HTTP server";
    }
    const auto line = std::string_view(head).substr(0, head.find('\n'));
    if (!line.starts_with("HTTP/1.") || line.size() < 12) return "is no HTTP server";
    const auto status = config::parse_number(line.substr(9, 3)).value_or(0);
    return status / 100 == 2 ? std::string() : "answered " + std::string(line.substr(9, 3));
  }

  const std::function<bool()>& hurry_;
  SystemClock clock_;
  TimePoint deadline_;
  UniqueFd fd_;
};

}  // namespace

std::string otlp_body(const config::TraceConfig& config, const std::string& spans) {
  std::string out = R"({"resourceSpans":[{"resource":{"attributes":[)";
  append_attribute(out, "service.name", config.service_name);
  for (const auto& [name, value] : config.resource) {
    out.push_back(',');
    append_attribute(out, name, value);
  }
  return out.append(R"(]},"scopeSpans":[{"scope":{"name":"weir"},"spans":[)")
      .append(spans)
      .append("]}]}]}");
}

std::string otlp_post(const config::TraceConfig& config, const std::string& body, Duration patience,
                      const std::function<bool()>& hurry) {
  std::string request =
      "POST " + config.path + " HTTP/1.1\r\nHost: " + config.authority +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\nConnection: close\r\n";
  for (const auto& [name, value] : config.headers) request += name + ": " + value + "\r\n";
  request += "\r\n" + body;
  return Post(patience, hurry).run(config, request);
}

}  // namespace weir::proxy
