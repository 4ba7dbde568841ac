// From a file to a model: read, parse either syntax (told by the content), check, compile.
// One thread (the control thread, or main at start). Opens files named by `include`; no sockets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "config/tree.h"
#include "tls/shared_state.h"

namespace weir::config {

struct Diagnostic {
  enum class Severity : std::uint8_t { note, warning, error };
  Severity severity = Severity::error;
  Position position;
  std::string message;  // "directive: what is wrong; what to do"
  // "file:line:col: error: message".
  [[nodiscard]] std::string text() const;
};

// What a server makes of its `ssl_stapling_file`.
struct StapleUse {
  std::string path;
  std::vector<std::string> certificates;  // paths of those of the server
  std::string fault;                      // why it is not sent; empty: it is
};

struct LoadResult {
  std::shared_ptr<const Model> model;   // null if there is an error
  std::vector<Diagnostic> diagnostics;  // in order; errors, warnings
  std::vector<StapleUse> staples;       // of a model
};

// The directives of a file and of those it includes, as they are written.
struct ParseResult {
  Block tree;
  Dialect dialect = Dialect::nginx;     // of the file
  std::string directory;                // of the file; ends with '/', or is empty
  std::vector<Diagnostic> diagnostics;  // as of a LoadResult
  [[nodiscard]] bool failed() const;    // there is an error
};

struct LoadOptions {
  std::string prefix = "/etc/weir/";  // base of relative log and pid paths; ends with '/'
  std::string global_directives;      // -g: nginx syntax, in main context
  // The access log of a configuration in nginx's dialect that names none; empty: off.
  std::string access_log;
  // Reads a file; replaced by tests. False if it can't be read; `error` says why.
  // Empty: the file system.
  std::function<bool(const std::string& path, std::string& content, std::string& error)> read_file;
  // The same for files whose contents are nobody else's business: keys, passwords; certificates.
  std::function<bool(const std::string& path, std::string& content, std::string& error)>
      read_secret;
  // What a file that weir keeps itself held when it could last be used: asked when it is lost.
  // False: that is not known. Empty: nothing is.
  std::function<bool(const std::string& path, std::string& content)> kept_before;
  // Sessions of TLS that outlive a configuration. Null: they end with it.
  std::shared_ptr<tls::SharedState> tls;
  // The paths that match a pattern of `include`, sorted. Empty: the file system.
  std::function<std::vector<std::string>(const std::string& pattern)> glob;
  // The addresses of a host, for `listen` and others that need them at once; empty: `error` says
  // why there are none. Empty: the system's resolver.
  std::function<std::vector<IpAddress>(const std::string& host, std::string& error)> resolve;
};

// The file system's part of LoadOptions, for hooks that record or replay it.
[[nodiscard]] bool read_file(const std::string& path, std::string& content, std::string& error);
[[nodiscard]] std::vector<std::string> glob_files(const std::string& pattern);

// Loads the configuration file at `path`. Never throws on bad input.
[[nodiscard]] LoadResult load(const std::string& path, const LoadOptions& options);

// The same from text; `name` stands for the file in messages.
[[nodiscard]] LoadResult load_text(const std::string& name, const std::string& text,
                                   const LoadOptions& options);

// The two steps of `load`, for who needs the directives: reading, and what they mean.
[[nodiscard]] ParseResult parse(const std::string& path, const LoadOptions& options);
[[nodiscard]] ParseResult parse_text(const std::string& name, const std::string& text,
                                     const LoadOptions& options);
[[nodiscard]] LoadResult compile(const ParseResult& parsed, const LoadOptions& options);

}  // namespace weir::config
