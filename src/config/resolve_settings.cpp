// Settings that are not inherited whole.
#include "config/resolve.h"

namespace weir::config {
namespace {

// Lists of fields. With `merge` the outer level's come behind the own ones.
template <class List>
void inherit_fields(std::optional<List>& own, const std::optional<List>& outer,
                    HeaderInherit inherit) {
  if (inherit == HeaderInherit::off && !own) own.emplace();
  if (inherit != HeaderInherit::merge || !outer || !own) return;
  own->insert(own->end(), outer->begin(), outer->end());
}

HeaderInherit rule(const std::optional<HeaderInherit>& own,
                   const std::optional<HeaderInherit>& outer) {
  return own.value_or(outer.value_or(HeaderInherit::on));
}

}  // namespace

void inherit_parts(Settings& own, const Settings& outer) {
  inherit_fields(own.add_header, outer.add_header,
                 rule(own.add_header_inherit, outer.add_header_inherit));
  inherit_fields(own.add_trailer, outer.add_trailer,
                 rule(own.add_trailer_inherit, outer.add_trailer_inherit));
  if (own.keepalive_timeout && outer.keepalive_timeout && !own.keepalive_timeout->header) {
    own.keepalive_timeout->header = outer.keepalive_timeout->header;
  }
  // secure_link and secure_link_md5 come from different levels, if need be.
  if (own.secure_link && outer.secure_link && own.secure_link->secret.empty()) {
    if (own.secure_link->link.empty()) own.secure_link->link = outer.secure_link->link;
    if (own.secure_link->md5.empty()) own.secure_link->md5 = outer.secure_link->md5;
  }
  if (own.valid_referers && outer.valid_referers && own.valid_referers->patterns.empty()) {
    own.valid_referers->patterns = outer.valid_referers->patterns;
  }
}

}  // namespace weir::config
