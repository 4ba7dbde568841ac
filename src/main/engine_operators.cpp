// What operators set at run time, as the engine puts it into force and has it kept.
#include <utility>

#include "admin/state_text.h"
#include "main/engine.h"

namespace weir::main {

std::string Engine::restore_state(const std::string& text, const config::Model& model) {
  const auto error = admin::parse_state(text, operators_);
  if (error.empty()) return {};
  const auto path = settings_of(model, options_.program).state_path;
  return "state_file: \"" + path + "\" is damaged: " + error +
         "; what operators had set is not in force, set it again";
}

void Engine::take_operators(Handover handover) {
  admin_->close_trusted();
  if (draining_) return;
  for (auto& socket : handover.sockets) admin_->add_listener({socket.fd.release(), true});
}

void Engine::set_holds() {
  for (const auto& node : runtime_->pools) operators_.set_holds(*node.pool, clock_.now());
  for (auto& worker : workers_) worker->peers_changed();
}

void Engine::save_state(Done done) {
  const auto text = operators_.empty() ? std::string() : admin::state_text(operators_);
  if (on_state) return on_state(text, std::move(done));
  done("nobody keeps it");
}

void Engine::operators_changed(admin::Effect effect, Done done) {
  operators_.tidy();
  if (draining_ || runtime_ == nullptr) return done("weir is ending");
  auto save = [this, done = std::move(done)] { save_state(done); };
  if (effect == admin::Effect::pools) return rebuild(std::move(save));
  set_holds();
  save();
}

void Engine::first_may_be_ready(const probe::Target& target) {
  const auto* setting = operators_.find(target.pool);
  if (setting == nullptr || !upstream::is_named(target.peer->spec, setting->first)) return;
  end_first(target.pool, "is ready");
}

void Engine::end_first(const std::string& pool, const std::string& why) {
  const auto peer = std::exchange(operators_.at(pool).first, {});
  log_.notice("operators: " + pool + "/" + peer + " " + why + "; the others of \"" + pool +
              "\" serve, too");
  operators_changed(admin::Effect::holds, [this](const std::string& error) {
    if (!error.empty()) log_.error(error);
  });
}

// A reload may have taken the check away that somebody waits for.
void Engine::end_first_without_checks() {
  for (const auto& upstream : runtime_->model->upstreams) {
    const auto* setting = operators_.find(upstream.name);
    if (setting == nullptr || setting->first.empty() || !upstream.health_checks.empty()) continue;
    end_first(upstream.name, "is not checked any more");
  }
}

}  // namespace weir::main
