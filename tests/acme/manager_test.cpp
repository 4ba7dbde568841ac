// The thread that orders: what it does without a server.
#include "acme/manager.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <cstring>
#include <mutex>

#include "acme/journal.h"
#include "base/log_files.h"
#include "config/load.h"

namespace weir::acme {
namespace {

// Nothing listens on port 1.
std::string text_with(const std::string& retry) {
  return "events { } http { acme_issuer i { uri https://127.0.0.1:1/dir; state_path /nowhere; "
         "retry " +
         retry + "; } server { listen 80; server_name a.example; acme_certificate i; } }";
}

struct Ordering {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<std::string, std::string>> kept;
  int throws = 0;  // so many times nothing can be kept
  LogFiles files;
  Log log{files};
  std::shared_ptr<const config::Model> model;
  Manager manager{log, std::make_shared<tls::Challenges>(),
                  [this](const std::string& path, const std::string& text) {
                    const std::lock_guard lock(mutex);
                    kept.emplace_back(path, text);
                    changed.notify_all();
                    if (throws-- > 0) throw 1;
                  }};

  explicit Ordering(const std::string& retry = "1h") {
    config::LoadOptions options;
    options.read_secret = [](const std::string&, std::string&, std::string& error) {
      error = std::strerror(ENOENT);
      return false;
    };
    model = config::load_text("t", text_with(retry), options).model;
    REQUIRE(model != nullptr);
  }
  // The first text of the journal in which `what` stands.
  std::string wait_for(const std::string& what) {
    std::unique_lock lock(mutex);
    std::string found;
    changed.wait_for(lock, std::chrono::seconds{20}, [&] {
      for (const auto& [path, text] : kept) {
        if (path != "/nowhere/orders" || text.find(what) == std::string::npos) continue;
        found = text;
        return true;
      }
      return false;
    });
    return found;
  }
  [[nodiscard]] std::vector<Manager::Status> wait_for_status() const {
    for (int i = 0; i < 2000; ++i) {
      if (auto all = manager.status(); !all.empty()) return all;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return {};
  }
};

TEST_CASE("an order that failed before a start is not tried again at once") {
  std::string journal;
  {
    Ordering first;
    first.manager.use(first.model);
    journal = first.wait_for("order 1 ");
    // Before it is known how it ends it counts as one that failed.
    CHECK(journal.find("it has not come to an end") != std::string::npos);
    journal = first.wait_for("connecting failed");
    REQUIRE(!journal.empty());
  }
  Ordering second;
  second.manager.use(second.model, {{"i", journal}});
  const auto status = second.wait_for_status();
  REQUIRE(status.size() == 1);
  CHECK(status[0].error.find("connecting failed") != std::string::npos);
  CHECK(status[0].next > SystemClock().wall() + std::chrono::minutes{30});
  second.manager.stop();
  CHECK(second.kept.empty());
}

TEST_CASE("what an order of another account has come to is of no account") {
  auto journal = journal_of("account https://other.example/dir\n");
  Ordering one;
  const auto& path = one.model->acme_certificates.front().stored.path;
  journal.attempts[path.substr(path.rfind('/') + 1)] = {
      4, SystemClock().wall() + std::chrono::hours{5}, "no"};
  one.manager.use(one.model, {{"i", to_text(journal)}});
  CHECK(!one.wait_for("order 1 ").empty());
}

TEST_CASE("an exception that nobody has foreseen ends neither the process nor the orders") {
  Ordering one("1s");
  one.throws = 2;  // while it is ordered, and when that is noted
  one.manager.use(one.model);
  CHECK(!one.wait_for_status().empty());
  CHECK(!one.wait_for("connecting failed").empty());
}

}  // namespace
}  // namespace weir::acme
