// dojo machine: every parameter of a machine with where it comes from, then what follows from them.
#include <fmt/format.h>

#include <memory>

#include "commands.h"
#include "machine/machine.h"
#include "machine/machine_file.h"
#include "report/machine_text.h"

namespace dojo::tools {

Command machine_command() {
  auto name = std::make_shared<std::string>("d1");
  return {.name = "machine",
          .summary = "Print a machine's parameters, their sources and what follows",
          .options = {{.name = "MACHINE",
                       .into = name.get(),
                       .help = "Name under machines/, or a .toml file",
                       .is_path = true,
                       .offers = machine::machine_names}},
          .run = [name](Command&) {
            fmt::print("{}", report::machine_text(machine::read_machine(*name)));
            return 0;
          }};
}

}  // namespace dojo::tools
