// dojo disassemble: the code of a program.
#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "commands.h"
#include "toolchain/disassembly.h"

namespace dojo::tools {

Command disassemble_command() {
  auto path = std::make_shared<std::string>();
  return {
      .name = "disassemble",
      .summary = "Print the code of a program",
      .options =
          {{.name = "PROGRAM", .into = path.get(), .help = "ELF file", .is_path = true, .required = true}},
      .run = [path](Command&) {
        fmt::print("{}", toolchain::disassembly(toolchain::read_elf(read_file(*path), *path)));
        return 0;
      }};
}

}  // namespace dojo::tools
