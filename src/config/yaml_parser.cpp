#include "config/yaml_parser.h"
namespace weir::config {
void parse_yaml(const std::shared_ptr<const std::string>& file, const std::string&, Sources&,
                Diagnostics& diagnostics, Block&) {
  diagnostics.error({file, 1, 1}, "YAML is not read yet");
}
}  // namespace weir::config
