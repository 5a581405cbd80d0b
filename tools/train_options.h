// The options of `dojo train`: which of them are a run's recipe, that its checkpoint keeps, and what going on
// takes from there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "data_options.h"
#include "machine_options.h"
#include "training/trainer.h"

namespace dojo::tools {

struct TrainArguments : MachineArguments {
  DataArguments data;
  std::vector<std::string> losses;
  std::string model, optimizer = "adamw", out, resume, dump_stages;
  std::string schedule{training::TrainOptions{}.schedule.name};
  double learning_rate = training::TrainOptions{}.learning_rate;
  std::uint64_t epochs = 8, steps = 0, seed = 1;
  bool initialise = false, untie = false, check = false;
};

// How outputs learn, as --loss of `dojo train` says it; `help` is what comes before the list of kinds.
Option loss_option(std::string name, std::vector<std::string>& losses, const std::string& help);
// What was given so. Throws UserError naming `option`.
onnx::Choices choices_of(std::string_view option, const std::vector<std::string>& losses);
Option optimizer_option(std::string& optimizer);

std::vector<Option> train_options(TrainArguments& arguments);

// After parsing: gives the options of the recipe that the command line leaves out the values they have in
// `asked`.
void take_from(const training::Asked& asked, Command& command);

// The whole recipe as it now stands; files by their absolute paths.
training::Asked asked_by(Command& command);

// The library's options; all but the batch, which depends on the data set where it was not given.
training::TrainOptions options_from(const TrainArguments& arguments, const machine::Machine& machine);

}  // namespace dojo::tools
