#include "config/nginx_parser.h"

#include <algorithm>
#include <vector>

#include "config/nginx_lexer.h"
#include "config/suggest.h"

namespace weir::config {
namespace {

using File = std::shared_ptr<const std::string>;

class Parser {
 public:
  Parser(Sources& sources, Diagnostics& diagnostics)
      : sources_(sources), diagnostics_(diagnostics) {}

  void file(const File& name, const std::string& text, std::size_t nesting, Block& out) {
    including_.push_back(name);
    NginxLexer lexer(text);
    block(name, lexer, nesting, nullptr, out);
    including_.pop_back();
  }

 private:
  // Reads directives up to the end of the file, or of the block opened by `opener`. False after a
  // mistake that makes the rest of the file unreadable.
  bool block(const File& name, NginxLexer& lexer, std::size_t nesting, const Directive* opener,
             Block& out) {
    Directive directive;
    bool started = false;
    while (true) {
      Token token = lexer.next();
      const Position at{name, token.line, token.column};
      switch (token.kind) {
        case Token::Kind::word:
          add_word(directive, started, std::move(token), at);
          break;
        case Token::Kind::semicolon:
          if (!started) return stop(at, "unexpected \";\"");
          if (!finish(directive, nesting, out)) return false;
          directive = {};
          started = false;
          break;
        case Token::Kind::open:
          if (!started) return stop(at, "unexpected \"{\"");
          if (!open(name, lexer, nesting, directive, out)) return false;
          directive = {};
          started = false;
          break;
        case Token::Kind::close:
          if (started)
            return stop(at, "unexpected \"}\"; " + quote(directive.name) + " lacks a \";\"");
          if (opener == nullptr) return stop(at, "unexpected \"}\"; no block is open here");
          return true;
        case Token::Kind::end:
          return end(at, opener, started ? &directive : nullptr);
        case Token::Kind::error:
          return stop(at, token.text);
      }
    }
  }

  static void add_word(Directive& directive, bool& started, Token token, const Position& at) {
    if (!started) {
      directive.name = std::move(token.text);
      directive.position = at;
      started = true;
    } else {
      directive.args.push_back({std::move(token.text), at, token.quoted});
    }
  }

  bool open(const File& name, NginxLexer& lexer, std::size_t nesting, Directive& directive,
            Block& out) {
    if (nesting >= Sources::kMaxNesting) {
      return stop(directive.position,
                  "blocks are nested more than " + std::to_string(Sources::kMaxNesting) + " deep");
    }
    if (!counted(directive.position)) return false;
    directive.has_block = true;
    const bool ok = block(name, lexer, nesting + 1, &directive, directive.block);
    out.push_back(std::move(directive));
    return ok;
  }

  bool finish(Directive& directive, std::size_t nesting, Block& out) {
    if (!counted(directive.position)) return false;
    if (directive.name == "include" && directive.args.size() == 1) {
      include(directive, nesting, out);
    } else {
      out.push_back(std::move(directive));
    }
    return !diagnostics_.full();
  }

  void include(const Directive& directive, std::size_t nesting, Block& out) {
    if (including_.size() > Sources::kMaxIncludeDepth) {
      diagnostics_.error(directive.position, "include: files include each other more than " +
                                                 std::to_string(Sources::kMaxIncludeDepth) +
                                                 " deep");
      return;
    }
    for (const auto& path : sources_.expand(directive.args[0].text)) {
      const auto again = std::find_if(including_.begin(), including_.end(),
                                      [&](const File& open) { return *open == path; });
      if (again != including_.end()) {
        diagnostics_.error(directive.position,
                           "include: " + quote(path) + " includes itself; remove one of the two");
        return;
      }
      std::string text;
      std::string error;
      if (!sources_.read(path, text, error)) {
        diagnostics_.error(directive.position,
                           "include: cannot read " + quote(path) + ": " + error);
        continue;
      }
      file(std::make_shared<const std::string>(path), text, nesting, out);
    }
  }

  bool end(const Position& at, const Directive* opener, const Directive* unfinished) {
    if (unfinished != nullptr) {
      return stop(unfinished->position,
                  quote(unfinished->name) + " lacks a \";\"; the file ends inside it");
    }
    if (opener == nullptr) return true;
    return stop(at, "unexpected end of file, expecting \"}\" for the " + quote(opener->name) +
                        " opened in line " + std::to_string(opener->position.line));
  }

  bool counted(const Position& at) {
    if (sources_.count_directive()) return true;
    return stop(at, "more than " + std::to_string(Sources::kMaxDirectives) + " directives");
  }

  bool stop(const Position& at, const std::string& message) {
    diagnostics_.error(at, message);
    return false;
  }

  Sources& sources_;
  Diagnostics& diagnostics_;
  std::vector<File> including_;  // from the main file to the one being read
};

}  // namespace

void parse_nginx(const File& file, const std::string& text, Sources& sources,
                 Diagnostics& diagnostics, Block& out) {
  Parser(sources, diagnostics).file(file, text, 0, out);
}

}  // namespace weir::config
