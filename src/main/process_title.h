// What ps shows: "nginx: master process /usr/sbin/nginx -c ...". One thread, before there are
// others.
#pragma once

#include <string>

namespace weir::main {

// Call once, with main's own argv: moves the environment away, whose place the title may need.
void prepare_process_title(int argc, char** argv);
// Cut where there is no more room.
void set_process_title(const std::string& title);

}  // namespace weir::main
