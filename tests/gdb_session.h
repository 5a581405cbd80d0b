// One gdb session with `dojo exec --gdb`, for tests: what one types, and what gdb then says.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/file.h"
#include "support/command_test.h"
#include "system/guest_for_tests.h"

namespace dojo {

class Gdb : public CommandTest {
protected:
  std::string program(std::string_view globals, std::string_view body) const {
    return CommandTest::program(globals, body, "-g -fno-omit-frame-pointer");
  }

  // The same of a C or C++ text, by `dojo cc`.
  std::string compiled(std::string_view name, std::string_view text) const {
    write_text(file(name), text);
    const Said said =
        shell(fmt::format("{} cc -O1 {} -o {} 2>&1", dojo_command(), file(name), file("program.elf")));
    EXPECT_EQ(said.words, "");
    return file("program.elf");
  }

  // What gdb says to these commands; exit_code is dojo's.
  Said session(const std::string& program, const std::string& commands,
               const std::string& options = "") const {
    write_text(file("commands"), "set pagination off\nset confirm off\n" + commands);
    const std::string script = fmt::format(
        R"(cd {folder}
rm -f out err
{dojo} exec --gdb 0 {options} {program} > out 2> err & pid=$!
for i in $(seq 600); do port=$(sed -n "s/.*target remote 127.0.0.1:\([0-9]*\).*/\1/p" err); [ -n "$port" ] && break; sleep 0.1; done
timeout 300 gdb-multiarch -batch -nx -ex "set remotetimeout 120" -ex "target remote 127.0.0.1:$port" -x commands {program} < /dev/null 2>&1
wait $pid)",
        fmt::arg("folder", folder_.string()), fmt::arg("dojo", dojo_command()), fmt::arg("options", options),
        fmt::arg("program", program));
    write_text(file("script"), script);
    Said said = shell("bash " + file("script"));
    said.words += read_text(file("out")) + read_text(file("err"));
    return said;
  }
};

#define NEEDS_GDB()                                             \
  if (std::system("command -v gdb-multiarch > /dev/null") != 0) \
  GTEST_SKIP() << "gdb-multiarch is not installed; tools/setup.sh installs it"

// Every one of `words`, in this order.
inline void expect_in_order(const Said& said, std::initializer_list<std::string_view> words) {
  std::size_t from = 0;
  for (const std::string_view word : words) {
    const std::size_t found = said.words.find(word, from);
    ASSERT_NE(found, std::string::npos) << "no '" << word << "' (in this place) in:\n" << said.words;
    from = found + word.size();
  }
}

}  // namespace dojo
