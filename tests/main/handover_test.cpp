#include "main/handover.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "main/channel.h"

using namespace weir;
using namespace weir::main;

namespace {

UniqueFd null() { return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

std::vector<int> numbers(const std::vector<UniqueFd>& fds) {
  std::vector<int> out;
  for (const auto& fd : fds) out.push_back(fd.get());
  return out;
}

Handover sample() {
  auto bundle = std::make_shared<Bundle>();
  bundle->add({"/etc/weir.conf", "include x*; # \0 \n", {}});
  bundle->add({"/etc/x1", {}, "No such file"});
  bundle->patterns()["/etc/x*"] = {"/etc/x1", "/etc/x2"};
  bundle->patterns()["/etc/none*"] = {};
  Handover handover;
  handover.bundle = bundle;
  handover.sockets.push_back({"0.0.0.0:80", 1, null(), true});
  handover.sockets.push_back({"0.0.0.0:80", 7, null(), false});
  handover.logs["stderr"] = std::make_shared<const UniqueFd>(null());
  return handover;
}

std::vector<UniqueFd> nulls(int count) {
  std::vector<UniqueFd> fds;
  for (int i = 0; i < count; ++i) fds.push_back(null());
  return fds;
}

}  // namespace

TEST_CASE("a handover arrives as it was sent") {
  const auto out = decode(encode(sample()), nulls(3));
  REQUIRE(out);
  REQUIRE(out->bundle->files().size() == 2);
  CHECK(out->bundle->find("/etc/weir.conf")->content == "include x*; # \0 \n");
  CHECK(out->bundle->find("/etc/x1")->error == "No such file");
  CHECK(out->bundle->find("/etc/x2") == nullptr);
  CHECK(out->bundle->patterns() == sample().bundle->patterns());
  REQUIRE(out->sockets.size() == 2);
  CHECK(out->sockets[1].text == "0.0.0.0:80");
  CHECK(out->sockets[1].id == 7);
  CHECK_FALSE(out->sockets[1].exclusive);
  CHECK(out->logs.count("stderr") == 1);
}

TEST_CASE("a handover that is not whole is none") {
  const auto text = encode(sample());
  CHECK_FALSE(decode(text, nulls(2)));
  CHECK_FALSE(decode(text, nulls(4)));
  CHECK_FALSE(decode(text + "x", nulls(3)));
  for (std::size_t size = 0; size < text.size(); ++size) {
    CHECK_FALSE(decode(text.substr(0, size), nulls(3)));
  }
  CHECK_FALSE(decode(std::string(64, '\xff'), {}));
}

TEST_CASE("messages of any length cross the channel, with any number of descriptors") {
  auto [ours, theirs] = Channel::make();
  Message message;
  CHECK(theirs.receive(message) == Channel::Got::nothing);
  const std::string texts[] = {"", "short", std::string(16383, 'a'), std::string(16384, 'b'),
                               std::string(1 << 20, 'c')};
  for (const auto& text : texts) {
    for (const int count : {0, 1, 249, 250, 251, 600}) {
      const auto fds = nulls(count);
      REQUIRE(ours.send(Kind::configure, text, numbers(fds)));
      REQUIRE(theirs.receive(message) == Channel::Got::message);
      CHECK(message.kind == Kind::configure);
      CHECK(message.text == text);
      CHECK(message.fds.size() == static_cast<std::size_t>(count));
    }
  }
  CHECK(theirs.send(Kind::applied));
  CHECK(ours.receive(message) == Channel::Got::message);
  theirs.close();
  CHECK(ours.receive(message) == Channel::Got::closed);
  CHECK_FALSE(ours.send(Kind::ping));
}

TEST_CASE("what was recorded is replayed without the file system") {
  char directory[] = "/tmp/weir-bundle-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const std::string path = std::string(directory) + "/weir.conf";
  const std::string part = std::string(directory) + "/a.part";
  std::ofstream(path) << "include *.part; include a.part; events { }";
  std::ofstream(part) << "worker_processes 3;";
  auto bundle = std::make_shared<Bundle>();
  config::LoadOptions options;
  auto loaded = config::load(path, recording(options, bundle));
  CHECK(loaded.model == nullptr);  // worker_processes twice
  std::ofstream(path) << "include *.part; events { }";
  bundle = std::make_shared<Bundle>();
  loaded = config::load(path, recording(options, bundle));
  REQUIRE(loaded.model);
  ::unlink(path.c_str());
  ::unlink(part.c_str());
  ::rmdir(directory);
  const auto again = config::load(path, replaying(options, bundle));
  REQUIRE(again.model);
  CHECK(again.model->workers == 3);
  CHECK(bundle->files().front().path == path);
  const auto other = config::load("/etc/hostname", replaying(options, bundle));
  CHECK(other.model == nullptr);
}
