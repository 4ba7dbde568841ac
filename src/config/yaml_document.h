// The one document of a YAML file, as yaml-cpp's nodes. One thread.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

namespace weir::config {

// Throws YAML::Exception if the text is too large, is not YAML, or has more than one document.
[[nodiscard]] YAML::Node load_document(const std::string& text);

}  // namespace weir::config
