// The `dojo` command: one line per command, and the only place that catches the user's errors.
#include <csignal>
#include <cstdio>
#include <new>
#include <string>
#include <system_error>
#include <vector>

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

// In the order of --help.
void add_all_commands(std::vector<dojo::tools::Command>& commands) {
  using namespace dojo::tools;
  commands = {train_command(),         predict_command(), run_command(),         explain_command(),
              prepare_command(),       cc_command(),      exec_command(),        profile_command(),
              disassemble_command(),   machine_command(), conformance_command(), completion_command(commands),
              manual_command(commands)};
}

}  // namespace

int main(int count, char** words) {
  try {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is then an error of writing, as on a full disk
    std::signal(SIGPIPE, SIG_IGN);  // and so is an output that nobody reads any more
    std::vector<dojo::tools::Command> commands;
    add_all_commands(commands);
    const int code = dojo::tools::run_command_line(commands, count, words);
    return output_is_written() ? code : refused(unwritten);
  } catch (const dojo::UserError& error) {
    return refused(error.what());
  } catch (const std::system_error& error) {  // what the system refuses: a folder, a thread, a closed output
    return refused(output_is_written() ? error.what() : unwritten);
  } catch (const std::bad_alloc&) {
    return refused("this computer has too little memory for it");
  }
}
