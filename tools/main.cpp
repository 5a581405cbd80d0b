// The `dojo` command: one line per command, and the only place that catches the user's errors.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <new>
#include <string>
#include <system_error>

#include "base/error.h"
#include "commands.h"
#include "say.h"

namespace {

int refused(const std::string& sentence) {
  dojo::tools::say("dojo: {}", sentence);
  return dojo::tools::exit_user_error;
}

constexpr const char* unwritten = "standard output: cannot be written";

// Whether all that was printed has arrived; ferror() says it of what was written before.
bool output_is_written() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

bool is_command(CLI::App& app, const std::string& word) {
  return std::ranges::any_of(app.get_subcommands([](CLI::App*) { return true; }),
                             [&](const CLI::App* command) { return command->get_name() == word; });
}

int run(int count, char** words) {
  CLI::App app("OpenDojo: the Dojo training machine in software", "dojo");
  app.set_version_flag("--version", DOJO_VERSION);
  app.require_subcommand(1);
  dojo::tools::add_train_command(app);
  dojo::tools::add_predict_command(app);
  dojo::tools::add_prepare_command(app);
  dojo::tools::add_cc_command(app);
  dojo::tools::add_exec_command(app);
  dojo::tools::add_profile_command(app);
  dojo::tools::add_disassemble_command(app);
  dojo::tools::add_machine_command(app);
  dojo::tools::add_conformance_command(app);
  // CLI11 would only say that a command is missing.
  if (count > 1 && words[1][0] != '-' && !is_command(app, words[1]))
    return refused(fmt::format("'{}' is no command; --help lists them", words[1]));
  try {
    app.parse(count, words);
  } catch (const CLI::RuntimeError& code) {
    return code.get_exit_code();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    return refused(fmt::format("{}; --help lists the options", error.what()));
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is then an error of writing, as on a full disk
    std::signal(SIGPIPE, SIG_IGN);  // and so is an output that nobody reads any more
    const int code = run(count, words);
    return output_is_written() ? code : refused(unwritten);
  } catch (const dojo::UserError& error) {
    return refused(error.what());
  } catch (const std::system_error& error) {  // what the system refuses: a folder, a thread, a closed output
    return refused(output_is_written() ? error.what() : unwritten);
  } catch (const std::bad_alloc&) {
    return refused("this computer has too little memory for it");
  }
}
