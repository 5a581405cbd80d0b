// A command of `dojo` as a value. Its options are rows: the parser, --help, the manual page and the shells'
// completion are made from them.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dojo::tools {

// Where a value goes. A bool makes a flag, a list an option that may be given again, or all words that are
// left.
using Target = std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*,
                            unsigned*, std::uint64_t*, std::int64_t*, std::optional<std::uint16_t>*, double*>;

// Whether a run's checkpoint keeps the option as part of the run's recipe. It may go on in another folder, so
// what names a file is kept as an absolute path.
enum class Kept : std::uint8_t { no, as_given, as_file, as_machine };

struct Option {
  std::string name;  // "--nodes", or "MODEL" for a word at its place
  Target into;
  std::string help;
  std::string value = {};  // what --help calls it; by default after its type
  // Of numbers, ends included; those with a fraction are more than `least`. A default outside of it stands
  // for nothing asked, and is not shown.
  std::uint64_t least = 0, most = std::numeric_limits<std::uint64_t>::max();
  std::string most_is = {};  // in words, where the number alone says nothing
  bool is_path =
      false;  // anything but '', which the system takes for "here" in one place, for "nowhere" in another
  std::function<std::vector<std::string>()> offers = {};  // what a shell completes to; others may do, too
  bool required = false;
  std::vector<std::string> excludes = {}, needs = {};  // names of options that stand above
  Kept kept = Kept::no;
  std::vector<std::string> given = {};  // on the command line, as written; of a flag "true"
};

struct Command {
  std::string name, summary;
  std::vector<Option> options;
  std::string footer = {};                    // below the options in --help
  bool takes_other_words = false;             // of the user's, for another program
  std::function<int(Command&)> run = {};      // the exit code; throws UserError or Exit
  std::vector<std::string> other_words = {};  // given, in their order

  Option& option(std::string_view wanted);  // which it has
  bool gives(std::string_view wanted) { return !option(wanted).given.empty(); }
};

// Ends a command from within, with this exit code.
struct Exit {
  int code;
};

bool is_option(const Option& option);  // and not a word at its place
bool is_flag(const Option& option);
bool is_list(const Option& option);  // may be given again, or takes all words that are left
// What --help calls the value; of a flag nothing.
std::string value_name(const Option& option);
std::vector<Option> joined(std::initializer_list<std::vector<Option>> groups);

// What is wrong with `text` as a value of this option; empty if nothing is.
std::string fault_of(const Option& option, const std::string& text);
// The value that it has if it is not given; empty if none.
std::string default_of(const Option& option);
// Puts the values to their place, as if the command line had given them. Throws UserError for bad ones.
void assign(Option& option, const std::vector<std::string>& values);

// Parses a command line and runs its command. Throws UserError for one that is none.
int run_command_line(std::vector<Command>& commands, int count, char** words);

}  // namespace dojo::tools
