#include "main/renewal.h"

#include <algorithm>
#include <utility>

namespace weir::main {
namespace {

// Where it is of no use to say where in the configuration a file is named.
std::string first_error(const config::LoadResult& loaded) {
  for (const auto& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity == config::Diagnostic::Severity::error) return diagnostic.message;
  }
  return "the configuration cannot be loaded with it";
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return text;
}

}  // namespace

void Renewal::watch(const Configurator::Prepared& prepared, TimePoint now) {
  interval_ = prepared.settings.certificate_watch;
  pairs_ = prepared.pairs;
  if (prepared.bundle != bundle_) {
    watch_.watch(prepared.bundle);
    // What is broken is found to be so again, and is not told of twice.
    std::erase_if(problems_, [&](const auto& problem) {
      return prepared.bundle->find(problem.first) == nullptr;
    });
  }
  bundle_ = prepared.bundle;
  next_ = interval_.count() > 0 ? now + interval_ : TimePoint::max();
}

std::shared_ptr<const Bundle> Renewal::with(const Files& files) const {
  auto out = std::make_shared<Bundle>();
  // The first one of a name stays.
  for (const auto* file : files) out->add(*file);
  for (const auto& file : bundle_->files()) {
    if (out->find(file.path) == nullptr) out->add(file);
  }
  out->patterns() = bundle_->patterns();
  return out;
}

std::string Renewal::check(const Configurator::Options& options, const Files& files) const {
  const auto loaded = config::load(options.config_path, replaying(options.load, with(files)));
  if (loaded.model == nullptr) return first_error(loaded);
  // A configuration does without what has not been issued yet; what was there must not go.
  for (const auto& wanted : loaded.model->acme_certificates) {
    if (wanted.stored) continue;
    const auto* before = bundle_->find(wanted.stored.path);
    const bool changed = std::any_of(files.begin(), files.end(), [&](const Bundle::File* file) {
      return file->path == wanted.stored.path;
    });
    if (changed && before != nullptr && before->error.empty()) {
      return "there is no certificate with its key in \"" + wanted.stored.path + "\" any more";
    }
  }
  return {};
}

// Certificates with their keys; others stand alone.
std::vector<Renewal::Files> Renewal::groups(const std::vector<Bundle::File>& changed) const {
  std::vector<Files> out;
  for (const auto& file : changed) {
    const auto mate = [&](const Files& group) {
      return std::any_of(group.begin(), group.end(), [&](const Bundle::File* other) {
        return std::any_of(pairs_.begin(), pairs_.end(), [&](const auto& pair) {
          return (pair.first == file.path && pair.second == other->path) ||
                 (pair.second == file.path && pair.first == other->path);
        });
      });
    };
    const auto group = std::find_if(out.begin(), out.end(), mate);
    if (group == out.end()) {
      out.push_back({&file});
    } else {
      group->push_back(&file);
    }
  }
  return out;
}

Renewal::Files Renewal::choose(const Configurator::Options& options,
                               const std::vector<Bundle::File>& changed, Problems& problems) const {
  Files good;
  const auto all = groups(changed);
  add_good(options, all, good, problems);
  return good;
}

// By halves: few that are broken among many are found with few looks.
void Renewal::add_good(const Configurator::Options& options, std::span<const Files> some,
                       Files& good, Problems& problems) const {
  if (some.empty()) return;
  auto candidate = good;
  for (const auto& group : some) candidate.insert(candidate.end(), group.begin(), group.end());
  const auto error = check(options, candidate);
  if (error.empty()) {
    good = std::move(candidate);
  } else if (some.size() == 1) {
    for (const auto* file : some.front()) problems[file->path] = one_line(error);
  } else {
    const auto half = some.size() / 2;
    add_good(options, some.first(half), good, problems);
    add_good(options, some.subspan(half), good, problems);
  }
}

std::optional<Renewal::Found> Renewal::look(const Configurator::Options& options, TimePoint now) {
  next_ = now + interval_;
  const auto look = watch_.look();
  if (!look.news) return look.settled ? mended(look.changed) : std::nullopt;
  Found found;
  Problems problems;
  const auto good = choose(options, look.changed, problems);
  for (const auto& [path, why] : problems) {
    const auto known = problems_.find(path);
    if (known != problems_.end() && known->second == why) continue;
    found.faults.push_back("\"" + path + "\" has changed and is not taken: " + why +
                           "; what was loaded before stays in force");
  }
  found.told = problems != problems_;
  problems_ = std::move(problems);
  if (good.empty()) return found;
  for (const auto* file : good) found.renewed.push_back(file->path);
  found.bundle = with(good);
  return found;
}

// What was broken may have been taken by a reload: it is what is in force.
std::optional<Renewal::Found> Renewal::mended(const std::vector<Bundle::File>& changed) {
  const auto gone = std::erase_if(problems_, [&](const auto& problem) {
    return std::none_of(changed.begin(), changed.end(),
                        [&](const Bundle::File& file) { return file.path == problem.first; });
  });
  if (gone == 0) return std::nullopt;
  Found found;
  found.told = true;
  return found;
}

std::string to_text(const Renewal::Problems& problems) {
  std::string out;
  for (const auto& [path, why] : problems) out.append(path).append("\t").append(why).append("\n");
  return out;
}

Renewal::Problems problems_of(const std::string& text) {
  Renewal::Problems out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto tab = text.find('\t', at);
    if (tab < end) out[text.substr(at, tab - at)] = text.substr(tab + 1, end - tab - 1);
    at = end + 1;
  }
  return out;
}

}  // namespace weir::main
