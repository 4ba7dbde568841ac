#include "content/substitute.h"

#include <doctest/doctest.h>

using namespace weir::content;

namespace {

struct Row {
  std::vector<std::string> patterns;
  std::string text;
  std::string once;
  std::string many;
};

// Replaces the pattern i by "<i>".
std::string substitute(const Row& row, bool once, std::size_t piece, std::size_t* most_held) {
  Substituter filter(std::make_shared<SubstitutePatterns>(row.patterns), once,
                     [](std::size_t index, std::string& out) {
                       out.append("<").append(std::to_string(index)).append(">");
                     });
  std::string out;
  std::size_t given = 0;
  for (std::size_t at = 0; at < row.text.size(); at += piece) {
    const auto in = std::string_view(row.text).substr(at, piece);
    filter.write(in, false, out);
    given += in.size();
    if (most_held && given > out.size()) *most_held = std::max(*most_held, given - out.size());
  }
  filter.write({}, true, out);
  return out;
}

}  // namespace

TEST_CASE("texts are replaced, wherever the content was cut") {
  const std::string xs(1000, 'x');
  const Row rows[] = {
      {{"foo"}, "foo", "<0>", "<0>"},
      {{"foo"}, "FoO", "<0>", "<0>"},
      {{"FOO"}, "foofoo", "<0>foo", "<0><0>"},
      {{"foo"}, "fo", "fo", "fo"},
      {{"foo"}, "foofo", "<0>fo", "<0>fo"},
      {{"foo"}, "", "", ""},
      {{"foo"}, xs + "foo" + xs, xs + "<0>" + xs, xs + "<0>" + xs},
      {{"abac"}, "abac", "<0>", "<0>"},
      {{"abac"}, "abaabac", "aba<0>", "aba<0>"},
      {{"abac"}, "ababac", "ab<0>", "ab<0>"},
      {{"ababx"}, "abababx", "ab<0>", "ab<0>"},
      {{"aab"}, "aaaab", "aa<0>", "aa<0>"},
      {{"aa"}, "aaaaa", "<0>aaa", "<0><0>a"},
      {{"a"}, "caac", "c<0>ac", "c<0><0>c"},
      {{"a"}, "aa", "<0>a", "<0><0>"},
      {{"a", "b"}, "abab", "<0><1>ab", "<0><1><0><1>"},
      {{"b", "a"}, "aabb", "<1>a<0>b", "<1><1><0><0>"},
      // At one place the pattern given first counts, not the longest.
      {{"ab", "abc"}, "abcabc", "<0>c<1>", "<0>c<0>c"},
      {{"abc", "ab"}, "abcabd", "<0><1>d", "<0><1>d"},
      {{"abc", "ab"}, "ab", "<1>", "<1>"},
      // What begins first counts, though it ends later.
      {{"cde", "bcdefg"}, "abcdefgh", "a<1>h", "a<1>h"},
      {{"cde", "bcdefg"}, "abcdefx", "ab<0>fx", "ab<0>fx"},
      {{"cde", "bcdefg"}, "abcdef", "ab<0>f", "ab<0>f"},
      {{"x", "a longer pattern"},
       "a longer patterx a longer pattern",
       "a longer patter<0> <1>",
       "a longer patter<0> <1>"},
      {{"<0>", "a"}, "a<0>a", "<1><0>a", "<1><0><1>"},  // what was put in is not looked at
      {{"\xd1\x84", "\xff"}, "a\xd1\x84\xff", "a<0><1>", "a<0><1>"},
      {{"", "a"}, "ba", "b<1>", "b<1>"},
      {{""}, "ba", "ba", "ba"},
      {{std::string("a\0b", 3)}, std::string("xa\0by", 5), "x<0>y", "x<0>y"},
  };
  for (const auto& row : rows) {
    std::size_t longest = 0;
    for (const auto& pattern : row.patterns) longest = std::max(longest, pattern.size());
    for (std::size_t piece = 1; piece <= row.text.size() + 1; piece += 1 + row.text.size() / 50) {
      CAPTURE(row.text);
      CAPTURE(piece);
      std::size_t held = 0;
      CHECK(substitute(row, true, piece, &held) == row.once);
      CHECK(substitute(row, false, piece, nullptr) == row.many);
      CHECK(held < longest + 3);
    }
  }
}

TEST_CASE("a replacement is asked for once") {
  int asked = 0;
  Substituter filter(std::make_shared<SubstitutePatterns>(std::vector<std::string>{"a", "b"}),
                     false, [&](std::size_t index, std::string& out) {
                       ++asked;
                       if (index == 0) out = "A";
                     });
  std::string out;
  filter.write("abab", false, out);
  filter.write("ab", true, out);
  CHECK(out == "AAA");  // "b" is replaced by nothing
  CHECK(asked == 2);
}

TEST_CASE("random texts: the stream gives what a plain search gives") {
  std::uint32_t state = 1;
  const auto random = [&state](std::uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 16) % below;
  };
  const auto text = [&](std::uint32_t size) {
    std::string out;
    while (out.size() < size) out.push_back(static_cast<char>('a' + random(2)));
    return out;
  };
  for (int round = 0; round < 2000; ++round) {
    Row row;
    for (auto count = 1 + random(4); count > 0; --count)
      row.patterns.push_back(text(1 + random(5)));
    row.text = text(random(60));
    const bool once = random(2) == 0;
    std::string want;
    std::vector<bool> spent(row.patterns.size());
    for (std::size_t at = 0; at < row.text.size();) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < row.patterns.size() && size == 0; ++i) {
        if ((once && spent[i]) ||
            row.text.compare(at, row.patterns[i].size(), row.patterns[i]) != 0)
          continue;
        want += "<" + std::to_string(i) + ">";
        spent[i] = true;
        size = row.patterns[i].size();
      }
      if (size == 0) want.push_back(row.text[at]);
      at += std::max<std::size_t>(size, 1);
    }
    REQUIRE(substitute(row, once, 1 + random(20), nullptr) == want);
  }
}
