// The user's errors and ours. (The guest's errors, traps of a node program, are values: see isa/hart.h.)
//
// The user's: a file, an option, a network. One exception type, thrown anywhere in the library and caught
// once, in tools/, which prints it as one sentence and exits with code 2.
// Ours: a broken invariant. It stops the program and names its place.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dojo {

// Why something is refused. `unsupported`: a decision of ours. `not_yet`: planned, absent today.
// `unspecified`: no public source says what the machine does here.
enum class Refusal { invalid, unsupported, not_yet, unspecified };

// What a caller can set otherwise to be served, by the names that these settings have everywhere: "batch".
// How a caller sets them, by an option or a keyword, is for him to say.
struct Settings {
  std::vector<std::string_view> names;  // of static storage
};

class UserError : public std::runtime_error {
public:
  // `where`: a file, file:line or option; `what`: one clause without a full stop. Both become printable.
  UserError(std::string_view where, std::string_view what, Refusal refusal = Refusal::invalid,
            Settings settings = {});

  const std::string& where() const { return where_; }
  std::string what_alone() const { return what() + (where_.empty() ? 0 : where_.size() + 2); }
  Refusal refusal() const { return refusal_; }
  const Settings& settings() const { return settings_; }

private:
  std::string where_;
  Refusal refusal_;
  Settings settings_;
};

template <typename... Arguments>
[[noreturn]] void refuse(std::string_view where, fmt::format_string<Arguments...> format,
                         Arguments&&... arguments) {
  throw UserError(where, fmt::format(format, std::forward<Arguments>(arguments)...));
}

template <typename... Arguments>
[[noreturn]] void refuse(Settings settings, std::string_view where, fmt::format_string<Arguments...> format,
                         Arguments&&... arguments) {
  throw UserError(where, fmt::format(format, std::forward<Arguments>(arguments)...), Refusal::invalid,
                  std::move(settings));
}

[[noreturn]] void broken_invariant(const char* condition, const char* file, int line);

}  // namespace dojo

// Holds in every correct run, whatever the input. Active in all builds.
#define DOJO_ENSURE(condition) \
  ((condition) ? static_cast<void>(0) : ::dojo::broken_invariant(#condition, __FILE__, __LINE__))
