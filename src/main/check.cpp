#include "main/check.h"

#include <cstdio>
#include <set>
#include <utility>

#include "base/mask.h"
#include "main/diff.h"
#include "main/report.h"
#include "proxy/runtime_builder.h"

namespace weir::main {
namespace {

// Passwords and the token are nobody's business who looks over a shoulder, or reads a ticket.
void dump(const Bundle& bundle, const config::Model& model) {
  for (const auto& file : bundle.files()) {
    if (file.secret) continue;
    auto content = file.content;
    std::set<std::pair<std::uint32_t, std::uint32_t>> places;
    for (const auto& place : model.secrets) {
      if (place.file && *place.file == file.path) places.emplace(place.line, place.column);
    }
    // From the last on: those before it stay where they are.
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
      mask_word(content, place->first, place->second, model.dialect == config::Dialect::yaml);
    }
    content = mask_passwords(content);
    if (model.admin && !model.admin->token.empty()) {
      content = mask_text(std::move(content), model.admin->token);
    }
    std::printf("# configuration file %s:\n", file.path.c_str());
    std::fwrite(content.data(), 1, content.size(), stdout);
    std::printf("\n");
  }
}

}  // namespace

int check(const Configurator::Options& options, const Arguments& arguments) {
  const auto& name = options.program.name;
  const auto& file = options.config_path;
  const auto least = arguments.quiet ? LogLevel::emerg : LogLevel::notice;
  const auto report = to_stderr(name, least);
  const auto failed = [&] {
    say(name, "configuration file " + file + " test failed");
    return 1;
  };
  Configurator configurator(options);
  const auto reading = configurator.read(report);
  if (reading == nullptr) return failed();
  for (const auto& accepted : reading->model->accepted) {
    report(LogLevel::notice,
           accepted.position.text() + ": " + accepted.directive + ": " + accepted.note);
  }
  if (!arguments.quiet) say(name, "the configuration file " + file + " syntax is ok");
  // What the machine has to say: names, files, addresses.
  const auto built = proxy::RuntimeBuilder(1).build(reading->model);
  for (const auto& line : built.unresolved) report(LogLevel::warn, line);
  if (!configurator.could_provide(*reading, report)) return failed();
  if (!arguments.quiet) say(name, "configuration file " + file + " test is successful");
  if (arguments.dump) dump(*reading->bundle, *reading->model);
  if (!arguments.diff) return 0;
  const auto& path = arguments.socket.empty() ? reading->settings.control_path : arguments.socket;
  return diff(name, *reading->model, path);
}

}  // namespace weir::main
