// `match`: what the answer to a health check must be.
#include <algorithm>

#include "config/handlers.h"

namespace weir::config {
namespace {

using Test = MatchConfig::Test;

// "200" or "200-399".
bool parse_status(std::string_view text, StatusRange& out) {
  const auto dash = text.find('-');
  const auto from = parse_number(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? from : parse_number(text.substr(dash + 1));
  if (!from || !to || *from < 100 || *to > 599 || *from > *to) return false;
  out = {static_cast<std::uint16_t>(*from), static_cast<std::uint16_t>(*to)};
  return true;
}

void take_status(const Call& call, const Argument& at, std::string_view text,
                 std::vector<StatusRange>& out) {
  StatusRange range;
  if (parse_status(text, range)) {
    out.push_back(range);
  } else {
    call.error(at, "invalid status " + quote(text) + "; write 200 or 200-399");
  }
}

struct Operator {
  std::string_view text;
  Test::Kind kind;
  bool negated;
  bool caseless;
};
constexpr Operator kOperators[] = {
    {"~", Test::Kind::regex, false, false},   {"~*", Test::Kind::regex, false, true},
    {"!~", Test::Kind::regex, true, false},   {"!~*", Test::Kind::regex, true, true},
    {"=", Test::Kind::equals, false, false},  {"!=", Test::Kind::equals, true, false},
    {"!", Test::Kind::contains, true, false},
};

// OPERATOR TEXT, at arguments `at` and the next. Nullopt after an error. `known`: the operators
// that the directive has.
std::optional<Test> take_test(const Call& call, std::size_t at, std::string_view known) {
  const auto& word = call.arg(at);
  const auto words = split_words(known);
  const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                   [&](const auto& row) { return row.text == word.text; });
  if (found == std::end(kOperators) ||
      std::find(words.begin(), words.end(), found->text) == words.end()) {
    call.error(word, "unknown operator " + quote(word.text) + detail::choice(words) +
                         (at == 0 ? ", and quotes around a text with blanks" : ""));
    return std::nullopt;
  }
  Test test;
  test.kind = found->kind;
  test.negated = found->negated;
  test.text = call.arg(at + 1).text;
  if (test.kind == Test::Kind::regex) {
    test.regex = call.compiler.regex(call, call.arg(at + 1), test.text, found->caseless);
    if (test.regex == nullptr) return std::nullopt;
  }
  return test;
}

bool is_field_name(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

// A check has neither a client nor a location, so that all other variables would be empty for ever,
// or say the same of every answer.
bool is_of_answer(const VariableRef& variable) {
  return variable.id == Variable::status || variable.id == Variable::upstream_status ||
         variable.id == Variable::upstream_http;
}

// Of "$name" or "${name}" the name. Empty: it is neither.
std::string_view variable_name(std::string_view text) {
  if (!text.starts_with('$')) return {};
  text.remove_prefix(1);
  if (text.starts_with('{') && text.ends_with('}')) text = text.substr(1, text.size() - 2);
  const bool is_name = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
  return is_name ? text : std::string_view{};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "\x0d" stands for a byte. Nullopt after an error.
std::optional<std::string> bytes_of(const Call& call, const Argument& at) {
  std::string out;
  std::string_view text = at.text;
  while (!text.empty()) {
    if (!text.starts_with("\\x")) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const int high = text.size() > 2 ? hex_digit(text[2]) : -1;
    const int low = text.size() > 3 ? hex_digit(text[3]) : -1;
    if (high < 0 || low < 0) {
      call.error(at, "\\x in " + quote(at.text) + " needs two hexadecimal digits");
      return std::nullopt;
    }
    out += static_cast<char>(high * 16 + low);
    text.remove_prefix(4);
  }
  return out;
}

}  // namespace

void take_status_list(const Call& call, const Argument& at, std::string_view text,
                      MatchConfig& match) {
  match.status.clear();
  match.status_negated = text.starts_with('!');
  if (match.status_negated) text.remove_prefix(1);
  while (true) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    const auto comma = text.find(',');
    take_status(call, at, text.substr(0, comma), match.status);
    if (comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

MatchConfig match_of(const Call& where, const Block& block) {
  MatchConfig match;
  Scope scope;
  scope.contexts = in_match;
  scope.match = &match;
  where.compiler.walk(block, scope);
  if (match.for_http() && match.for_tcp()) {
    where.error(
        "send and expect are of type=tcp, status, header, require and body of type=http; make two "
        "of "
        "it");
  }
  return match;
}

void compile_match(const Call& call) {
  const auto& name = call.arg(0).text;
  if (call.compiler.find_match(name) != nullptr) {
    return call.error(call.arg(0), "duplicate match " + quote(name));
  }
  call.compiler.add_match(name, match_of(call, call.directive.block));
}

void compile_match_status(const Call& call) {
  auto& match = *call.scope.match;
  std::size_t i = 0;
  std::string_view first = call.arg(0).text;
  if (first.starts_with('!')) {
    match.status_negated = true;
    first.remove_prefix(1);
    if (!first.empty()) take_status(call, call.arg(0), first, match.status);
    i = 1;
  }
  for (; i < call.count(); ++i) take_status(call, call.arg(i), call.arg(i).text, match.status);
  const bool bare = match.status_negated && call.count() == 1 && call.arg(0).text == "!";
  if (bare) call.error("no status is given; write 200 or 200-399");
}

// NAME, ! NAME, NAME OPERATOR VALUE
void compile_match_header(const Call& call) {
  const bool absent = call.count() == 2 && call.arg(0).text == "!";
  const auto& name = call.arg(absent ? 1 : 0);
  const bool bare = call.count() == 1 && call.arg(0).text == "!";
  if (bare || (call.count() == 2 && !absent)) {
    return call.error("the value or the operator is missing; write NAME, ! NAME or NAME = VALUE");
  }
  if (!is_field_name(name.text)) {
    return call.error(name, "invalid name of a field " + quote(name.text));
  }
  std::optional<Test> test = Test{};
  if (call.count() == 3) test = take_test(call, 1, "= != ~ ~* !~ !~*");
  if (!test) return;
  test->name = name.text;
  test->negated = test->negated || absent;
  call.scope.match->headers.push_back(std::move(*test));
}

// TEXT, OPERATOR TEXT
void compile_match_body(const Call& call) {
  std::optional<Test> test;
  if (call.count() == 1) {
    test = Test{.kind = Test::Kind::contains, .text = call.arg(0).text};
  } else {
    test = take_test(call, 0, "! = != ~ ~* !~ !~*");
  }
  if (!test) return;
  if (test->kind == Test::Kind::contains && test->text.empty()) {
    return call.error(call.arg(0), "the text is empty; write body = \"\" for an empty body");
  }
  call.scope.match->body.push_back(std::move(*test));
}

void compile_match_require(const Call& call) {
  for (std::size_t i = 0; i < call.count(); ++i) {
    const auto& word = call.arg(i);
    const auto name = variable_name(word.text);
    // Checks of stream by HTTP have the same answers: never stream's own variables.
    const auto variable = find_variable(name);
    if (name.empty()) {
      call.error(word, quote(word.text) + " is not one variable; write $upstream_http_NAME");
    } else if (!variable || !is_of_answer(*variable)) {
      call.error(word, quote(word.text) +
                           " says nothing of the answer to a check; use $upstream_http_NAME, "
                           "$upstream_status or $status");
    } else {
      call.scope.match->require.push_back(*variable);
    }
  }
}

void compile_match_send(const Call& call) {
  const auto bytes = bytes_of(call, call.arg(0));
  if (!bytes) return;
  if (bytes->empty()) return call.error(call.arg(0), "the text is empty; remove the line");
  call.scope.match->send = *bytes;
}

// TEXT, ~ PATTERN
void compile_match_expect(const Call& call) {
  std::optional<Test> test;
  if (call.count() == 1) {
    const auto bytes = bytes_of(call, call.arg(0));
    if (!bytes) return;
    if (bytes->empty()) return call.error(call.arg(0), "the text is empty; remove the line");
    test = Test{.kind = Test::Kind::contains, .text = *bytes};
  } else {
    test = take_test(call, 0, "~ ~*");
  }
  if (test) call.scope.match->expect = std::move(*test);
}

}  // namespace weir::config
