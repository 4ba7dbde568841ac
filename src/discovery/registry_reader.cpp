#include "discovery/registry_reader.h"

#include <utility>

#include "discovery/registry_form.h"

namespace weir::discovery {

RegistryReader::RegistryReader(Parts parts, std::string upstream, config::RegistryConfig config,
                               Slots slots)
    : parts_(std::move(parts)),
      upstream_(std::move(upstream)),
      config_(std::move(config)),
      commands_(read_commands(config_)),
      slots_(std::move(slots)),
      timer_(parts_.io) {
  slots_.set_forget(config_.forget);
  registry::LinkOptions options;
  options.url = config_.url;
  options.tls = config_.tls;
  options.tls_name = config_.tls_name;
  registry::Link::Hooks hooks;
  hooks.on_up = [this] { read(); };
  hooks.on_down = [this](const std::string& error) { failed(error); };
  link_ = std::make_unique<registry::Link>(parts_.io, options, parts_.random, std::move(hooks));
  if (config_.channel.empty()) return;
  options.channel = config_.channel;
  registry::Link::Hooks events;
  // What was published before it listened is in the list by now. Without it there are the polls.
  events.on_up = [this] {
    events_error_.clear();
    read();
  };
  events.on_down = [this](const std::string& error) { events_failed(error); };
  events.on_message = [this](const std::string&) { read(); };
  events_ = std::make_unique<registry::Link>(parts_.io, options, parts_.random, std::move(events));
}

std::string RegistryReader::called() const {
  return "registry " + config_.url.masked() + " of \"" + upstream_ + "\"";
}

void RegistryReader::start() {
  running_ = std::make_shared<bool>(true);
  link_->start();
  if (events_ != nullptr) events_->start();
  poll_later();
}

void RegistryReader::stop() {
  running_ = nullptr;
  timer_.cancel();
  link_->stop();
  if (events_ != nullptr) events_->stop();
}

void RegistryReader::poll_later() {
  timer_.expires_after(config_.poll);
  timer_.async_wait([this, running = std::weak_ptr(running_)](const auto& error) {
    if (error || running.expired()) return;
    read();
    poll_later();
  });
}

// All slots in one round trip; never twice at once.
void RegistryReader::read() {
  if (!link_->up()) return;  // it reads when it is up
  if (reading_) {
    again_ = true;
    return;
  }
  reading_ = true;
  again_ = false;
  link_->send(commands_, registry::kSlots, [this](const registry::Reply& reply) {
    reading_ = false;
    on_answers(reply);
    if (again_) read();
  });
}

void RegistryReader::on_answers(const registry::Reply& reply) {
  if (!reply.ok()) return;  // the link is down and has said so
  Reading reading;
  const auto error = read_answers(config_, reply.values, reading);
  if (!error.empty()) return failed(link_->server() + ": " + error);
  on_list(reading);
}

void RegistryReader::on_list(const Reading& reading) {
  ++reads_;
  note_slots(reading);
  if (stale_since_) {
    const auto age = parts_.clock.wall() - *stale_since_;
    log(LogLevel::notice, " can be read again, after " +
                              std::to_string(std::chrono::ceil<std::chrono::seconds>(age).count()) +
                              " s");
    stale_since_.reset();
    error_.clear();
  }
  const bool first = !slots_.known();
  const bool changed = slots_.take(reading, parts_.clock.now());
  note_doubt();
  if (changed || first) log_list();
  if (changed && parts_.changed) parts_.changed();
  settle();
}

void RegistryReader::failed(const std::string& error) {
  ++failures_;
  const bool told = stale_since_ && error == error_;
  if (!stale_since_) stale_since_ = parts_.clock.wall();
  error_ = error;
  if (!told) log_stale();
  settle();
}

// Where the list cannot be read either, that is what is told.
void RegistryReader::events_failed(const std::string& error) {
  const bool told = error == events_error_;
  events_error_ = error;
  if (!told && !stale_since_) log_events();
}

void RegistryReader::log(LogLevel level, const std::string& text) {
  if (in_force_) parts_.log.write(level, called() + text);
}

void RegistryReader::log_stale() {
  log(LogLevel::warn,
      " cannot be read: " + error_ +
          (slots_.known() ? "; the last list stays in force"
                          : "; there is no list yet, and no node of it gets requests"));
}

void RegistryReader::log_events() {
  log(LogLevel::warn, " does not tell of changes: " + events_error_ + "; they are seen every " +
                          std::to_string(config_.poll.count()) + " ms");
}

void RegistryReader::log_list() {
  log(LogLevel::notice, ": " + std::to_string(slots_.serving()) + " serving nodes");
}

void RegistryReader::set_in_force() {
  if (std::exchange(in_force_, true)) return;
  if (stale_since_ || !slots_.known()) {
    if (error_.empty()) error_ = "it has not answered yet";
    log_stale();
  } else {
    log_list();
    if (!events_error_.empty()) log_events();
  }
}

void RegistryReader::note_slots(const Reading& reading) {
  if (!in_force_) return;  // the next reading tells of it
  for (std::size_t i = 0; i < reading.size(); ++i) {
    const auto& error = reading[i].error;
    if (error == slot_errors_[i]) continue;
    slot_errors_[i] = error;
    if (error.empty()) continue;
    log(LogLevel::warn, ": slot " + std::to_string(i) + ": " + error + "; it stays as it was");
  }
}

void RegistryReader::note_doubt() {
  const bool doubted = slots_.doubted_since().has_value();
  if (doubted == doubted_) return;
  doubted_ = doubted;
  if (!doubted) return;
  log(LogLevel::warn, ": most nodes are gone at once; they stay in force for " +
                          std::to_string(Slots::kConfirm.count() / 1000) +
                          " s, unless they come back before");
  // It may be a master that the others have given up.
  if (!config_.url.master.empty()) link_->renew("most nodes are gone at once");
}

void RegistryReader::settle() {
  if (settled_) return;
  settled_ = true;
  if (parts_.settled) parts_.settled();
}

RegistryStatus RegistryReader::status() const {
  return {.url = config_.url.masked(),
          .nodes = config_.nodes_text(),
          .server = link_->server(),
          .fresh = reads_ > 0 && !stale_since_,
          .stale_since = stale_since_,
          .error = error_,
          .has_list = slots_.known(),
          .doubted = doubted_,
          .events_error = events_error_,
          .reads = reads_,
          .failures = failures_,
          .serving = slots_.serving()};
}

}  // namespace weir::discovery
