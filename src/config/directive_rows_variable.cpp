// Blocks that make variables, and other tables.
#include "config/directive_rows.h"
#include "config/handlers.h"

namespace weir::config {
namespace {

using namespace rows;

// What stands in the block is read by the handler; the rows of words are for the reference page.
constexpr DirectiveInfo kRows[] = {
    {.name = "map",
     .contexts = H,
     .min_args = 2,
     .max_args = 2,
     .flags = kBlock | kRepeats | kEntries | kNamed,
     .handler = compile_map,
     .help = "a variable whose value depends on another's",
     .positional = "source",
     .yaml_name = "maps",
     .inner = in_map},
    {"default", in_map | in_geo, 1, 1, 0, nullptr, "\"\"", "value if nothing matches"},
    {"hostnames", in_map, 0, 0, 0, nullptr, "", "keys are host names, with wildcards"},
    {"volatile", in_map | in_geo, 0, 0, 0, nullptr, "", "the value is worked out anew each time"},
    {.name = "geo",
     .contexts = H,
     .min_args = 1,
     .max_args = 2,
     .flags = kBlock | kRepeats | kEntries | kNamed,
     .handler = compile_geo,
     .help = "a variable whose value depends on an address",
     .positional = "source",
     .yaml_name = "geos",
     .inner = in_geo,
     .entries = "networks"},
    {"ranges", in_geo, 0, 0, 0, nullptr, "", "keys are ranges: 10.0.0.1-10.0.0.9"},
    {"delete", in_geo, 1, 1, 0, nullptr, "", "takes a network or range out again"},
    {"proxy", in_geo, 1, 1, 0, nullptr, "", "address or network whose X-Forwarded-For is believed"},
    {"proxy_recursive", in_geo, 0, 0, 0, nullptr, "",
     "skip all such addresses of the field, from its end"},
    {.name = "split_clients",
     .contexts = H,
     .min_args = 2,
     .max_args = 2,
     .flags = kBlock | kRepeats | kEntries | kNamed,
     .handler = compile_split_clients,
     .help = "a variable whose value is chosen by a hash of a text: PERCENT% VALUE; * VALUE",
     .positional = "source",
     .yaml_name = "split_clients",
     .inner = in_split_clients,
     .entries = "parts"},
    {.name = "charset_map",
     .contexts = H,
     .min_args = 2,
     .max_args = 2,
     .flags = kBlock | kRepeats | kEntries,
     .handler = compile_charset_map,
     .help = "bytes of one charset in another, in hexadecimal",
     .positional = "from to",
     .yaml_name = "charset_maps",
     .inner = in_charset_map,
     .entries = "bytes"},
};

}  // namespace

std::span<const DirectiveInfo> variable_rows() { return kRows; }

}  // namespace weir::config
