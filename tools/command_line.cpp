// The command line's grammar is CLI11's, which nothing else here includes: it takes seconds to compile.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "command.h"
#include "version.h"

namespace dojo::tools {
namespace {

CLI::Option* declare_value(CLI::App& app, Option& row) {
  CLI::Option* option = app.add_option(row.name, CLI::callback_t(), row.help);
  option->type_name(value_name(row));
  if (is_list(row)) {
    option->take_all();
    if (!is_option(row)) option->expected(CLI::detail::expected_max_vector_size);
  }
  if (const std::string value = default_of(row); !value.empty()) option->default_str(value);
  option->check(CLI::Validator([&row](const std::string& text) { return fault_of(row, text); }, ""));
  return option;
}

CLI::Option* declare(CLI::App& app, Option& row) {
  CLI::Option* option =
      is_flag(row) ? app.add_flag(row.name, std::as_const(row.help)) : declare_value(app, row);
  if (row.required) option->required();
  for (const std::string& other : row.excludes) option->excludes(app.get_option(other));
  for (const std::string& other : row.needs) option->needs(app.get_option(other));
  return option;
}

// What the library refuses for the sake of a setting, with the options that set it.
int run(Command& command) {
  try {
    return command.run(command);
  } catch (const UserError& error) {
    std::string options;
    for (const std::string_view setting : error.settings().names) {
      const std::string name = fmt::format("--{}", setting);
      if (std::ranges::find(command.options, name, &Option::name) != command.options.end())
        options += (options.empty() ? "" : ", ") + name;
    }
    if (options.empty()) throw;
    throw UserError("", fmt::format("{} ({})", error.what(), options));
  }
}

void declare(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand(command.name, command.summary);
  std::vector<CLI::Option*> options;
  for (Option& row : command.options) options.push_back(declare(*parser, row));
  if (!command.footer.empty()) parser->footer(command.footer);
  if (command.takes_other_words) parser->allow_extras();
  parser->callback([parser, options, &command] {
    for (std::size_t i = 0; i < options.size(); ++i) assign(command.options[i], options[i]->results());
    command.other_words = parser->remaining();
    if (const int code = run(command); code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace

int run_command_line(std::vector<Command>& commands, int count, char** words) {
  CLI::App app("OpenDojo: the Dojo training machine in software", "dojo");
  app.set_version_flag("--version", std::string(version()));
  app.require_subcommand(1);
  for (Command& command : commands) declare(app, command);
  // CLI11 would only say that a command is missing.
  if (count > 1 && words[1][0] != '-' &&
      std::ranges::find(commands, words[1], &Command::name) == commands.end())
    refuse("", "'{}' is no command; --help lists them", words[1]);
  try {
    app.parse(count, words);
  } catch (const CLI::RuntimeError& code) {
    return code.get_exit_code();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    refuse("", "{}; --help lists the options", error.what());
  } catch (const Exit& exit) {
    return exit.code;
  }
  return 0;
}

}  // namespace dojo::tools
