// dojo prepare: what a network is shown, as plain files, so that another program can train or judge on
// exactly the same.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json_text.h"
#include "commands.h"
#include "data_options.h"
#include "host_options.h"
#include "output_folder.h"
#include "stop_request.h"

namespace dojo::tools {
namespace {

struct PrepareArguments {
  DataArguments data;
  std::string model, out = "out/prepared";
  std::uint64_t seed = 1;
  unsigned threads = 0;
};

void write_part(const std::filesystem::path& folder, const std::string& part, const data::Examples& examples,
                const std::vector<std::uint32_t>& frames) {
  std::vector<float> inputs(frames.size() * examples.input_elements());
  std::vector<float> labels(frames.size() * examples.target_elements());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    examples.read(frames[i],
                  std::span(inputs).subspan(i * examples.input_elements(), examples.input_elements()),
                  std::span(labels).subspan(i * examples.target_elements(), examples.target_elements()));
    end_if_stopped(fmt::format("{} holds no whole set", folder.string()));
  }
  write_file(folder / (part + "_inputs.f32"), std::as_bytes(std::span(inputs)));
  write_file(folder / (part + "_labels.f32"), std::as_bytes(std::span(labels)));
}

// The list of what is there goes first and comes back last: files that a kill left of two sets are then in
// none.
void remove_list(const std::filesystem::path& list) {
  std::error_code failure;
  std::filesystem::remove(list, failure);
  if (failure) refuse(list.string(), "cannot be replaced: {}", failure.message());
  sync_folder(list.parent_path());
}

int prepare(const PrepareArguments& arguments) {
  listen_for_stop_requests();
  training::Recipe recipe;
  recipe.model = arguments.model;
  const training::TrainableNetwork network = training::read_network(recipe);
  const OutputFolder output(arguments.out);
  driving::DrivingData driving =
      open_data(arguments.data, arguments.seed, arguments.threads, "nothing was written");
  const training::TrainingData data = driving.for_training(network);

  const std::filesystem::path folder = arguments.out, list = folder / "prepared.json";
  remove_list(list);
  write_part(folder, "train", data.examples, data.split.train);
  write_part(folder, "validation", data.examples, data.split.validation);
  nlohmann::ordered_json description;
  description["input_shape"] = network.inputs.front().shape;
  for (const auto& input : network.inputs)
    description["inputs"].push_back({{"name", input.name}, {"shape", input.shape}});
  for (std::size_t i = 0; i < network.targets.size(); ++i) {
    const data::LabelSpecification& specification = data.specifications[i];
    nlohmann::ordered_json target = {{"output", network.targets[i].name}, {"labels", specification.labels}};
    if (specification.bins)
      target["classes"] = {{"count", specification.bins->count},
                           {"low", specification.bins->low},
                           {"high", specification.bins->high}};
    description["targets"].push_back(target);
  }
  description["train_frames"] = data.split.train;
  description["validation_frames"] = data.split.validation;
  write_text(list, json_text(description, 1) + "\n");
  fmt::print("{} training and {} validation frames in {}\n", data.split.train.size(),
             data.split.validation.size(), folder.string());
  return 0;
}

}  // namespace

Command prepare_command() {
  auto arguments = std::make_shared<PrepareArguments>();
  PrepareArguments& a = *arguments;
  return {
      .name = "prepare",
      .summary =
          "Write the frames as a network sees them: {train,validation}_{inputs,labels}.f32 (little-endian "
          "FP32, one sample after the other) and prepared.json (shapes, frame numbers)",
      .options = joined({{{.name = "MODEL",
                           .into = &a.model,
                           .help = "The network, an .onnx file",
                           .is_path = true,
                           .required = true}},
                         data_options(a.data),
                         {{.name = "--seed", .into = &a.seed, .help = "Of rendered scenes"},
                          threads_option(a.threads),
                          {.name = "--out", .into = &a.out, .help = "Folder to write to", .is_path = true}}}),
      .footer = "Exit code: 2 for what is refused, 130 after Ctrl-C",
      .run = [arguments](Command&) { return prepare(*arguments); }};
}

}  // namespace dojo::tools
