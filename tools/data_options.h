// The options that say where frames come from, the same for every command that takes some.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "command.h"
#include "driving/driving_data.h"

namespace dojo::tools {

struct DataArguments {
  std::vector<std::string> recordings;  // none: rendered drives
  std::string arrays;                   // instead of drives, where a command takes them
  std::size_t drives = driving::DrivingSource{}.drives;
  bool strict = false;
};
std::vector<Option> data_options(DataArguments& arguments);
Option arrays_option(DataArguments& arguments);  // stands behind those

// Opens them, rendered drives made from `seed`, and says on stderr what there is to say of them. Where a stop
// is asked for, ends the command, having said `what` that leaves.
driving::DrivingData open_data(const DataArguments& arguments, std::uint64_t seed, unsigned threads,
                               std::string_view what);

}  // namespace dojo::tools
