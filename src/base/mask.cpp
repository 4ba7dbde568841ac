#include "base/mask.h"

#include <algorithm>

namespace weir {
namespace {

constexpr std::string_view kMask = "***";

struct Span {
  std::size_t begin = std::string_view::npos;
  std::size_t end = 0;
};

bool is_scheme(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}

// Where the URL with a "://" at `colon` ends: where the quote closes in which it stands, else at a
// blank. Other marks may be part of a password.
std::size_t end_of_url(std::string_view text, std::size_t colon) {
  auto begin = colon;
  while (begin > 0 && is_scheme(text[begin - 1])) --begin;
  const char before = begin > 0 ? text[begin - 1] : ' ';
  const bool quoted = before == '"' || before == '\'';
  const bool escapes = quoted && (begin < 2 || text[begin - 2] != '\\');
  for (auto i = colon + 3; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return i;
    if (c == (quoted ? before : ' ')) return i;
    if (c == '\\' && escapes) ++i;
  }
  return text.size();
}

// The next password at or after `from`: what stands between the first colon and the last @ of what
// follows "://". A password may hold an @ that its writer forgot to encode.
Span find_password(std::string_view text, std::size_t from) {
  while ((from = text.find("://", from)) != std::string_view::npos) {
    const auto end = end_of_url(text, from);
    from += 3;
    const auto rest = text.substr(from, end - from);
    const auto at = rest.rfind('@');
    const auto colon = rest.find(':');
    if (at == std::string_view::npos || colon == std::string_view::npos || colon + 1 >= at) {
      continue;
    }
    if (rest.front() == '[') continue;  // an IPv6 address; no user is called so
    // "http://a:80/path/x@y" has none: a port, and a path.
    const auto slash = rest.find('/');
    if (slash < at) {
      const auto port = rest.substr(colon + 1, slash - std::min(slash, colon + 1));
      const bool is_port =
          std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (is_port || slash < colon) continue;
    }
    return {from + colon + 1, from + at};
  }
  return {};
}

}  // namespace

bool has_password(std::string_view text) {
  return find_password(text, 0).begin != std::string_view::npos;
}

std::string mask_passwords(std::string_view text) {
  std::string out;
  std::size_t done = 0;
  for (auto found = find_password(text, 0); found.begin != std::string_view::npos;
       found = find_password(text, found.end)) {
    out.append(text.substr(done, found.begin - done)).append(kMask);
    done = found.end;
  }
  return out.append(text.substr(done));
}

namespace {

std::size_t end_of_word(std::string_view text, std::size_t at, bool yaml) {
  const char quote = text[at];
  if (quote != '"' && quote != '\'') {
    if (yaml) return std::min(text.find_first_of("\r\n", at), text.size());
    for (; at < text.size() && std::string_view(" \t\r\n;{}").find(text[at]) == text.npos; ++at) {
      if (text[at] == '\\') ++at;
    }
    return std::min(at, text.size());
  }
  const bool doubles = yaml && quote == '\'';  // a quote within is written twice
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\' && !doubles) {
      ++at;
    } else if (text[at] == quote) {
      if (!doubles || at + 1 >= text.size() || text[at + 1] != quote) return at + 1;
      ++at;
    }
  }
  return text.size();
}

}  // namespace

void mask_word(std::string& text, std::size_t line, std::size_t column, bool yaml) {
  std::size_t at = 0;
  for (; line > 1; --line) {
    at = text.find('\n', at);
    if (at == std::string::npos) return;
    ++at;
  }
  at += column - 1;
  if (column == 0 || at >= text.size()) return;
  text.replace(at, end_of_word(text, at, yaml) - at, kMask);
}

std::string mask_text(std::string text, std::string_view secret) {
  if (secret.empty()) return text;
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += kMask.size()) {
    text.replace(at, secret.size(), kMask);
  }
  return text;
}

}  // namespace weir
