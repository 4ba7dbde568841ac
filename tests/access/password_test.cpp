#include "access/password.h"

#include <doctest/doctest.h>

#include <string>

#include "access/base64.h"
#include "access/basic.h"
#include "access/digest.h"

using namespace weir::access;

TEST_CASE("base64 is read as nginx reads it") {
  struct Row {
    const char* text;
    const char* want;  // null: refused
  };
  const Row rows[] = {
      {"", ""},
      {"YQ==", "a"},
      {"YQ", "a"},
      {"YWI=", "ab"},
      {"YWI", "ab"},
      {"YWJj", "abc"},
      {"YWJjZA==", "abcd"},
      {"YR==", "a"},
      {"YWJj=junk!", "abc"},
      {"YWJjZ", nullptr},
      {"Y", nullptr},
      {"YW Jj", nullptr},
      {"YWJj\n", nullptr},
      {"=", ""},
      {"/+8=", "\xff\xef"},
      {"_-8=", nullptr},
  };
  std::string out = "before";
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const bool ok = decode_base64(row.text, Alphabet::standard, out);
    CHECK(ok == (row.want != nullptr));
    if (ok && row.want) CHECK(out == row.want);
  }
  CHECK(decode_base64("_-8", Alphabet::url, out));
  CHECK(out == "\xff\xef");
  CHECK_FALSE(decode_base64("/+8", Alphabet::url, out));
}

TEST_CASE("base64 is written with padding, and read back") {
  CHECK(encode_base64("") == "");
  CHECK(encode_base64("a") == "YQ==");
  CHECK(encode_base64("ab") == "YWI=");
  CHECK(encode_base64("abc") == "YWJj");
  CHECK(encode_base64("\xff\xef") == "/+8=");
  std::string bytes, back;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(static_cast<char>(i * 7));
    REQUIRE(decode_base64(encode_base64(bytes), Alphabet::standard, back));
    REQUIRE(back == bytes);
  }
}

TEST_CASE("digests") {
  std::string out(kMd5Size, '\0');
  REQUIRE(md5({"a", "", "bc"}, out.data()));
  CHECK(encode_base64(out) == "kAFQmDzST7DWlj99KOF/cg==");
  out.assign(kSha1Size, '\0');
  REQUIRE(sha1({"abc"}, out.data()));
  CHECK(encode_base64(out) == "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
}

TEST_CASE("a password matches what was made of it, and no other does") {
  for (const char* stored :
       {"sa3tHJ3/KuYvI",  // DES
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0", "$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.", "{PLAIN}password",
        "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0",
        "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",  // no salt
        "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCel"
        "DCy.g."}) {
    CAPTURE(stored);
    CHECK(verify_password("password", stored) == PasswordVerdict::match);
    for (const char* wrong : {"123", "Password", "passwor", "passw0rd", ""}) {
      CAPTURE(wrong);
      CHECK(verify_password(wrong, stored) == PasswordVerdict::mismatch);
    }
    CHECK(verify_password(std::string_view("password\0", 9), stored) == PasswordVerdict::mismatch);
  }
}

TEST_CASE("salts and passwords of all sizes for Apache's method") {
  CHECK(verify_password("a much longer password than sixteen bytes",
                        "$apr1$abcdefgh$Eqv4oIyMsS.tjfvQCJYY1/") == PasswordVerdict::match);
  CHECK(verify_password("", "$apr1$x$tMwYqBfQwi3FYAr0aJc8M/") == PasswordVerdict::match);
}

TEST_CASE("what is stored wrongly matches nothing") {
  for (const char* stored : {"", "x", "$1$", "$apr1$", "$apr1$salt", "{PLAIN}", "{SHA}",
                             "{SHA}Zm9vCg==", "{SHA}_____Mm5Pz8GgiULbPgzG37mj9g=", "{SSHA}",
                             "{SSHA}Zm9vCg==", "{SSHA}_____wQadOA1e+/f+T+H3eCQQhRzYWx0", "*0", "*1",
                             "!", "{sha}W6ph5Mm5Pz8GgiULbPgzG37mj9g="}) {
    CAPTURE(stored);
    CHECK(verify_password("1", stored) == PasswordVerdict::mismatch);
    CHECK(verify_password("password", stored) == PasswordVerdict::mismatch);
  }
  CHECK(verify_password("", "{PLAIN}") == PasswordVerdict::match);
}

TEST_CASE("users are found by their whole name") {
  const char* file =
      "# comment:x\n"
      "\n"
      "alice:secret\r\n"
      "al:short:a comment\n"
      "alice:second\n"
      "noline\n"
      " bob:indented\n"
      "empty:\n"
      "last:{PLAIN}x";
  struct Row {
    const char* user;
    const char* want;  // null: not there
  };
  const Row rows[] = {{"alice", "secret"},    {"al", "short"},     {"alic", nullptr},
                      {"alice2", nullptr},    {"noline", nullptr}, {"bob", nullptr},
                      {" bob", "indented"},   {"empty", ""},       {"last", "{PLAIN}x"},
                      {"# comment", nullptr}, {"x", nullptr},      {"ALICE", nullptr}};
  for (const auto& row : rows) {
    CAPTURE(row.user);
    const auto found = find_user(file, row.user);
    CHECK(found.has_value() == (row.want != nullptr));
    if (found && row.want) CHECK(std::string(*found) == row.want);
  }
  CHECK_FALSE(find_user("", "a").has_value());
  CHECK(find_user("alic\nalice:x\n", "alice") == "x");
}

TEST_CASE("credentials of the Basic scheme") {
  struct Row {
    const char* field;
    const char* user;  // null: none
    const char* password = "";
  };
  const Row rows[] = {
      {"Basic YWxpY2U6c2VjcmV0", "alice", "secret"},
      {"bAsIc   YWxpY2U6c2VjcmV0", "alice", "secret"},
      {"Basic YWxpY2U6YTpi", "alice", "a:b"},
      {"Basic YWxpY2U6", "alice", ""},
      {"Basic YWxpY2U", nullptr},       // no colon
      {"Basic OnNlY3JldA==", nullptr},  // no name
      {"Basic", nullptr},
      {"Basic ", nullptr},
      {"Basic    ", nullptr},
      {"Basic\tYWxpY2U6c2VjcmV0", nullptr},
      {"Bearer YWxpY2U6c2VjcmV0", nullptr},
      {"Basic YWxpY2U6c2VjcmV0!", nullptr},
      {"", nullptr},
  };
  for (const auto& row : rows) {
    CAPTURE(row.field);
    const auto found = parse_basic(row.field);
    CHECK(found.has_value() == (row.user != nullptr));
    if (found && row.user) {
      CHECK(found->user == row.user);
      CHECK(found->password == row.password);
    }
  }
  CHECK(basic_challenge("closed site") == "Basic realm=\"closed site\"");
}
