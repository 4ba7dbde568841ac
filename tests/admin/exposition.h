// A strict reader of Prometheus's text format 0.0.4, for tests.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace weir::admin::test {

struct Exposition {
  using Labels = std::map<std::string, std::string>;
  struct Sample {
    std::string name;
    Labels labels;
    double value = 0;
  };
  std::map<std::string, std::string> help;
  std::map<std::string, std::string> type;
  std::vector<Sample> samples;
  std::vector<std::string> errors;

  [[nodiscard]] std::optional<double> find(const std::string& name, const Labels& labels) const {
    for (const auto& sample : samples) {
      if (sample.name == name && sample.labels == labels) return sample.value;
    }
    return std::nullopt;
  }
};

class ExpositionReader {
 public:
  static Exposition read(const std::string& text) {
    ExpositionReader reader;
    if (!text.empty() && text.back() != '\n') reader.result_.errors.push_back("no last newline");
    std::istringstream in(text);
    std::string line;
    while (std::getline(in, line)) {
      if (!reader.read_line(line)) reader.result_.errors.push_back(line);
    }
    return reader.result_;
  }

 private:
  bool read_line(const std::string& line) {
    if (line.starts_with("# HELP ")) return read_meta(line.substr(7), result_.help);
    if (line.starts_with("# TYPE ")) return read_meta(line.substr(7), result_.type);
    Exposition::Sample sample;
    std::size_t at = 0;
    sample.name = read_name(line, at);
    if (sample.name.empty()) return false;
    if (at < line.size() && line[at] == '{' && !read_labels(line, ++at, sample.labels)) {
      return false;
    }
    if (at >= line.size() || line[at] != ' ') return false;
    std::size_t used = 0;
    const std::string number = line.substr(at + 1);
    try {
      sample.value = std::stod(number, &used);
    } catch (const std::exception&) {
      return false;
    }
    result_.samples.push_back(std::move(sample));
    return used == number.size();
  }

  static bool read_meta(const std::string& rest, std::map<std::string, std::string>& into) {
    const auto space = rest.find(' ');
    if (space == std::string::npos) return false;
    return into.emplace(rest.substr(0, space), rest.substr(space + 1)).second;  // each once
  }

  static std::string read_name(const std::string& line, std::size_t& at) {
    const auto start = at;
    while (at < line.size() &&
           (std::isalnum(static_cast<unsigned char>(line[at])) != 0 || line[at] == '_')) {
      ++at;
    }
    return line.substr(start, at - start);
  }

  static bool read_labels(const std::string& line, std::size_t& at, Exposition::Labels& labels) {
    for (;;) {
      if (at < line.size() && line[at] == '}') return ++at, true;
      const std::string name = read_name(line, at);
      if (name.empty() || line.compare(at, 2, "=\"") != 0) return false;
      at += 2;
      std::string value;
      for (; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] != '\\') {
          value += line[at];
        } else if (++at >= line.size() ||
                   std::string("\\\"n").find(line[at]) == std::string::npos) {
          return false;
        } else {
          value += line[at] == 'n' ? '\n' : line[at];
        }
      }
      if (at >= line.size() || !labels.emplace(name, value).second) return false;
      ++at;
      if (at < line.size() && line[at] == ',') ++at;
    }
  }

  Exposition result_;
};

}  // namespace weir::admin::test
