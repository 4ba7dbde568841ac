#include "registry/link.h"

#include <boost/asio/post.hpp>
#include <charconv>
#include <utility>

namespace weir::registry {

Link::Link(boost::asio::io_context& io, LinkOptions options, Random random, Hooks hooks)
    : io_(io),
      options_(std::move(options)),
      random_(std::move(random)),
      hooks_(std::move(hooks)),
      timer_(io) {}

void Link::start() {
  running_ = std::make_shared<bool>(true);
  attempt();
}

void Link::stop() {
  running_ = nullptr;
  up_ = false;
  timer_.cancel();
  if (connection_ != nullptr) connection_->close();
  connection_ = nullptr;
}

void Link::renew(const std::string& why) {
  if (!up_) return;
  connection_->close();
  down(server_ + ": " + why);
}

void Link::send(std::string commands, std::size_t count, Connection::Done done) {
  if (up_)
    return connection_->send(std::move(commands), count, options_.reply_timeout, std::move(done));
  boost::asio::post(io_, [running = std::weak_ptr(running_), done = std::move(done)] {
    if (!running.expired()) done({.error = "not connected", .values = {}});
  });
}

Target Link::target_of(Url::Node node) const {
  return {.node = std::move(node),
          .unix_path = options_.url.unix_path,
          .tls = options_.url.tls ? options_.tls : nullptr,
          .tls_name = options_.tls_name};
}

void Link::attempt() {
  const auto& url = options_.url;
  if (!url.master.empty()) return ask_sentinel(0);
  connect(target_of(url.nodes.empty() ? Url::Node{} : url.nodes.front()));
}

// ---- where the master is ----

void Link::ask_sentinel(std::size_t tried) {
  const auto& nodes = options_.url.nodes;
  connection_ =
      std::make_shared<Connection>(io_, target_of(nodes[(sentinel_ + tried) % nodes.size()]));
  connection_->on_closed = [this, tried](const std::string& error) { next_sentinel(tried, error); };
  connection_->open(options_.connect_timeout, [this, tried] {
    connection_->send(format_command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options_.url.master}),
                      1, options_.reply_timeout, [this, tried](const Reply& reply) {
                        if (reply.ok()) on_master(tried, reply);
                      });
  });
}

void Link::on_master(std::size_t tried, const Reply& reply) {
  const auto& value = reply.values.front();
  Url::Node node;
  if (value.is_error()) return next_sentinel(tried, value.text);
  if (value.type == RespValue::Type::nil) {
    return next_sentinel(tried, "it does not know a master called " + options_.url.master);
  }
  bool good = value.items.size() == 2 && value.items[0].is_text() && value.items[1].is_text();
  if (good) {
    node.host = value.items[0].text;
    const auto& port = value.items[1].text;
    const auto* end = port.data() + port.size();
    good = std::from_chars(port.data(), end, node.port).ptr == end && node.port > 0 &&
           !node.host.empty();
  }
  if (!good) return next_sentinel(tried, "its answer makes no sense");
  sentinel_ = (sentinel_ + tried) % options_.url.nodes.size();
  connection_->close();
  connect(target_of(std::move(node)));
}

void Link::next_sentinel(std::size_t tried, const std::string& error) {
  const auto text = "sentinel " + connection_->target().text() + ": " + error;
  connection_->close();
  if (tried + 1 < options_.url.nodes.size()) return ask_sentinel(tried + 1);
  down(text);
}

// ---- the server itself ----

void Link::connect(Target target) {
  server_ = target.text();
  connection_ = std::make_shared<Connection>(io_, std::move(target));
  connection_->on_closed = [this](const std::string& error) { down(server_ + ": " + error); };
  connection_->open(options_.connect_timeout, [this] { log_in(); });
}

void Link::log_in() {
  const auto& url = options_.url;
  std::string commands;
  std::size_t count = 1;
  if (!url.password.empty()) {
    commands += url.user.empty() ? format_command({"AUTH", url.password})
                                 : format_command({"AUTH", url.user, url.password});
    ++count;
  }
  commands += format_command({"SELECT", std::to_string(url.database)});
  if (!url.master.empty()) {
    commands += format_command({"ROLE"});
    ++count;
  }
  connection_->send(std::move(commands), count, options_.reply_timeout, [this](const Reply& reply) {
    if (reply.ok()) on_login(reply);
  });
}

std::string Link::judge_login(const Reply& reply) const {
  for (const auto& value : reply.values) {
    if (value.is_error()) return value.text;
  }
  if (options_.url.master.empty()) return {};
  const auto& role = reply.values.back();
  const bool master = !role.items.empty() && role.items[0].text == "master";
  return master ? "" : "it is not the master, whatever the sentinel says";
}

void Link::on_login(const Reply& reply) {
  if (const auto error = judge_login(reply); !error.empty()) {
    connection_->close();
    return down(server_ + ": " + error);
  }
  options_.channel.empty() ? come_up() : subscribe();
}

void Link::come_up() {
  backoff_.reset();
  up_ = true;
  if (hooks_.on_up) hooks_.on_up();
}

void Link::subscribe() {
  connection_->on_push = [this](const RespValue& value) {
    const bool message = value.items.size() == 3 && value.items[0].text == "message";
    if (message && hooks_.on_message) hooks_.on_message(value.items[2].text);
  };
  connection_->send(
      format_command({"SUBSCRIBE", options_.channel}), 1, options_.reply_timeout,
      [this](const Reply& reply) {
        if (!reply.ok()) return;
        const auto& value = reply.values.front();
        if (value.items.size() != 3 || value.items[0].text != "subscribe") {
          connection_->close();
          return down(server_ + ": " + (value.is_error() ? value.text : "it does not subscribe"));
        }
        come_up();
        if (up_) ping_later();
      });
}

void Link::ping_later() {
  timer_.expires_after(options_.ping_interval);
  timer_.async_wait([this, running = std::weak_ptr(running_)](const auto& error) {
    if (error || running.expired() || !up_) return;
    connection_->send(format_command({"PING"}), 1, options_.reply_timeout,
                      [this](const Reply& reply) {
                        if (reply.ok() && up_) ping_later();
                      });
  });
}

void Link::down(const std::string& error) {
  up_ = false;
  timer_.expires_after(backoff_.next(random_));
  timer_.async_wait([this, running = std::weak_ptr(running_)](const auto& cancelled) {
    if (!cancelled && !running.expired()) attempt();
  });
  if (hooks_.on_down) hooks_.on_down(error);
}

}  // namespace weir::registry
