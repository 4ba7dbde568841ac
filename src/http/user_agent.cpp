#include "http/user_agent.h"

namespace weir::http {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

UserAgent parse_user_agent(std::string_view field) {
  UserAgent agent;
  agent.opera = has(field, "Opera");
  if (agent.opera) return agent;
  if (const auto at = field.find("MSIE "); at != std::string_view::npos && at + 7 < field.size()) {
    const char version = field[at + 5];
    agent.msie = true;
    agent.msie6 = field[at + 6] == '.' && (version == '4' || version == '5' ||
                                           (version == '6' && !has(field.substr(at + 8), "SV1")));
    return agent;
  }
  if (has(field, "Gecko/")) {
    agent.gecko = true;
  } else if (has(field, "Chrome/")) {
    agent.chrome = true;
  } else if (has(field, "Safari/") && has(field, "Mac OS X")) {
    agent.safari = true;
  } else {
    agent.konqueror = has(field, "Konqueror");
  }
  return agent;
}

}  // namespace weir::http
