#include "proxy/ssi_page.h"

#include <algorithm>

#include "config/regex.h"
#include "content/markup.h"
#include "http/chars.h"
#include "http/escape.h"
#include "proxy/exchange.h"
#include "proxy/internal_uri.h"
#include "proxy/variable_lookup.h"

namespace weir::proxy {
namespace {

using content::SsiCommand;
using content::SsiPiece;

constexpr std::size_t kPause = 64 * 1024;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

bool is_conditional(SsiCommand command) {
  return command == SsiCommand::else_when || command == SsiCommand::otherwise ||
         command == SsiCommand::end_when;
}

}  // namespace

const std::string* SsiShared::block(std::string_view name) const {
  for (const auto& [known, text] : blocks) {
    if (known == name) return &text;
  }
  return nullptr;
}

void SsiPage::take(std::string_view bytes) {
  if (too_large_) return;
  if (text_.size() + bytes.size() > kMaxSize) {
    too_large_ = true;
    std::string().swap(text_);
    x_.log(LogLevel::error, "a page with server side includes is larger than 64 MiB");
    return;
  }
  text_.append(bytes);
}

void SsiPage::append_error(std::string& out) const {
  if (!x_.config().ssi_silent_errors) out.append(error_text_);
}

SsiPage::Stop SsiPage::run(std::string& out) {
  if (!reader_) reader_.emplace(text_, x_.config().ssi_value_length);
  while (out.size() < kPause) {
    if (!reader_->next(piece_)) {
      std::string().swap(text_);
      return Stop::end;
    }
    if (piece_.kind == SsiPiece::Kind::text) {
      if (output_) {
        out.append(piece_.text);
      } else if (in_block_) {
        x_.ssi_shared().blocks[block_].second.append(piece_.text);
      }
      continue;
    }
    includes_ = false;
    if (piece_.kind == SsiPiece::Kind::broken) {
      problem_ = piece_.problem;
    } else if (execute(piece_, out)) {
      if (includes_) return Stop::include;
      continue;
    }
    x_.log(LogLevel::error, problem_);
    append_error(out);
  }
  return Stop::pause;
}

// ---- commands
// --------------------------------------------------------------------------------------

bool SsiPage::execute(const SsiPiece& piece, std::string& out) {
  const auto command = content::find_ssi_command(piece.name);
  if (!command) return !output_ || fail("unknown SSI command \"" + piece.name + "\"");
  if (!output_ && in_block_ && *command != SsiCommand::end_block) {
    content::append_ssi_command(piece, x_.ssi_shared().blocks[block_].second);
    return true;
  }
  // What is not shown is not carried out, but for what may end that.
  if (!output_ && !in_block_ && !is_conditional(*command)) return true;
  const bool misplaced = is_conditional(*command) &&
                         (branch_ == Branch::none ||
                          (branch_ == Branch::otherwise && *command != SsiCommand::end_when));
  if (misplaced) return fail("the SSI command \"" + piece.name + "\" has no \"if\" before it");
  Arguments arguments;
  if (!content::match_ssi_parameters(*command, piece, arguments, problem_)) return false;
  return carry_out(*command, arguments, out);
}

bool SsiPage::carry_out(SsiCommand command, const Arguments& arguments, std::string& out) {
  switch (command) {
    case SsiCommand::include:
      return prepare_include(arguments);
    case SsiCommand::echo:
      return echo(arguments, out);
    case SsiCommand::config:
      if (arguments[0]) error_text_.assign(*arguments[0]);
      if (arguments[1]) time_format_.assign(*arguments[1]);
      return true;
    case SsiCommand::set:
      return set(arguments);
    case SsiCommand::when:
    case SsiCommand::else_when:
      return choose(command, *arguments[0]);
    case SsiCommand::otherwise:
      branch_ = Branch::otherwise;
      output_ = !chosen_;
      return true;
    case SsiCommand::end_when:
      branch_ = Branch::none;
      chosen_ = false;
      output_ = true;
      return true;
    case SsiCommand::block:
      block_ = x_.ssi_shared().blocks.size();
      x_.ssi_shared().blocks.emplace_back(*arguments[0], std::string());
      in_block_ = true;
      output_ = false;
      return true;
    case SsiCommand::end_block:
      // Blocks begin only in what is shown.
      if (in_block_) output_ = true;
      in_block_ = false;
      return true;
  }
  return true;
}

bool SsiPage::prepare_include(const Arguments& arguments) {
  const auto& [uri, file, wait, set, stub] = arguments;
  if (uri && file) return fail("an include has both \"virtual\" and \"file\"");
  if (!uri && !file) return fail("an include has neither \"virtual\" nor \"file\"");
  if (set && stub) return fail("an include has both \"set\" and \"stub\"");
  if (wait && file) return fail("an include has \"wait\" with \"file\"");
  const bool waits = wait && http::equal_ignoring_case(*wait, "yes");
  if (wait && !waits && !http::equal_ignoring_case(*wait, "no")) {
    return fail("\"wait\" of an include is \"" + std::string(*wait) + "\"; use yes or no");
  }
  std::string text;
  if (!expand(uri ? *uri : *file, text)) return false;
  if (!text.empty() && text.front() != '/') {
    const auto path = x_.path();
    text.insert(0, path.substr(0, path.rfind('/') + 1));
  }
  include_ = {};
  if (!parse_internal_uri(text, include_.path, include_.args)) {
    return fail("unsafe URI \"" + text + "\" of an include");
  }
  if (stub) {
    const auto* block = x_.ssi_shared().block(*stub);
    if (block == nullptr) return fail("there is no block \"" + std::string(*stub) + "\"");
    include_.stub = *block;
  }
  if (set) {
    include_.set = lower(*set);
    x_.ssi_shared().variables.emplace(*include_.set, std::string());
  }
  include_.wait = waits || file.has_value() || set.has_value();
  includes_ = true;
  return true;
}

bool SsiPage::echo(const Arguments& arguments, std::string& out) {
  std::string value;
  if (!find(*arguments[0], value)) value = arguments[1].value_or("(none)");
  if (value.empty()) return true;
  if (const auto& encoding = arguments[2]) {
    if (*encoding == "none") {
      encoding_ = Encoding::none;
    } else if (*encoding == "url") {
      encoding_ = Encoding::url;
    } else if (*encoding == "entity") {
      encoding_ = Encoding::entity;
    } else {
      x_.log(LogLevel::error, "unknown encoding \"" + std::string(*encoding) + "\" of an echo");
    }
  }
  switch (encoding_) {
    case Encoding::none:
      out.append(value);
      break;
    case Encoding::url:
      http::escape(value, http::Escape::html, out);
      break;
    case Encoding::entity:
      content::escape_markup(value, out);
      break;
  }
  return true;
}

bool SsiPage::set(const Arguments& arguments) {
  std::string value;
  if (!expand(*arguments[1], value)) return false;
  x_.ssi_shared().variables[lower(*arguments[0])] = std::move(value);
  return true;
}

// ---- conditions
// ------------------------------------------------------------------------------------

bool SsiPage::choose(SsiCommand command, std::string_view expression) {
  if (command == SsiCommand::when && branch_ != Branch::none) {
    return fail("an SSI command \"if\" inside of another");
  }
  if (chosen_) {
    output_ = false;
    return true;
  }
  const auto condition = content::parse_ssi_condition(expression);
  if (!condition) return fail("invalid SSI expression \"" + std::string(expression) + "\"");
  std::string left;
  std::string right;
  if (!expand(condition->left, left) || !expand(condition->right, right)) return false;
  bool holds = left == right;
  if (!condition->compares) holds = !left.empty();
  if (condition->regex && !matches(right, left, holds)) return false;
  output_ = chosen_ = holds != condition->negated;
  branch_ = Branch::when;
  return true;
}

bool SsiPage::matches(const std::string& pattern, const std::string& text, bool& result) {
  std::string error;
  const auto regex = config::Regex::compile(pattern, false, error);
  if (regex == nullptr) return fail("bad regular expression \"" + pattern + "\": " + error);
  config::Regex::Captures captures;
  result = regex->match(text, &captures);
  if (!result) return true;
  auto& shared = x_.ssi_shared();
  shared.groups.clear();
  for (const auto& [from, to] : captures) {
    shared.groups.push_back(from == std::string::npos ? "" : text.substr(from, to - from));
  }
  for (const auto& [name, group] : regex->names()) {
    if (group < shared.groups.size()) shared.variables[lower(name)] = shared.groups[group];
  }
  return true;
}

// ---- variables
// -------------------------------------------------------------------------------------

bool SsiPage::expand(std::string_view text, std::string& out) {
  // Values made of values grow fast.
  constexpr std::size_t kMost = 1 << 20;
  const auto look_up = [this](std::string_view name, std::string& to) {
    if (to.size() <= kMost) find(name, to);
  };
  if (!content::expand_ssi(text, look_up, out, problem_)) return false;
  return out.size() <= kMost || fail("a value of an SSI command is larger than 1 MiB");
}

bool SsiPage::find(std::string_view name, std::string& out) {
  const auto& shared = x_.ssi_shared();
  if (name.size() == 1 && name[0] >= '0' && name[0] <= '9') {
    const auto group = static_cast<std::size_t>(name[0] - '0');
    if (group < shared.groups.size()) {
      out.append(shared.groups[group]);
      return true;
    }
  }
  const auto found = shared.variables.find(lower(name));
  if (found == shared.variables.end()) return append_variable(name, x_, out);
  out.append(found->second);
  return true;
}

}  // namespace weir::proxy
