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
  staples_ = prepared.staples;
  if (prepared.bundle != bundle_) {
    watch_.watch(prepared.bundle);
    // What is broken is found to be so again, and is not told of twice.
    std::erase_if(problems_, [&](const auto& problem) {
      return prepared.bundle->find(problem.first) == nullptr || refused_.contains(problem.first);
    });
    refused_.clear();
    failures_ = 0;
    again_at_ = TimePoint::max();
  }
  bundle_ = prepared.bundle;
  next_ = interval_.count() > 0 ? now + interval_ : TimePoint::max();
}

void Renewal::adopt(const std::shared_ptr<const Bundle>& bundle) {
  if (bundle == bundle_) return;
  watch_.adopt(bundle);
  bundle_ = bundle;
}

void Renewal::failed(const std::string& why, TimePoint now) {
  constexpr Duration kLongest = std::chrono::minutes{10};
  constexpr std::uint32_t kMostDoublings = 10;
  for (const auto& path : offered_) {
    refused_[path] = one_line("it could not be put into force: " + why);
    problems_[path] = refused_[path];
  }
  const auto wait = interval_ * (1 << std::min(++failures_, kMostDoublings));
  again_at_ = now + std::max(std::min(wait, kLongest), interval_);
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

std::string Renewal::check(const Configurator::Options& options, const Files& files) {
  auto loaded = config::load(options.config_path, replaying(options.load, with(files)));
  if (loaded.model == nullptr) return first_error(loaded);
  // A configuration does without what has not been issued yet; what was there must not go.
  const auto is_lost = [&](const config::TlsFile& stored) {
    const auto* before = bundle_->find(stored.path);
    const bool changed = std::any_of(files.begin(), files.end(), [&](const Bundle::File* file) {
      return file->path == stored.path;
    });
    return !stored && changed && before != nullptr && before->error.empty();
  };
  for (const auto& wanted : loaded.model->acme_certificates) {
    if (is_lost(wanted.stored)) {
      return "there is no certificate with its key in \"" + wanted.stored.path + "\" any more";
    }
  }
  for (const auto& issuer : loaded.model->acme_issuers) {
    if (is_lost(issuer.account)) {
      return "there is no key of an account in \"" + issuer.account.path + "\" any more";
    }
  }
  // An answer that does without is no mistake of a configuration, but one that has come new is.
  for (const auto* file : files) {
    std::string fault;
    bool sent = false;
    for (const auto& use : loaded.staples) {
      if (use.path != file->path) continue;
      if (use.fault.empty())
        sent = true;
      else
        fault = use.fault;
    }
    if (!sent && !fault.empty()) return fault;
  }
  checked_ = std::move(loaded.staples);
  return {};
}

bool Renewal::are_mates(const std::string& a, const std::string& b) const {
  const auto has = [&](const auto& pairs) {
    return std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
      return (pair.first == a && pair.second == b) || (pair.second == a && pair.first == b);
    });
  };
  return has(pairs_) || has(staples_);
}

bool Renewal::is_staple(const std::string& path) const {
  return std::any_of(staples_.begin(), staples_.end(),
                     [&](const auto& pair) { return pair.second == path; });
}

// Certificates with their keys and answers; others stand alone.
std::vector<Renewal::Files> Renewal::groups(const std::vector<Bundle::File>& changed) const {
  std::vector<Files> out;
  for (const auto& file : changed) {
    Files group;
    for (auto& other : out) {
      const bool joins = std::any_of(other.begin(), other.end(), [&](const Bundle::File* one) {
        return are_mates(one->path, file.path);
      });
      if (!joins) continue;
      group.insert(group.end(), other.begin(), other.end());
      other.clear();
    }
    std::erase_if(out, [](const Files& other) { return other.empty(); });
    group.push_back(&file);
    out.push_back(std::move(group));
  }
  return out;
}

Renewal::Files Renewal::choose(const Configurator::Options& options,
                               const std::vector<Bundle::File>& changed, Problems& problems) {
  Files good;
  const auto all = groups(changed);
  add_good(options, all, good, problems);
  return good;
}

// By halves: few that are broken among many are found with few looks.
void Renewal::add_good(const Configurator::Options& options, std::span<const Files> some,
                       Files& good, Problems& problems) {
  if (some.empty()) return;
  auto candidate = good;
  for (const auto& group : some) candidate.insert(candidate.end(), group.begin(), group.end());
  const auto error = check(options, candidate);
  if (error.empty()) {
    good = std::move(candidate);
  } else if (some.size() == 1) {
    split(options, some.front(), error, good, problems);
  } else {
    const auto half = some.size() / 2;
    add_good(options, some.first(half), good, problems);
    add_good(options, some.subspan(half), good, problems);
  }
}

// An answer that does not fit keeps no certificate back.
void Renewal::split(const Configurator::Options& options, const Files& group,
                    const std::string& error, Files& good, Problems& problems) {
  Files own;
  std::vector<Files> parts;
  for (const auto* file : group) {
    if (is_staple(file->path)) {
      parts.push_back({file});
    } else {
      own.push_back(file);
    }
  }
  if (own.empty() || parts.empty()) {
    for (const auto* file : group) problems[file->path] = one_line(error);
    return;
  }
  add_good(options, std::span(&own, 1), good, problems);
  for (const auto& part : parts) add_good(options, std::span(&part, 1), good, problems);
}

// What is not sent any more because of what is new.
std::vector<std::string> Renewal::unfit_staples(const Files& good) const {
  std::vector<std::string> out;
  for (const auto& use : checked_) {
    const bool touched = std::any_of(good.begin(), good.end(), [&](const Bundle::File* file) {
      return std::find(use.certificates.begin(), use.certificates.end(), file->path) !=
             use.certificates.end();
    });
    if (touched && !use.fault.empty()) {
      out.push_back("\"" + use.path + "\" is not sent with it: " + use.fault);
    }
  }
  return out;
}

std::optional<Renewal::Found> Renewal::look(const Configurator::Options& options, TimePoint now) {
  next_ = now + interval_;
  if (now >= again_at_) {
    again_at_ = TimePoint::max();
    watch_.again();
  }
  const auto look = watch_.look();
  if (!look.news) return look.settled ? mended(look.changed) : std::nullopt;
  Found found;
  Problems problems;
  const auto good = choose(options, look.changed, problems);
  offered_.clear();
  for (const auto* file : good) offered_.push_back(file->path);
  // What was refused is a problem until it is in force.
  std::erase_if(refused_, [&](const auto& one) {
    return std::find(offered_.begin(), offered_.end(), one.first) == offered_.end();
  });
  problems.insert(refused_.begin(), refused_.end());
  for (const auto& [path, why] : problems) {
    const auto known = problems_.find(path);
    if (known != problems_.end() && known->second == why) continue;
    found.faults.push_back("\"" + path + "\" has changed and is not taken: " + why +
                           "; what was loaded before stays in force");
  }
  found.told = problems != problems_;
  problems_ = std::move(problems);
  if (good.empty()) return found;
  found.renewed = offered_;
  for (auto& fault : unfit_staples(good)) found.faults.push_back(std::move(fault));
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
