// Whole training runs on a small machine, for tests of what they do.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/temporary_folder.h"
#include "data/dataset.h"
#include "data/split.h"
#include "machine/machine.h"
#include "onnx/file.h"
#include "small_networks.h"
#include "training/trainer.h"

namespace dojo::training {

namespace fs = std::filesystem;

// Noise as pictures, and a target that a network can find in them.
class Noise final : public data::Examples {
public:
  Noise(const TrainableNetwork& network, std::size_t frames) : frames_(frames) {
    for (const data::Signal& input : network.inputs) inputs_ += elements(input);
    for (const data::Signal& target : network.targets) {
      targets_ += elements(target);
      if (target.classes != 0) bins_ = graph::Bins{target.classes, -1, 1};
    }
  }
  std::size_t size() const override { return frames_; }
  std::size_t input_elements() const override { return inputs_; }
  std::size_t target_elements() const override { return targets_; }
  void read(std::size_t frame, std::span<float> inputs, std::span<float> targets) const override {
    Random random(3, frame);
    for (float& value : inputs) value = static_cast<float>(random.uniform(-1, 1));
    for (std::size_t i = 0; i < targets.size(); ++i)
      targets[i] = bins_ ? static_cast<float>(bins_->of(found(inputs, i))) : found(inputs, i);
  }
  void measured(std::size_t frame, std::span<float> values) const override {
    std::vector<float> inputs(inputs_), targets(targets_);
    read(frame, inputs, targets);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = found(inputs, i);
  }

private:
  static float found(std::span<const float> inputs, std::size_t i) {
    return inputs[i] + inputs[i + 1] > 0 ? 1.0f : -1.0f;
  }
  static std::size_t elements(const data::Signal& signal) {
    std::size_t count = 1;
    for (const std::int64_t extent : signal.shape) count *= static_cast<std::size_t>(extent);
    return count;
  }
  std::size_t frames_, inputs_ = 0, targets_ = 0;
  std::optional<graph::Bins> bins_;
};

class Train : public testing::Test {
protected:
  fs::path write(const onnx::Model& model) {
    onnx::write_model(folder_ / "model.onnx", model);
    return folder_ / "model.onnx";
  }

  // Seven steps of two and a third epochs: resuming crosses an epoch's end.
  TrainOptions options(const fs::path& model, const std::string& out) {
    TrainOptions options;
    options.recipe = {.model = model, .optimizer = graph::optimizer_named("adamw"), .batch = 6, .seed = 5};
    options.learning_rate = 0.02;
    options.steps = 7;
    options.host.threads = 1;
    options.out = folder_ / out;
    options.checkpoint_seconds = 0;
    fs::create_directories(options.out);
    return options;
  }

  RunReport run(const TrainOptions& options, const Watcher& watcher = {}, std::size_t frames = 23) {
    std::optional<Noise> noise;
    const data::Split split = data::split_by_blocks(frames, 1, 5);
    return train(
        options, machine_,
        [&](const TrainableNetwork& network) {
          std::vector<data::LabelSpecification> specifications;
          for (const data::Signal& target : network.targets) {
            specifications.push_back({{target.name}, {}});
            specifications.back().kind = target.kind;
            if (target.classes != 0) specifications.back().bins = graph::Bins{target.classes, -1, 1};
          }
          return TrainingData{noise.emplace(network, frames), split, "noise", specifications};
        },
        watcher);
  }

  // Runs in a process of its own. Did a signal of the watcher's end it?
  bool dies(const TrainOptions& options, const Watcher& fatal) {
    const pid_t child = fork();
    if (child == 0) {
      run(options, fatal);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }

  // The losses that the first and the last step began with.
  std::pair<float, float> losses(const TrainOptions& options, std::size_t frames) {
    std::vector<float> seen;
    Watcher watcher;
    watcher.progress = [&](const Progress& progress) { seen.push_back(progress.loss); };
    run(options, watcher, frames);
    return {seen.front(), seen.back()};
  }

  const TemporaryFolder own_{"dojo-train"};
  const fs::path folder_ = own_.path();
  machine::Machine machine_ = machine::read_machine("test6");
};

}  // namespace dojo::training
