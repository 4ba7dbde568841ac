#include "content/ssi.h"

#include <algorithm>
#include <span>

namespace weir::content {
namespace {

constexpr std::string_view kBegin = "<!--#";
constexpr std::string_view kEnd = "-->";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

struct Known {
  std::string_view name;
  bool needed = false;
};
struct Row {
  std::string_view name;
  SsiCommand command;
  std::span<const Known> parameters;
};

constexpr Known kInclude[] = {{"virtual"}, {"file"}, {"wait"}, {"set"}, {"stub"}};
constexpr Known kEcho[] = {{"var", true}, {"default"}, {"encoding"}};
constexpr Known kConfig[] = {{"errmsg"}, {"timefmt"}};
constexpr Known kSet[] = {{"var", true}, {"value", true}};
constexpr Known kWhen[] = {{"expr", true}};
constexpr Known kBlock[] = {{"name", true}};
constexpr Row kCommands[] = {{"include", SsiCommand::include, kInclude},
                             {"echo", SsiCommand::echo, kEcho},
                             {"config", SsiCommand::config, kConfig},
                             {"set", SsiCommand::set, kSet},
                             {"if", SsiCommand::when, kWhen},
                             {"elif", SsiCommand::else_when, kWhen},
                             {"else", SsiCommand::otherwise, {}},
                             {"endif", SsiCommand::end_when, {}},
                             {"block", SsiCommand::block, kBlock},
                             {"endblock", SsiCommand::end_block, {}}};

// Such a value was written in single quotes.
bool has_bare_quote(std::string_view value) {
  for (std::size_t i = 0; i < value.size(); i += value[i] == '\\' ? 2 : 1) {
    if (value[i] == '"') return true;
  }
  return false;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

std::optional<SsiCommand> find_ssi_command(std::string_view name) {
  const auto* row = std::find_if(std::begin(kCommands), std::end(kCommands),
                                 [&](const Row& r) { return r.name == name; });
  if (row == std::end(kCommands)) return std::nullopt;
  return row->command;
}

// ---- reading
// ---------------------------------------------------------------------------------------

bool SsiReader::next(SsiPiece& piece) {
  if (rest_.empty()) return false;
  const auto at = rest_.find(kBegin);
  if (at != 0) {
    piece.kind = SsiPiece::Kind::text;
    piece.text = rest_.substr(0, at);
    rest_.remove_prefix(piece.text.size());
    return true;
  }
  rest_.remove_prefix(kBegin.size());
  piece.kind = SsiPiece::Kind::command;
  piece.text = {};
  piece.name.clear();
  piece.parameters.clear();
  piece.problem.clear();
  if (!read_command(piece)) rest_ = {};
  return !rest_.empty() || !piece.name.empty();
}

// False: the text ends inside the command, here as below. `name` is empty then.
bool SsiReader::read_command(SsiPiece& piece) {
  if (!skip_space()) return false;
  std::string name;
  // Whatever its first character is, it is part of the name.
  do {
    if (name.size() == kMaxName) {
      piece.name = name;
      break_off(piece, "the command " + quoted(name) + "... is too long");
      return true;
    }
    name.push_back(rest_.front());
    rest_.remove_prefix(1);
  } while (!rest_.empty() && !is_space(rest_.front()) && rest_.front() != '-');
  piece.name = std::move(name);
  while (piece.kind == SsiPiece::Kind::command) {
    if (!skip_space()) break;
    if (rest_.front() == '-') {
      if (!read_end(piece)) break;
      return true;
    }
    if (!read_parameter(piece)) break;
  }
  if (piece.kind == SsiPiece::Kind::broken && !piece.name.empty()) return true;
  piece.name.clear();
  return false;
}

// False: the text has ended.
bool SsiReader::skip_space() {
  while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  return !rest_.empty();
}

// Passes over the rest of a command that is wrong.
void SsiReader::break_off(SsiPiece& piece, std::string problem) {
  piece.kind = SsiPiece::Kind::broken;
  piece.problem = std::move(problem) + " in an SSI command " + quoted(piece.name);
  const auto end = rest_.find(kEnd);
  if (end == std::string_view::npos) {
    piece.name.clear();  // it never ends
    rest_ = {};
  } else {
    rest_.remove_prefix(end + kEnd.size());
  }
}

bool SsiReader::read_end(SsiPiece& piece) {
  if (rest_.starts_with(kEnd)) {
    rest_.remove_prefix(kEnd.size());
    return true;
  }
  if (kEnd.starts_with(rest_)) return false;
  break_off(piece, "\"-\" is not followed by \"->\"");
  return !piece.name.empty();
}

bool SsiReader::read_parameter(SsiPiece& piece) {
  std::string name;
  while (!rest_.empty() && (name.empty() || (!is_space(rest_.front()) && rest_.front() != '=' &&
                                             rest_.front() != '-'))) {
    if (name.size() == kMaxName) {
      break_off(piece, "the parameter " + quoted(name) + "... is too long");
      return true;
    }
    name.push_back(rest_.front());
    rest_.remove_prefix(1);
  }
  if (!skip_space()) return false;
  if (rest_.front() != '=') {
    break_off(piece, "\"=\" is missing behind the parameter " + quoted(name));
    return true;
  }
  rest_.remove_prefix(1);
  if (!skip_space()) return false;
  // One too many is kept, to be found by whoever looks at them.
  if (piece.parameters.size() <= kMaxParameters) piece.parameters.emplace_back();
  piece.parameters.back().name = std::move(name);
  piece.parameters.back().value.clear();
  return read_value(piece);
}

bool SsiReader::read_value(SsiPiece& piece) {
  const char quote = rest_.front();
  auto& parameter = piece.parameters.back();
  if (quote != '"' && quote != '\'') {
    break_off(piece, "the value of the parameter " + quoted(parameter.name) + " is not quoted");
    return true;
  }
  std::size_t at = 1;
  while (at < rest_.size() && rest_[at] != quote) at += rest_[at] == '\\' ? 2 : 1;
  const auto size = std::min(at, rest_.size()) - 1;
  if (size > max_value_) {
    rest_.remove_prefix(1 + max_value_);
    break_off(piece, "the value of the parameter " + quoted(parameter.name) + " is too long");
    return true;
  }
  if (at >= rest_.size()) return false;
  parameter.value.assign(rest_.substr(1, size));
  rest_.remove_prefix(at + 1);
  if (rest_.empty()) return false;
  if (!is_space(rest_.front()) && rest_.front() != '-') {
    break_off(piece, "no space is behind the value of the parameter " + quoted(parameter.name));
  }
  return true;
}

// ---- commands
// --------------------------------------------------------------------------------------

bool match_ssi_parameters(SsiCommand command, const SsiPiece& piece, SsiArguments& arguments,
                          std::string& problem) {
  const auto fail = [&](std::string_view what, std::string_view name) {
    problem = std::string(what) + " " + quoted(name) + " in the SSI command " + quoted(piece.name);
    return false;
  };
  if (piece.parameters.size() > SsiReader::kMaxParameters) {
    problem = "too many parameters in the SSI command " + quoted(piece.name);
    return false;
  }
  const auto& known = kCommands[static_cast<std::size_t>(command)].parameters;
  arguments = {};
  for (const auto& parameter : piece.parameters) {
    std::size_t i = 0;
    while (i < known.size() && known[i].name != parameter.name) ++i;
    if (i == known.size()) return fail("unknown parameter", parameter.name);
    if (arguments[i]) return fail("duplicate parameter", parameter.name);
    arguments[i] = parameter.value;
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i].needed && !arguments[i]) return fail("missing parameter", known[i].name);
  }
  return true;
}

void append_ssi_command(const SsiPiece& piece, std::string& out) {
  out.append(kBegin).append(piece.name);
  for (const auto& parameter : piece.parameters) {
    const char quote = has_bare_quote(parameter.value) ? '\'' : '"';
    out.append(" ").append(parameter.name).append("=");
    out.append(1, quote).append(parameter.value).append(1, quote);
  }
  out.append(" -->");
}

// ---- expressions
// -----------------------------------------------------------------------------------

std::optional<SsiCondition> parse_ssi_condition(std::string_view expression) {
  SsiCondition result;
  std::size_t at = 0;
  for (; at < expression.size(); ++at) {
    const char c = expression[at];
    if (!is_name(c) && std::string_view("${}\"'").find(c) == std::string_view::npos) break;
    result.left.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
  }
  const auto skip = [&] {
    while (at < expression.size() && expression[at] == ' ') ++at;
  };
  skip();
  if (at == expression.size()) return result;
  result.compares = true;
  result.negated = expression.substr(at).starts_with("!=");
  if (!result.negated && expression[at] != '=') return std::nullopt;
  at += result.negated ? 2 : 1;
  skip();
  auto right = expression.substr(at);
  if (right.size() > 1 && right.front() == '/') {
    if (right.back() != '/') return std::nullopt;
    result.regex = true;
    right = right.substr(1, right.size() - 2);
  } else if (right.starts_with("\\/")) {
    right.remove_prefix(1);  // a text that begins with a slash
  }
  result.right.assign(right);
  return result;
}

bool expand_ssi(std::string_view text, const SsiLookup& look_up, std::string& out,
                std::string& problem) {
  bool escaped = false;
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c != '$' || escaped) {
      ++at;
      if (!escaped && c == '\\') {
        escaped = true;
        continue;
      }
      if (escaped && std::string_view("\\'\"$").find(c) == std::string_view::npos) {
        out.push_back('\\');
      }
      escaped = false;
      out.push_back(c);
      continue;
    }
    ++at;
    const bool braced = at < text.size() && text[at] == '{';
    if (braced) ++at;
    const auto begin = at;
    while (at < text.size() && is_name(text[at])) ++at;
    const auto name = text.substr(begin, at - begin);
    if (braced && (at == text.size() || text[at] != '}')) {
      problem = "the closing brace of the variable " + quoted(name) + " is missing";
      return false;
    }
    if (braced) ++at;
    if (name.empty()) {
      problem = "\"$\" without the name of a variable in " + quoted(text);
      return false;
    }
    look_up(name, out);
  }
  return true;
}

void append_ssi_time(std::string_view format, std::time_t time, bool local, std::string& out) {
  if (format == "%s") {
    out.append(std::to_string(time));
    return;
  }
  std::tm parts{};
  local ? ::localtime_r(&time, &parts) : ::gmtime_r(&time, &parts);
  char text[2048];
  out.append(text, std::strftime(text, sizeof text, std::string(format).c_str(), &parts));
}

}  // namespace weir::content
