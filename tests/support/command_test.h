// `dojo` as a user meets it, in a folder of a test's own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/temporary_folder.h"
#include "support/command.h"
#include "system/guest_for_tests.h"

namespace dojo {

namespace fs = std::filesystem;

class CommandTest : public testing::Test {
protected:
  std::string file(std::string_view name) const { return (folder_ / name).string(); }
  void write(std::string_view name, std::string_view text) const { write_text(folder_ / name, text); }

  // Runs `dojo` in the folder; its input is what the command `feeder` writes, and it sees `variables` in its
  // environment.
  Said dojo(const std::string& arguments, const std::string& feeder = "true",
            const std::string& variables = "") const {
    return shell_in(folder_, fmt::format("{} | {} {} {}", feeder, variables, dojo_command(), arguments));
  }

  // The path of a bare program (system/guest_for_tests.h).
  std::string program(std::string_view globals, std::string_view body, std::string_view flags = "") const {
    write_file(file("program.elf"), system::build_guest(system::guest_source(globals, body), flags));
    return file("program.elf");
  }

  const TemporaryFolder own_{"dojo-command"};
  const fs::path folder_ = own_.path();
};

}  // namespace dojo
