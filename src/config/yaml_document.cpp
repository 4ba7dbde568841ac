#include "config/yaml_document.h"

#include <yaml-cpp/eventhandler.h>

#include <sstream>

namespace weir::config {
namespace {

constexpr std::size_t kMaxText = 2u << 20;  // bytes of one file

// Hears where a document starts and nothing else.
struct DocumentStart final : YAML::EventHandler {
  YAML::Mark mark;
  void OnDocumentStart(const YAML::Mark& at) override { mark = at; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

}  // namespace

YAML::Node load_document(const std::string& text) {
  if (text.size() > kMaxText) {
    throw YAML::ParserException(
        YAML::Mark::null_mark(),
        "the file is larger than " + std::to_string(kMaxText >> 20) + " MiB");
  }
  // Not YAML::LoadAll: it does not end on "{a},b" (yaml-cpp 0.7).
  std::istringstream in(text);
  YAML::Parser parser(in);
  DocumentStart first;
  DocumentStart second;
  if (parser.HandleNextDocument(first) && parser.HandleNextDocument(second)) {
    throw YAML::ParserException(second.mark,
                                "text after the end of the document; keep one document");
  }
  return YAML::Load(text);
}

}  // namespace weir::config
