#include "content/charset.h"

#include <doctest/doctest.h>

using namespace weir::content;
using Action = CharsetDecision::Action;

namespace {

// A little of KOI8-R and of windows-1251.
std::shared_ptr<CharsetMap> koi_utf() {
  auto map = std::make_shared<CharsetMap>("koi8-r", "utf-8");
  CHECK(map->add("C1", "D0B0"));    // а
  CHECK(map->add("c2", "d0b1"));    // б
  CHECK(map->add("80", "E282AC"));  // the euro
  return map;
}
std::shared_ptr<CharsetMap> koi_win() {
  auto map = std::make_shared<CharsetMap>("koi8-r", "windows-1251");
  CHECK(map->add("C1", "E0"));
  CHECK(map->add("C2", "E1"));
  return map;
}

Charsets make() {
  Charsets charsets;
  CHECK(charsets.add(koi_utf()) == Charsets::Outcome::ok);
  CHECK(charsets.add(koi_win()) == Charsets::Outcome::ok);
  charsets.declare("iso-8859-1");
  return charsets;
}

}  // namespace

TEST_CASE("what is recoded is the same however it is cut") {
  const auto charsets = make();
  struct Row {
    const char* from;
    const char* to;
    std::string text;
    std::string want;
  };
  const Row rows[] = {
      {"koi8-r", "utf-8", "a\xc1\xc2\x80z", "a\xd0\xb0\xd0\xb1\xe2\x82\xacz"},
      {"koi8-r", "utf-8", "\xff", "?"},
      {"utf-8", "koi8-r", "a\xd0\xb0\xd0\xb1\xe2\x82\xacz", "a\xc1\xc2\x80z"},
      {"UTF-8", "KOI8-R", "\xd0\xb2\xc3\xa4!", "&#1074;&#228;!"},
      {"utf-8", "koi8-r", "\xf0\x9f\x98\x80", "&#128512;"},
      {"utf-8", "koi8-r",
       "\x80\xff"
       "a",
       "??a"},
      {"utf-8", "koi8-r",
       "\xd0"
       "ab",
       "?b"},
      {"utf-8", "koi8-r",
       "\xe2\x82"
       "ab",
       "?b"},
      {"utf-8", "koi8-r",
       "\xf0"
       "abcd",
       "?bcd"},
      {"utf-8", "koi8-r", "\xf4\x90\x80\x80z", "?z"},
      {"utf-8", "koi8-r", "a\xd0", "a"},  // never completed
      {"utf-8", "koi8-r", "a\xf0\x9f\x98", "a"},
      {"utf-8", "koi8-r", "\xe0\x80\x80z", "?z"},
      {"koi8-r", "windows-1251", "a\xc1\xc2\xff", "a\xe0\xe1?"},
      {"windows-1251", "koi8-r", "a\xe0\xe1\xff", "a\xc1\xc2?"},
  };
  for (const auto& row : rows) {
    const auto recoding = charsets.find(row.from, row.to);
    REQUIRE(recoding);
    for (std::size_t piece = 1; piece <= row.text.size(); ++piece) {
      CAPTURE(row.want);
      CAPTURE(piece);
      Recoder recoder(recoding);
      std::string out = "before ";
      for (std::size_t at = 0; at < row.text.size(); at += piece) {
        recoder.write(std::string_view(row.text).substr(at, piece), out);
      }
      recoder.write({}, out);
      CHECK(out == "before " + row.want);
    }
  }
}

TEST_CASE("only UTF-8 changes the length") {
  const auto charsets = make();
  CHECK(Recoder(charsets.find("utf-8", "koi8-r")).changes_length());
  CHECK(Recoder(charsets.find("koi8-r", "utf-8")).changes_length());
  CHECK_FALSE(Recoder(charsets.find("koi8-r", "windows-1251")).changes_length());
}

TEST_CASE("lines of a map") {
  CharsetMap utf("x", "UTF-8");
  CharsetMap plain("x", "y");
  struct Row {
    const char* first;
    const char* second;
    bool utf;
    bool plain;
  };
  const Row rows[] = {
      {"80", "D0B0", true, false},      {"80", "E282AC", true, false},
      {"80", "F09F9880", false, false}, {"80", "41", false, true},
      {"80", "D0B", false, false},      {"80", "", false, false},
      {"80", "D041", false, false},     {"80", "xy", false, false},
      {"100", "D0B0", false, false},    {"", "D0B0", false, false},
      {"0x80", "D0B0", false, false},   {"8", "D0B0", true, false},
      {"080", "C3A4", true, false},     {"80", "FF", false, true},
      {"80", "100", false, false},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.first));
    CAPTURE(std::string(row.second));
    CHECK(utf.add(row.first, row.second) == row.utf);
    CHECK(plain.add(row.first, row.second) == row.plain);
  }
}

