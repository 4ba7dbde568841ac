#include "main/process_title.h"

#include <algorithm>
#include <cstring>
#include <vector>

extern char** environ;

namespace weir::main {
namespace {

// The kernel tells others what stands in this place of the process.
char* place = nullptr;
std::size_t room = 0;

}  // namespace

void prepare_process_title(int argc, char** argv) {
  if (argc < 1) return;
  char* end = argv[0];
  const auto extend = [&](char* text) {
    if (text == end) end = text + std::strlen(text) + 1;
  };
  for (int i = 0; i < argc; ++i) extend(argv[i]);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    extend(*entry);
    // For as long as the process lives, also what is taken out of the environment.
    static auto* const kept = new std::vector<char*>;
    kept->push_back(::strdup(*entry));
    *entry = kept->back();
  }
  place = argv[0];
  room = static_cast<std::size_t>(end - place);
}

void set_process_title(const std::string& title) {
  if (room < 2) return;
  const auto size = std::min(title.size(), room - 1);
  std::memset(place, 0, room);
  std::memcpy(place, title.data(), size);
}

}  // namespace weir::main
