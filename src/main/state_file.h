// The file of what operators have set at run time. Written by the process that may: the master, or
// the only one. Texts only: what they say is admin/state_text.h's affair.
#pragma once

#include <string>

namespace weir::main {

// Empty if there is no file, or it cannot be read: then `error` says why.
[[nodiscard]] std::string read_state_file(const std::string& path, std::string& error);

// Replaces the file at once, so that whoever reads it, after a crash of the machine, too, finds the
// old text or the new one; no text: no file. Empty, or what is wrong.
[[nodiscard]] std::string write_state_file(const std::string& path, const std::string& text);

// The text with the file that keeps it. Owned by one thread.
class KeptState {
 public:
  [[nodiscard]] const std::string& text() const { return text_; }
  // Each: empty, or what is wrong.
  [[nodiscard]] std::string load(const std::string& path);
  [[nodiscard]] std::string save(const std::string& text);
  // Another file, if that is another one; the old one stays.
  [[nodiscard]] std::string move_to(const std::string& path);

 private:
  std::string text_;
  std::string path_;
};

}  // namespace weir::main