TEST_CASE("maps between charsets") {
  auto charsets = make();
  using Outcome = Charsets::Outcome;
  const auto add = [&](const char* first, const char* second) {
    return charsets.add(std::make_shared<CharsetMap>(first, second));
  };
  CHECK(add("a", "A") == Outcome::same);
  CHECK(add("Utf-8", "x") == Outcome::utf8_first);
  CHECK(add("KOI8-R", "UTF-8") == Outcome::duplicate);
  CHECK(add("windows-1251", "koi8-r") == Outcome::duplicate);
  CHECK(add("windows-1251", "utf-8") == Outcome::ok);
  CHECK(charsets.knows("WINDOWS-1251"));
  CHECK(charsets.knows("ISO-8859-1"));
  CHECK_FALSE(charsets.knows("x"));
  CHECK_FALSE(charsets.find("koi8-r", "iso-8859-1"));
  CHECK_FALSE(charsets.find("koi8-r", "koi8-r"));
}

TEST_CASE("what an answer is declared in") {
  const auto charsets = make();
  const auto types = TypeSet::charset_defaults();
  struct Row {
    const char* what;
    CharsetQuestion question;
    Action action;
    const char* charset = "";
    bool unmapped = false;
  };
  const auto type = [](const char* value) { return parse_content_type(value); };
  const Row rows[] = {
      {"off", {.type = type("text/html")}, Action::leave},
      {"on", {.charset = "utf-8", .type = type("text/html")}, Action::declare, "utf-8"},
      {"other type", {.charset = "utf-8", .type = type("image/png")}, Action::leave},
      {"no type", {.charset = "utf-8"}, Action::leave},
      {"has one already",
       {.charset = "utf-8", .type = type("text/html; charset=koi8-r")},
       Action::leave},
      {"overridden",
       {.charset = "utf-8", .override_charset = true, .type = type("text/html; charset=koi8-r")},
       Action::recode,
       "utf-8"},
      {"overridden, of any type",
       {.charset = "utf-8", .override_charset = true, .type = type("x/y; charset=koi8-r")},
       Action::recode,
       "utf-8"},
      {"overridden by the same",
       {.charset = "utf-8", .override_charset = true, .type = type("text/html; charset=UTF-8")},
       Action::declare,
       "utf-8"},
      {"from the source",
       {.charset = "koi8-r", .source = "utf-8", .type = type("text/html")},
       Action::recode,
       "koi8-r"},
      {"the source is the same",
       {.charset = "koi8-r", .source = "KOI8-R", .type = type("text/html")},
       Action::declare,
       "koi8-r"},
      {"compressed",
       {.charset = "koi8-r", .source = "utf-8", .type = type("text/html"), .encoded = true},
       Action::leave},
      {"compressed, not recoded",
       {.charset = "koi8-r", .type = type("text/html"), .encoded = true},
       Action::declare,
       "koi8-r"},
      {"no map",
       {.charset = "koi8-r", .source = "iso-8859-1", .type = type("text/html")},
       Action::leave,
       "",
       true},
      {"unknown",
       {.charset = "koi8-r", .source = "x", .type = type("text/html")},
       Action::leave,
       "",
       true},
      {"unknown and the same",
       {.charset = "x", .source = "X", .type = type("text/html")},
       Action::declare,
       "x"},
      {"a redirect",
       {.charset = "utf-8", .status = 302, .type = type("text/html")},
       Action::declare,
       ""},
      {"another redirect",
       {.charset = "utf-8", .status = 307, .type = type("text/html")},
       Action::declare,
       "utf-8"},
      {"X-Accel-Charset",
       {.type = type("image/png"), .accel = "koi8-r"},
       Action::declare,
       "koi8-r"},
      {"X-Accel-Charset recodes",
       {.type = type("text/html; charset=windows-1251"), .accel = "koi8-r"},
       Action::recode,
       "koi8-r"},
      {"empty X-Accel-Charset",
       {.charset = "utf-8", .type = type("text/html"), .accel = ""},
       Action::declare,
       "utf-8"},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.what));
    auto question = row.question;
    question.charsets = &charsets;
    question.types = &types;
    const auto decision = decide_charset(question);
    CHECK(decision.action == row.action);
    CHECK(std::string(decision.charset) == row.charset);
    CHECK(decision.unmapped == row.unmapped);
    CHECK(static_cast<bool>(decision.recoding) == (row.action == Action::recode));
  }
  const auto unknown = decide_charset({.charsets = &charsets,
                                       .types = &types,
                                       .charset = "utf-8",
                                       .type = type("text/html"),
                                       .accel = "x"});
  CHECK(unknown.action == Action::leave);
  CHECK(unknown.unknown_accel);
}
