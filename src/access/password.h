// Passwords as the file of `auth_basic_user_file` stores them. Pure functions; any thread, but some
// methods are made to be slow: bcrypt and yescrypt take up to a second of CPU time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::access {

enum class PasswordVerdict : std::uint8_t {
  match,
  mismatch,
  unusable,  // the method cannot be computed here: 500
};

// Whether `plain` is what `stored` was made of: "$apr1$", "{PLAIN}", "{SHA}", "{SSHA}" or whatever
// crypt(3) knows ("$1$", "$5$", "$6$", "$2y$", "$y$", DES). A NUL in either never matches.
[[nodiscard]] PasswordVerdict verify_password(std::string_view plain, std::string_view stored);

// The stored password of `user` in the text of such a file: lines "name:password" or
// "name:password:comment", '#' begins a comment. The first line of that name counts; the last line
// may lack its end. nullopt: there is none.
[[nodiscard]] std::optional<std::string_view> find_user(std::string_view file,
                                                        std::string_view user);

}  // namespace weir::access
