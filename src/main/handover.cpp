#include "main/handover.h"

#include <cstdint>
#include <cstring>
#include <utility>

namespace weir::main {
namespace {

// Numbers of eight bytes, and strings after their length.
class Writer {
 public:
  void number(std::uint64_t value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out_.append(bytes, sizeof bytes);
  }
  void text(const std::string& value) {
    number(value.size());
    out_ += value;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    if (in_.size() < sizeof value) {
      good_ = false;
      return 0;
    }
    std::memcpy(&value, in_.data(), sizeof value);
    in_.remove_prefix(sizeof value);
    return value;
  }
  // How many things follow, each of which takes at least a number.
  std::uint64_t count() {
    const auto value = number();
    if (value > in_.size() / sizeof value) good_ = false;
    return good_ ? value : 0;
  }
  std::string text() {
    const auto size = number();
    if (size > in_.size()) good_ = false;
    if (!good_) return {};
    std::string value(in_.substr(0, size));
    in_.remove_prefix(size);
    return value;
  }
  [[nodiscard]] bool ended_well() const { return good_ && in_.empty(); }

 private:
  std::string_view in_;
  bool good_ = true;
};

void write_bundle(Writer& out, const Bundle& bundle) {
  out.number(bundle.files().size());
  for (const auto& file : bundle.files()) {
    out.text(file.path);
    out.text(file.content);
    out.text(file.error);
    out.number(file.secret ? 1 : 0);
    out.text(file.before);
  }
  out.number(bundle.patterns().size());
  for (const auto& [pattern, paths] : bundle.patterns()) {
    out.text(pattern);
    out.number(paths.size());
    for (const auto& path : paths) out.text(path);
  }
}

std::shared_ptr<const Bundle> read_bundle(Reader& in) {
  auto bundle = std::make_shared<Bundle>();
  for (auto left = in.count(); left > 0; --left) {
    Bundle::File file;
    file.path = in.text();
    file.content = in.text();
    file.error = in.text();
    file.secret = in.number() != 0;
    file.before = in.text();
    bundle->add(std::move(file));
  }
  for (auto left = in.count(); left > 0; --left) {
    auto& paths = bundle->patterns()[in.text()];
    for (auto inner = in.count(); inner > 0; --inner) paths.push_back(in.text());
  }
  return bundle;
}

}  // namespace

std::string encode(const Handover& handover) {
  Writer out;
  write_bundle(out, *handover.bundle);
  out.number(handover.sockets.size());
  for (const auto& socket : handover.sockets) {
    out.text(socket.text);
    out.number(socket.id);
    out.number(socket.exclusive ? 1 : 0);
  }
  out.number(handover.logs.size());
  for (const auto& [path, fd] : handover.logs) out.text(path);
  out.text(handover.state);
  out.number(handover.renewal ? 1 : 0);
  return out.take();
}

std::optional<Handover> decode(std::string_view text, std::vector<UniqueFd> fds) {
  Reader in(text);
  Handover handover;
  std::size_t next = 0;
  const auto take = [&] { return next < fds.size() ? std::move(fds[next++]) : UniqueFd(); };
  handover.bundle = read_bundle(in);
  for (auto left = in.count(); left > 0; --left) {
    net::ListenSocket socket;
    socket.text = in.text();
    socket.id = in.number();
    socket.exclusive = in.number() != 0;
    socket.fd = take();
    if (!socket.fd) return std::nullopt;
    handover.sockets.push_back(std::move(socket));
  }
  for (auto left = in.count(); left > 0; --left) {
    auto path = in.text();
    auto fd = std::make_shared<UniqueFd>(take());
    if (!*fd) return std::nullopt;
    handover.logs.emplace(std::move(path), std::move(fd));
  }
  handover.state = in.text();
  handover.renewal = in.number() != 0;
  if (!in.ended_well() || next != fds.size()) return std::nullopt;
  return handover;
}

}  // namespace weir::main
