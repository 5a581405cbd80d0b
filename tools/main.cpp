// The `dojo` command: one line per command, and the only place that catches the user's errors.
#include <fmt/format.h>

#include <cstdio>

#include "base/error.h"
#include "commands.h"

namespace {

int run(int count, char** words) {
  CLI::App app("OpenDojo: the Dojo training machine in software", "dojo");
  app.set_version_flag("--version", DOJO_VERSION);
  app.require_subcommand(1);
  dojo::tools::add_train_command(app);
  dojo::tools::add_prepare_command(app);
  dojo::tools::add_exec_command(app);
  dojo::tools::add_disassemble_command(app);
  dojo::tools::add_machine_command(app);
  try {
    app.parse(count, words);
  } catch (const CLI::RuntimeError& code) {
    return code.get_exit_code();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    fmt::print(stderr, "dojo: {}; --help lists the options\n", error.what());
    return dojo::tools::exit_user_error;
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(count, words);
  } catch (const dojo::UserError& error) {
    fmt::print(stderr, "dojo: {}\n", error.what());
    return dojo::tools::exit_user_error;
  }
}
