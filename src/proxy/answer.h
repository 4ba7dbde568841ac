// The head of an answer while filters work on it: weir's own, or a peer's that does not pass as it
// is. One an exchange; it keeps its memory from request to request. Worker thread.
//
// What stands in it stays through internal redirects, as in nginx: fields set before are sent with
// the answer that is found in the end.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

class Answer {
 public:
  struct Field {
    std::string name;
    std::string value;
  };

  // Nothing is in it.
  void reset();

  int status = 0;
  std::string reason;        // of the peer's status line; empty: the usual one of the status
  std::int64_t length = -1;  // of the body in bytes; -1: not known
  std::string content_type;  // without the charset, if that is below
  std::string charset;
  std::optional<std::time_t> last_modified;
  std::string last_modified_text;  // of the peer; empty: made of last_modified
  std::string etag;
  std::string location;
  bool has_date = false;  // among the fields: weir adds none
  bool has_server = false;
  bool allow_ranges = false;
  bool single_range = false;  // no multipart answers

  // ---- all other fields, in order ----
  void add(std::string_view name, std::string_view value);
  // Replaces all fields of that name, any case.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  [[nodiscard]] const std::string* find(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] const Field& field(std::size_t i) const { return fields_[i]; }
  [[nodiscard]] Field& field(std::size_t i) { return fields_[i]; }

  // What a changed body makes untrue: its length, its ranges; a strong tag becomes weak.
  void body_changes(bool keeps_validators);
  void clear_validators();
  // Content-Type with its charset; empty: none.
  [[nodiscard]] std::string full_type() const;
  // Takes a Content-Type apart into content_type and charset.
  void set_type(std::string_view value);

  // The lines up to those of the connection: status line, Server and Date (as given, if the peer's
  // do not stand), and all fields.
  void write(std::string_view server_and_date, bool with_length, std::string& out) const;

 private:
  std::vector<Field> fields_;  // the first count_ of them
  std::size_t count_ = 0;
};

}  // namespace weir::proxy
