#include "train_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

#include "base/error.h"
#include "base/stages.h"
#include "stop_request.h"

namespace dojo::tools {
namespace {

namespace fs = std::filesystem;

// "sgd (momentum 0.9) or adamw"
template <typename Row>
std::string list_of(std::span<const Row> rows) {
  std::string list;
  for (const Row& row : rows) {
    if (!list.empty()) list += &row == &rows.back() ? " or " : ", ";
    list += row.name;
    if (!row.about.empty()) list += fmt::format(" ({})", row.about);
  }
  return list;
}

template <typename Row>
std::vector<std::string> names_of(std::span<const Row> rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  return names;
}

// Options that say the same in several ways, each in place of the others: who gives one has left out none.
const std::vector<std::vector<std::string_view>> alternatives = {{"--epochs", "--steps"},
                                                                 {"--data", "--drives", "--arrays"}};

bool is_given(Command& command, std::string_view option) {
  for (const auto& group : alternatives)
    if (std::ranges::find(group, option) != group.end())
      return std::ranges::any_of(group, [&](std::string_view other) { return command.gives(other); });
  return command.gives(option);
}

std::vector<std::string> loss_names() {
  std::vector<std::string> names;
  for (const graph::LabelKind& kind : graph::label_kinds()) names.emplace_back(kind.key);
  return names;
}

}  // namespace

onnx::Choices choices_of(std::string_view option, const std::vector<std::string>& losses) {
  const std::vector<std::string> known = loss_names();
  onnx::Choices choices;
  for (const std::string& loss : losses) {
    const std::size_t cut = loss.rfind('=');
    const std::string output = cut == std::string::npos ? "" : loss.substr(0, cut),
                      key = loss.substr(cut + 1);
    if (std::ranges::find(known, key) == known.end())
      refuse(option, "'{}' is none of {}", key, fmt::join(known, ", "));
    onnx::OutputChoice choice;
    choice.kind = &graph::label_kind(key);
    if (!choices.emplace(output, std::move(choice)).second)
      refuse(option, "is given twice for {}",
             output.empty() ? "all outputs" : fmt::format("output '{}'", output));
  }
  return choices;
}

Option loss_option(std::string name, std::vector<std::string>& losses, const std::string& help) {
  return {.name = std::move(name),
          .into = &losses,
          .help = fmt::format("{}, [OUTPUT=]KIND: {}; given again for another one", help,
                              fmt::join(loss_names(), ", ")),
          .value = "[OUTPUT=]KIND",
          .offers = loss_names,
          .kept = Kept::as_given};
}

Option optimizer_option(std::string& optimizer) {
  return {.name = "--optimizer",
          .into = &optimizer,
          .help = list_of(graph::optimizers()),
          .offers = [] { return names_of(graph::optimizers()); },
          .kept = Kept::as_given};
}

namespace {

std::string lasting(const std::string& value, Kept kept) {
  const bool is_path = kept == Kept::as_file || (kept == Kept::as_machine &&
                                                 (value.ends_with(".toml") || value.find('/') != value.npos));
  return is_path ? fs::absolute(value).lexically_normal().string() : value;
}

}  // namespace

std::vector<Option> train_options(TrainArguments& a) {
  return joined(
      {{{.name = "MODEL",
         .into = &a.model,
         .help = "The network, an .onnx file. Inputs: pictures, or one value named like a label. Outputs "
                 "learn the "
                 "label in their name, else angle, then throttle; two values learn both, more are scores of "
                 "classes. "
                 "Metadata can say otherwise: docs/notes/010-training-run.md. May be left out with --resume",
         .is_path = true,
         .kept = Kept::as_file}},
       data_options(a.data),
       {arrays_option(a.data), loss_option("--loss", a.losses, "How outputs learn")},
       machine_options(a),
       {optimizer_option(a.optimizer),
        {.name = "--schedule",
         .into = &a.schedule,
         .help = "Of the learning rate, whose peak is --lr: " + list_of(training::schedules()),
         .offers = [] { return names_of(training::schedules()); },
         .kept = Kept::as_given},
        {.name = "--lr",
         .into = &a.learning_rate,
         .help = "Learning rate at the schedule's peak",
         .most = 1'000'000,
         .most_is = "1e6",
         .kept = Kept::as_given},
        {.name = "--epochs",
         .into = &a.epochs,
         .help = "Times through the training frames",
         .least = 1,
         .most = 1'000'000,
         .kept = Kept::as_given},
        {.name = "--steps",
         .into = &a.steps,
         .help = "This many steps instead of epochs",
         .least = 1,
         .most = 1'000'000'000'000,
         .excludes = {"--epochs"},
         .kept = Kept::as_given},
        {.name = "--seed",
         .into = &a.seed,
         .help = "Of shuffling, rendered scenes and new weights",
         .kept = Kept::as_given},
        {.name = "--initialise",
         .into = &a.initialise,
         .help = "Draw new weights instead of starting from the file's",
         .kept = Kept::as_given},
        {.name = "--untie",
         .into = &a.untie,
         .help =
             "Give every operator its own copy of a vector that several read: an exporter's merging undone",
         .kept = Kept::as_given},
        {.name = "--out",
         .into = &a.out,
         .help = "Folder for checkpoint, report, history, program, trained and best network; by default the "
                 "resumed "
                 "one, or out",
         .is_path = true},
        {.name = "--check",
         .into = &a.check,
         .help = "Compile, try a few steps and a prediction, and say what the run needs of SRAM, HBM and "
                 "time; train "
                 "nothing, write nothing"},
        {.name = "--resume",
         .into = &a.resume,
         .help =
             "Go on from the checkpoint in this folder; options of the run that are left out are taken from "
             "it. "
             "With more --epochs or --steps than it had, the schedule is from here on that of the longer run",
         .is_path = true},
        {.name = "--dump-stages",
         .into = &a.dump_stages,
         .help = "Write what every pass of the compiler made into this empty or new folder, a file each",
         .is_path = true}}});
}

void take_from(const training::Asked& asked, Command& command) {
  std::vector<Option*> taken;
  for (Option& option : command.options)
    if (option.kept != Kept::no && !is_given(command, option.name) && asked.contains(option.name))
      taken.push_back(&option);
  for (Option* option : taken) assign(*option, asked.at(option->name));
}

training::Asked asked_by(Command& command) {
  training::Asked asked;
  for (const Option& option : command.options) {
    if (option.kept == Kept::no) continue;
    std::vector<std::string> values = option.given;
    if (values.empty() && option.name == "--epochs" && command.gives("--steps")) continue;
    if (values.empty() && !default_of(option).empty()) values = {default_of(option)};
    if (values.empty()) continue;
    for (std::string& value : values) value = lasting(value, option.kept);
    asked[option.name] = std::move(values);
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
                    .choices = choices_of("--loss", arguments.losses),
                    .untie = arguments.untie};
  options.schedule = training::schedule_named(arguments.schedule);
  options.learning_rate = arguments.learning_rate;
  options.epochs = arguments.epochs;
  options.steps = arguments.steps;
  options.nodes = nodes_of(arguments.nodes, machine);
  options.formats = lowering::format_choice(arguments.formats);
  options.host = host_of(arguments.host);
  options.host.interrupted = stop_was_asked;
  options.out = arguments.out;
  if (!arguments.resume.empty()) options.resume = arguments.resume;
  if (arguments.out.empty()) options.out = options.resume.value_or("out");
  if (!arguments.dump_stages.empty()) options.stages = stages_into(arguments.dump_stages);
  return options;
}

}  // namespace dojo::tools
