#include "proxy/rewrite.h"

#include <sys/stat.h>

#include <algorithm>

#include "http/escape.h"
#include "proxy/text.h"
#include "proxy/variables.h"

namespace weir::proxy {
namespace {

using Then = config::RewriteRule::Then;

// Appends the text of a replacement; captures are escaped where they would otherwise change what
// is around them: in arguments, and in redirects.
void append_part(const config::Value::Part& part, Exchange& x, bool escape, std::string& out) {
  if (!part.is_variable) {
    out.append(part.literal);
  } else if (part.variable.id == config::Variable::capture && escape && x.quoted_path()) {
    http::escape(x.capture(part.variable.index), http::Escape::args, out);
  } else {
    evaluate(part.variable, x, out);
  }
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

Step Rewriter::run(const std::vector<config::Rule>& rules) {
  const auto outcome = run_all(rules);
  if (outcome) return *outcome;
  return {changed_ ? Step::Kind::locate : Step::Kind::go_on, 0};
}

Rewriter::Outcome Rewriter::run_all(const std::vector<config::Rule>& rules) {
  for (const auto& rule : rules) {
    const auto outcome = std::visit([this](const auto& r) { return apply(r); }, rule);
    if (outcome) return outcome;
  }
  return std::nullopt;
}

Rewriter::Outcome Rewriter::apply(const config::SetRule& rule) {
  std::string text;
  evaluate(rule.value, x_, text);
  x_.assign(rule.variable, text);
  return std::nullopt;
}

Rewriter::Outcome Rewriter::apply(const config::BreakRule&) {
  if (changed_) x_.valid_location_ = false;
  changed_ = false;
  return Step{};
}

Rewriter::Outcome Rewriter::apply(const config::ReturnRule& rule) {
  if (rule.redirect) {
    x_.answer_.location.clear();
    evaluate(rule.text, x_, x_.answer_.location);
    return Step::answer_with(rule.status);
  }
  // A page is found for an error or a redirect without a text; all else is answered as it stands.
  if (!rule.has_text && (rule.status >= 400 || is_redirect(rule.status))) {
    if (is_redirect(rule.status)) x_.answer_.location.clear();
    return Step::answer_with(rule.status);
  }
  x_.return_text_.clear();
  evaluate(rule.text, x_, x_.return_text_);
  return Step{Step::Kind::text, rule.status};
}

Rewriter::Outcome Rewriter::apply(const config::RewriteRule& rule) {
  if (!x_.match(rule.pattern, x_.path_)) {
    log_rewrite("\"" + rule.pattern.regex->text() + "\" does not match \"" + x_.path_ + "\"");
    return std::nullopt;
  }
  log_rewrite("\"" + rule.pattern.regex->text() + "\" matches \"" + x_.path_ + "\"");
  x_.internal_ = true;
  x_.untouched_path_ = false;
  if (rule.then == Then::redirect) return redirect(rule, 302);
  if (rule.then == Then::permanent) return redirect(rule, 301);
  changed_ = rule.then != Then::stop;
  if (!changed_) x_.valid_location_ = false;
  replace(rule);
  if (x_.path_.empty()) {
    x_.log(LogLevel::error, "the rewritten URI has a zero length");
    return Step::answer_with(500);
  }
  if (rule.then == Then::go_on) return std::nullopt;
  return Step{changed_ ? Step::Kind::locate : Step::Kind::go_on, 0};
}

void Rewriter::replace(const config::RewriteRule& rule) {
  std::string path;
  std::string args;
  bool in_args = false;
  for (const auto& part : rule.replacement.parts()) {
    const auto mark = part.is_variable || in_args ? std::string::npos : part.literal.find('?');
    if (mark == std::string::npos) {
      append_part(part, x_, in_args, in_args ? args : path);
      continue;
    }
    in_args = true;
    path.append(part.literal, 0, mark);
    args.append(part.literal, mark + 1);
  }
  if (in_args && rule.keeps_args && !x_.args_.empty()) {
    args.append("&").append(x_.args_);
  } else if (!in_args && rule.keeps_args) {
    args = x_.args_;
  }
  log_rewrite("rewritten data: \"" + path + "\", args: \"" + args + "\"");
  x_.path_ = std::move(path);
  x_.args_ = std::move(args);
}

Step Rewriter::redirect(const config::RewriteRule& rule, int status) {
  std::string text;
  for (const auto& part : rule.replacement.parts()) append_part(part, x_, true, text);
  auto& to = x_.answer_.location;
  to.clear();
  const auto read = http::unescape(text, http::Unescape::redirect, to);
  to.append(text, read);
  if (rule.keeps_args && !x_.args_.empty()) {
    to.append(rule.has_args ? "&" : "?").append(x_.args_);
  }
  log_rewrite("rewritten redirect: \"" + to + "\"");
  return Step::answer_with(status);
}

Rewriter::Outcome Rewriter::apply(const std::unique_ptr<config::IfRule>& rule) {
  if (!holds(rule->condition)) return std::nullopt;
  if (rule->location != nullptr) {
    if (const auto* inner = x_.location_->inner(*rule->location)) x_.location_ = inner;
  }
  return run_all(rule->rules);
}

bool Rewriter::holds(const config::Condition& condition) {
  using Test = config::Condition::Test;
  std::string subject;
  evaluate(condition.subject, x_, subject);
  bool result = false;
  switch (condition.test) {
    case Test::truthy:
      result = is_true(subject);
      break;
    case Test::equal: {
      std::string other;
      evaluate(condition.other, x_, other);
      result = subject == other;
      break;
    }
    case Test::match:
      result = x_.match(condition.pattern, subject);
      break;
    default: {
      struct stat info {};
      const bool there = !subject.empty() && stat_file(x_, subject, 0, info);
      result = there && (condition.test == Test::exists ||
                         (condition.test == Test::file && S_ISREG(info.st_mode)) ||
                         (condition.test == Test::directory && S_ISDIR(info.st_mode)) ||
                         (condition.test == Test::executable && (info.st_mode & S_IXUSR) != 0));
    }
  }
  return result != condition.negated;
}

void Rewriter::log_rewrite(std::string_view text) {
  if (x_.config().rewrite_log) x_.log(LogLevel::notice, text);
}

}  // namespace weir::proxy
