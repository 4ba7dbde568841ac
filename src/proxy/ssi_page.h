// A page with server side includes while it is made into an answer: its text as it came, and the
// commands in it, carried out one after the other for the exchange that it answers. Owned by that
// exchange; worker thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "content/ssi.h"

namespace weir::proxy {

class Exchange;

// What the pages of a request have in common, the included ones too. Part of the main exchange.
struct SsiShared {
  static constexpr std::uint32_t kMaxIncludes = 10000;

  std::map<std::string, std::string, std::less<>> variables;  // names in lower case
  std::vector<std::pair<std::string, std::string>> blocks;    // name and text
  std::vector<std::string> groups;  // of the last regular expression that matched
  std::uint32_t includes = 0;       // so far

  [[nodiscard]] const std::string* block(std::string_view name) const;
};

// An include that a page asks for.
struct SsiInclude {
  std::string path;
  std::string args;
  std::optional<std::string> set;   // the variable that the body goes to, in lower case
  std::optional<std::string> stub;  // the text in place of a body that is empty or an error
  bool wait = false;                // the page goes on when its body has been sent
};

class SsiPage {
 public:
  // A page that is larger is not answered.
  static constexpr std::size_t kMaxSize = 64 << 20;

  explicit SsiPage(Exchange& exchange) : x_(exchange) {}
  SsiPage(const SsiPage&) = delete;
  SsiPage& operator=(const SsiPage&) = delete;

  // Bytes of the page, as they come.
  void take(std::string_view bytes);
  void end() { complete_ = true; }
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] bool too_large() const { return too_large_; }

  enum class Stop : std::uint8_t {
    pause,    // there is a good deal to send, and more to come
    include,  // include() says what is to be included here
    end,
  };
  // Goes on with the page, and appends what it makes to `out`.
  Stop run(std::string& out);
  [[nodiscard]] SsiInclude& include() { return include_; }
  // The text in place of a command that failed.
  void append_error(std::string& out) const;
  // Of $date_local and $date_gmt.
  [[nodiscard]] std::string_view time_format() const { return time_format_; }

 private:
  enum class Branch : std::uint8_t { none, when, otherwise };
  enum class Encoding : std::uint8_t { none, url, entity };
  using Arguments = content::SsiArguments;

  // False: it failed, and `problem_` says why.
  bool execute(const content::SsiPiece& piece, std::string& out);
  bool carry_out(content::SsiCommand command, const Arguments& arguments, std::string& out);
  bool prepare_include(const Arguments& arguments);
  bool echo(const Arguments& arguments, std::string& out);
  bool set(const Arguments& arguments);
  bool choose(content::SsiCommand command, std::string_view expression);
  bool matches(const std::string& pattern, const std::string& text, bool& result);
  bool expand(std::string_view text, std::string& out);
  // False: there is no such variable.
  bool find(std::string_view name, std::string& out);
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  Exchange& x_;
  std::string text_;
  bool complete_ = false;
  bool too_large_ = false;
  std::optional<content::SsiReader> reader_;
  content::SsiPiece piece_;
  std::string problem_;
  SsiInclude include_;
  bool includes_ = false;  // the command that has been carried out is an include

  Branch branch_ = Branch::none;
  bool chosen_ = false;  // a branch of this `if`
  bool output_ = true;
  bool in_block_ = false;
  std::size_t block_ = 0;                 // that one, in SsiShared::blocks
  Encoding encoding_ = Encoding::entity;  // stays from echo to echo
  std::string time_format_{content::kSsiTimeFormat};
  std::string error_text_ = "[an error occurred while processing the directive]";
};

}  // namespace weir::proxy
