#include "train_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/error.h"
#include "path_argument.h"
#include "stop_request.h"
#include "whole_number.h"

namespace dojo::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_epochs = 1'000'000, most_steps = 1'000'000'000'000;

// As strict as whole_number().
CLI::Validator learning_rate() {
  return {[](const std::string& text) {
            double value = 0;
            const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
            const bool good =
                failure == std::errc() && end == text.data() + text.size() && value > 0 && value <= 1e6;
            return good ? "" : fmt::format("'{}' is no number above 0 and up to 1e6", text);
          },
          ""};
}

// "sgd (momentum 0.9) or adamw"
std::string optimizer_list() {
  std::string list;
  for (const graph::Optimizer& optimizer : graph::optimizers()) {
    if (!list.empty()) list += &optimizer == &graph::optimizers().back() ? " or " : ", ";
    list += optimizer.name;
    if (!optimizer.about.empty()) list += fmt::format(" ({})", optimizer.about);
  }
  return list;
}

// The recipe. A run may go on in another folder, so what names a file is kept as an absolute path.
enum class Names : std::uint8_t { nothing, a_file, a_machine };
struct RecipeOption {
  const char* option;
  Names names;
};
constexpr std::array recipe = {
    RecipeOption{"MODEL", Names::a_file},        RecipeOption{"--data", Names::a_file},
    RecipeOption{"--machine", Names::a_machine}, RecipeOption{"--formats", Names::nothing},
    RecipeOption{"--optimizer", Names::nothing}, RecipeOption{"--schedule", Names::nothing},
    RecipeOption{"--lr", Names::nothing},        RecipeOption{"--batch", Names::nothing},
    RecipeOption{"--epochs", Names::nothing},    RecipeOption{"--steps", Names::nothing},
    RecipeOption{"--seed", Names::nothing},      RecipeOption{"--initialise", Names::nothing},
    RecipeOption{"--untie", Names::nothing},     RecipeOption{"--nodes", Names::nothing},
    RecipeOption{"--no-timing", Names::nothing}, RecipeOption{"--drives", Names::nothing},
};

// Two options that say the same in two ways, each in place of the other: who gives one has left out neither.
using Pair = std::array<const char*, 2>;
constexpr std::array pairs = {Pair{"--epochs", "--steps"}, Pair{"--data", "--drives"}};

bool is_given(const CLI::App& command, std::string_view option) {
  for (const Pair& pair : pairs)
    if (std::ranges::find(pair, option) != pair.end())
      return command.count(pair[0]) + command.count(pair[1]) != 0;
  return command.count(std::string(option)) != 0;
}

std::string lasting(const std::string& value, Names names) {
  const bool is_path =
      names == Names::a_file ||
      (names == Names::a_machine && (value.ends_with(".toml") || value.find('/') != value.npos));
  return is_path ? fs::absolute(value).lexically_normal().string() : value;
}

}  // namespace

void add_train_options(CLI::App& command, TrainArguments& a) {
  command
      .add_option(
          "MODEL", a.model,
          "The network, an .onnx file. Inputs: pictures, or one value named like a label. Outputs learn "
          "the label in their name, else angle, then throttle; two values learn both, more are scores "
          "of classes. Metadata can say otherwise: docs/notes/010-training-run.md. May be left out with "
          "--resume")
      ->check(path_argument());
  add_data_options(command, a.data);
  add_machine_options(command, a);
  command.add_option("--optimizer", a.optimizer, optimizer_list())->capture_default_str();
  command
      .add_option(
          "--schedule", a.schedule,
          "Of the learning rate: one-cycle (from 1/25 of --lr up to it at 30 % of the steps, then down; as "
          "PyTorch's OneCycleLR) or cosine (the same, but with a gentler rise in runs of less than 134 "
          "steps)")
      ->capture_default_str();
  command.add_option("--lr", a.learning_rate, "Learning rate at the schedule's peak")
      ->check(learning_rate())
      ->capture_default_str();
  auto* epochs = command.add_option("--epochs", a.epochs, "Times through the training frames")
                     ->check(whole_number(1, most_epochs))
                     ->capture_default_str();
  command.add_option("--steps", a.steps, "This many steps instead of epochs")
      ->check(whole_number(1, most_steps))
      ->excludes(epochs);
  command.add_option("--seed", a.seed, "Of shuffling, rendered scenes and new weights")
      ->check(whole_number(0))
      ->capture_default_str();
  command.add_flag("--initialise", a.initialise, "Draw new weights instead of starting from the file's");
  command.add_flag(
      "--untie", a.untie,
      "Give every operator its own copy of a vector that several read: an exporter's merging undone");
  command
      .add_option("--out", a.out,
                  "Folder for checkpoint, report, history, program, trained and best network; by default the "
                  "resumed one, or out")
      ->check(path_argument());
  command.add_flag("--check", a.check,
                   "Compile, try a few steps and a prediction, and say what the run needs of SRAM, HBM and "
                   "time; train nothing, write nothing");
  command
      .add_option(
          "--resume", a.resume,
          "Go on from the checkpoint in this folder; options of the run that are left out are taken "
          "from it. With more --epochs or --steps than it had, the schedule is from here on that of the "
          "longer run")
      ->check(path_argument());
}

void take_from(const training::Asked& asked, CLI::App& command) {
  for (const RecipeOption& row : recipe) {
    CLI::Option& option = *command.get_option(row.option);
    const auto values = asked.find(row.option);
    if (is_given(command, row.option) || values == asked.end()) continue;
    option.add_result(values->second);
    option.run_callback();
  }
}

training::Asked asked_by(const CLI::App& command) {
  training::Asked asked;
  for (const RecipeOption& row : recipe) {
    const CLI::Option& option = *command.get_option(row.option);
    std::vector<std::string> values = option.results();
    if (values.empty() && row.option == std::string_view("--epochs") && command.count("--steps") != 0)
      continue;
    if (values.empty() && !option.get_default_str().empty()) values = {option.get_default_str()};
    if (values.empty()) continue;
    for (std::string& value : values) value = lasting(value, row.names);
    asked[row.option] = std::move(values);
  }
  return asked;
}

training::TrainOptions options_from(const TrainArguments& arguments, const machine::Machine& machine) {
  training::TrainOptions options;
  options.recipe = {.model = arguments.model,
                    .optimizer = graph::optimizer_named(arguments.optimizer),
                    .batch = arguments.batch,
                    .initialise = arguments.initialise,
                    .seed = arguments.seed,
                    .untie = arguments.untie};
  options.schedule = training::schedule_named(arguments.schedule);
  options.learning_rate = arguments.learning_rate;
  options.epochs = arguments.epochs;
  options.steps = arguments.steps;
  options.nodes = nodes_of(arguments, machine);
  options.formats = compiler::format_choice(arguments.formats);
  options.host = host_of(arguments.host);
  options.host.interrupted = stop_was_asked;
  options.out = arguments.out;
  if (!arguments.resume.empty()) options.resume = arguments.resume;
  if (arguments.out.empty()) options.out = options.resume.value_or("out");
  return options;
}

}  // namespace dojo::tools
