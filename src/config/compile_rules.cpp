// nginx's rewrite module: set, rewrite, if, break, return, compiled to Rules in the order written.
#include <algorithm>

#include "config/handlers.h"

namespace weir::config {
namespace {

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://") || text.starts_with("$scheme");
}

bool is_redirect(std::uint64_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::optional<VariableRef> assignable(const Call& call, const Argument& argument) {
  const auto& text = argument.text;
  if (text.size() < 2 || text[0] != '$') {
    call.error(argument, "invalid variable name " + quote(text) + "; it must begin with $");
    return std::nullopt;
  }
  const std::string name = lower(text.substr(1));
  if (const auto built_in = call.compiler.built_in(name)) {
    if (built_in->id == Variable::args || built_in->id == Variable::limit_rate) return built_in;
    const auto user = call.compiler.find_user_variable(name);
    if (!user) {
      call.error(argument, quote(text) + " is a variable of weir; choose another name");
      return std::nullopt;
    }
  }
  const auto index = call.compiler.find_user_variable(name);
  if (!index) return std::nullopt;
  return VariableRef{Variable::user, *index, {}};
}

namespace {

// The words of `if (...)` without their parentheses.
std::vector<Argument> condition_words(const Call& call) {
  auto words = call.directive.args;
  auto& first = words.front().text;
  auto& last = words.back().text;
  if (!first.starts_with('(') || !last.ends_with(')')) {
    call.error("the condition must stand in parentheses: if ($variable = text) { ... }");
    return {};
  }
  last.pop_back();
  words.front().text.erase(0, 1);
  std::erase_if(words, [](const Argument& word) { return word.text.empty() && !word.quoted; });
  if (words.empty()) call.error("the condition is empty");
  return words;
}

bool file_test(std::string_view word, Condition& condition) {
  if (word.size() != 2 || word[0] != '-') return false;
  switch (word[1]) {
    case 'f':
      condition.test = Condition::Test::file;
      return true;
    case 'd':
      condition.test = Condition::Test::directory;
      return true;
    case 'e':
      condition.test = Condition::Test::exists;
      return true;
    case 'x':
      condition.test = Condition::Test::executable;
      return true;
    default:
      return false;
  }
}

bool take_value(const Call& call, const Argument& word, Value& out) {
  auto value = call.compiler.value(call, word);
  if (!value) return false;
  out = std::move(*value);
  return true;
}

// "= text", "!~* pattern" and so on, behind the variable.
bool compile_comparison(const Call& call, const std::vector<Argument>& words,
                        Condition& condition) {
  std::string_view op = words[1].text;
  const Argument& other = words[2];
  condition.negated = op.starts_with('!');
  if (condition.negated) op.remove_prefix(1);
  if (op == "=") {
    condition.test = Condition::Test::equal;
    return take_value(call, other, condition.other);
  }
  if (op == "~" || op == "~*") {
    condition.test = Condition::Test::match;
    condition.pattern = call.compiler.pattern(call, other, other.text, op == "~*");
    return static_cast<bool>(condition.pattern);
  }
  call.error(words[1],
             "unknown comparison " + quote(words[1].text) + "; use =, !=, ~, ~*, !~ or !~*");
  return false;
}

bool compile_condition(const Call& call, Condition& condition) {
  const auto words = condition_words(call);
  if (words.empty()) return false;
  std::string_view first = words[0].text;
  if (words.size() == 2) {
    condition.negated = first.starts_with('!');
    if (condition.negated) first.remove_prefix(1);
    if (file_test(first, condition)) return take_value(call, words[1], condition.subject);
  }
  if (!first.starts_with('$') || words.size() == 2 || words.size() > 3) {
    call.error(
        "invalid condition; write ($variable), ($variable = text), ($variable ~ pattern) or (-f "
        "path)");
    return false;
  }
  condition.negated = false;
  if (!take_value(call, words[0], condition.subject)) return false;
  return words.size() == 1 || compile_comparison(call, words, condition);
}

}  // namespace

void compile_set(const Call& call) {
  SetRule rule;
  const auto variable = assignable(call, call.arg(0));
  if (!variable || !take_value(call, call.arg(1), rule.value)) return;
  rule.variable = *variable;
  call.scope.rules->emplace_back(std::move(rule));
}

void compile_break(const Call& call) { call.scope.rules->emplace_back(BreakRule{}); }

void compile_rewrite(const Call& call) {
  RewriteRule rule;
  Argument replacement = call.arg(1);
  if (replacement.text.empty()) return call.error(replacement, "the replacement is empty");
  if (is_url(replacement.text)) rule.then = RewriteRule::Then::redirect;
  if (call.count() == 3) {
    const auto& flag = call.arg(2).text;
    if (flag == "last") {
      rule.then = RewriteRule::Then::search;
    } else if (flag == "break") {
      rule.then = RewriteRule::Then::stop;
    } else if (flag == "redirect") {
      rule.then = RewriteRule::Then::redirect;
    } else if (flag == "permanent") {
      rule.then = RewriteRule::Then::permanent;
    } else {
      return call.error(call.arg(2),
                        "unknown flag " + quote(flag) + "; use last, break, redirect or permanent");
    }
    // nginx redirects to a URL whatever the flag.
    const bool redirects =
        rule.then == RewriteRule::Then::redirect || rule.then == RewriteRule::Then::permanent;
    if (is_url(replacement.text) && !redirects) rule.then = RewriteRule::Then::redirect;
  }
  rule.keeps_args = !replacement.text.ends_with('?');
  if (!rule.keeps_args) replacement.text.pop_back();
  rule.pattern = call.compiler.pattern(call, call.arg(0), call.arg(0).text, false);
  if (!rule.pattern || !take_value(call, replacement, rule.replacement)) return;
  rule.has_args = std::any_of(
      rule.replacement.parts().begin(), rule.replacement.parts().end(), [](const auto& part) {
        return !part.is_variable && part.literal.find('?') != std::string::npos;
      });
  call.scope.rules->emplace_back(std::move(rule));
}

void compile_return(const Call& call) {
  const auto& first = call.arg(0);
  const auto code = parse_number(first.text);
  ReturnRule rule;
  if (call.count() == 1 && !code && is_url(first.text)) {
    rule.status = 302;
    rule.redirect = rule.has_text = true;
    if (!take_value(call, first, rule.text)) return;
  } else {
    if (!code || *code > 999) {
      return call.error(first, "invalid status " + quote(first.text) +
                                   "; write CODE, CODE TEXT, CODE URL or a URL with http://");
    }
    rule.status = static_cast<std::uint16_t>(*code);
    if (call.count() == 2) {
      if (!take_value(call, call.arg(1), rule.text)) return;
      rule.has_text = true;
      rule.redirect = is_redirect(*code);
    }
  }
  call.scope.rules->emplace_back(std::move(rule));
}

void compile_if(const Call& call) {
  auto rule = std::make_unique<IfRule>();
  if (!compile_condition(call, rule->condition)) return;
  Scope scope = call.scope;
  scope.rules = &rule->rules;
  if ((call.scope.contexts & in_server) != 0) {
    Settings none;  // an `if` of a server has rules only
    scope.contexts = in_server_if;
    scope.settings = &none;
    call.compiler.walk(call.directive.block, scope);
  } else {
    auto location = std::make_unique<LocationDraft>();
    location->kind = LocationKind::unnamed;
    location->path = call.scope.location->path;
    location->outer = call.scope.location;
    location->position = call.directive.position;
    scope.contexts = in_if;
    scope.settings = &location->settings;
    scope.location = location.get();
    scope.access_log_off = false;
    call.scope.location->ifs.push_back({rule.get(), std::move(location)});
    call.compiler.walk(call.directive.block, scope);
  }
  call.scope.rules->emplace_back(std::move(rule));
}

}  // namespace weir::config
