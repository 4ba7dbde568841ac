// Loads configurations from text, with files of the test's own in place of the file system.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/print.h"

namespace weir::config::testing {

using Files = std::map<std::string, std::string>;

inline LoadOptions options(const Files& files = {}) {
  LoadOptions result;
  result.read_file = [files](const std::string& path, std::string& content, std::string& error) {
    const auto found = files.find(path);
    if (found == files.end()) {
      error = "No such file or directory";
      return false;
    }
    content = found->second;
    return true;
  };
  result.read_secret = result.read_file;
  // "dir/*": all files of the directory.
  result.glob = [files](const std::string& pattern) {
    std::vector<std::string> paths;
    for (const auto& [path, content] : files) {
      const auto star = pattern.find('*');
      if (path.starts_with(pattern.substr(0, star)) && path.ends_with(pattern.substr(star + 1))) {
        paths.push_back(path);
      }
    }
    return paths;
  };
  // Host names: localhost, and "two.example" with two addresses.
  result.resolve = [](const std::string& host, std::string& error) -> std::vector<IpAddress> {
    if (host == "localhost") return {*IpAddress::parse("127.0.0.1")};
    if (host == "two.example")
      return {*IpAddress::parse("192.0.2.1"), *IpAddress::parse("2001:db8::2")};
    error = "no such host";
    return {};
  };
  return result;
}

// All errors and warnings, a line each.
inline std::string problems(const LoadResult& result) {
  std::string out;
  for (const auto& diagnostic : result.diagnostics) {
    if (!out.empty()) out += "\n";
    out += diagnostic.text();
  }
  return out;
}

inline std::string problems_of(const std::string& text, const Files& files = {}) {
  return problems(load_text("t", text, options(files)));
}

// The model as lines without indentation; its problems if it does not load.
inline std::string model_of(const std::string& text, const Files& files = {}) {
  const auto result = load_text("/etc/weir/t", text, options(files));
  if (!result.model) return problems(result);
  std::string out;
  bool start = true;
  for (const char c : print(*result.model)) {
    if (start && c == ' ') continue;
    start = c == '\n';
    out += c;
  }
  return "\n" + out;
}

// Whether `line` is one of the lines of `model`.
inline bool has_line(const std::string& model, const std::string& line) {
  return model.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace weir::config::testing
