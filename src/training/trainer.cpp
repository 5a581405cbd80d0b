#include "training/trainer.h"

#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/sha256.h"
#include "training/checkpoint.h"
#include "training/emulated_network.h"
#include "training/schedule.h"

namespace dojo::training {
namespace {

using Json = nlohmann::ordered_json;
using WallClock = std::chrono::steady_clock;

double process_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_since(WallClock::time_point start) {
  return std::chrono::duration<double>(WallClock::now() - start).count();
}

std::uint64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::string hash_of(const compiler::Tensors& tensors) {
  Sha256 hash;
  for (const auto& [name, values] : tensors) {
    hash.add(std::as_bytes(std::span(name)));
    hash.add(std::as_bytes(std::span(values)));
  }
  return hash.hex();
}

// Everything that changes from step to step, apart from the machine's own state.
struct Tally {
  std::uint64_t step = 0, cycles = 0;
  double cpu_seconds = 0, wall_seconds = 0;
  std::vector<float> losses;
  machine::Ledger ledger;
};

Json to_json(const Tally& tally) {
  Json rows = Json::array();
  for (const auto& [key, count] : tally.ledger.rows()) rows.push_back({key.part, key.op, key.event, count});
  return {{"step", tally.step},
          {"cycles", tally.cycles},
          {"cpu_seconds", tally.cpu_seconds},
          {"wall_seconds", tally.wall_seconds},
          {"losses", tally.losses},
          {"ledger", rows}};
}

Tally tally_from(const Json& json) {
  Tally tally{.step = json.at("step"),
              .cycles = json.at("cycles"),
              .cpu_seconds = json.at("cpu_seconds"),
              .wall_seconds = json.at("wall_seconds"),
              .losses = json.at("losses"),
              .ledger = {}};
  for (const Json& row : json.at("ledger"))
    tally.ledger.add(row.at(0).get<std::string>(), row.at(1).get<std::uint32_t>(),
                     row.at(2).get<std::string>(), row.at(3).get<std::uint64_t>());
  return tally;
}

class Session {
public:
  Session(const TrainOptions& options, const machine::Machine& machine, const TrainableNetwork& network,
      const compiler::CompiledNetwork& compiled, const Course& course, const Watcher& watcher)
      : options_(options),
        machine_(machine),
        network_(network),
        compiled_(compiled),
        course_(course),
        watcher_(watcher),
        emulated_(
            machine, compiled, names_of(network.train_step), names_of(network.predict),
            {.threads = options.host_threads, .timing = options.timing, .interrupted = watcher.interrupted}),
        batch_(static_cast<std::uint64_t>(options.recipe.batch)),
        steps_per_epoch_(std::max<std::uint64_t>(1, course.split.train.size() / batch_)),
        steps_(options.steps != 0 ? options.steps : options.epochs * steps_per_epoch_),
        schedule_(options.learning_rate, steps_) {}

  RunReport go() {
    watcher_.phase("storing the data set in HBM");
    emulated_.store_examples(course_.examples);
    if (options_.resume) {
      resume();
    } else {
      emulated_.load_parameters(network_.initial);
    }
    watcher_.phase("training");
    const bool whole = train_steps();
    save();
    if (!whole) return report(false);
    watcher_.phase("validating");
    return report(true);
  }

private:
  static std::vector<std::string> names_of(const graph::Graph& graph) {
    std::vector<std::string> names;
    for (const graph::TensorId output : graph.outputs) names.push_back(graph.at(output).name);
    return names;
  }

  // What a checkpoint must agree on with the run that resumes it.
  Json identity() const {
    return {{"program", compiled_.sha256},
            {"machine", machine_.name},
            {"data", course_.fingerprint},
            {"seed", options_.recipe.seed},
            {"batch", batch_},
            {"steps", steps_},
            {"learning_rate", options_.learning_rate},
            {"timing", options_.timing}};
  }

  static std::filesystem::path checkpoint_in(const std::filesystem::path& folder) {
    return folder / "checkpoint.dojo";
  }

  void save() {
    const Json state = {{"identity", identity()}, {"tally", to_json(tally_)}};
    write_checkpoint(checkpoint_in(options_.out), {state.dump(), emulated_.regions()});
    last_saved_ = WallClock::now();
  }

  void resume() {
    const std::filesystem::path path = checkpoint_in(*options_.resume);
    const Checkpoint checkpoint = read_checkpoint(path);
    const Json state = Json::parse(checkpoint.host_state);
    const Json expected = identity();
    for (const auto& [key, value] : expected.items())
      if (state.at("identity").at(key) != value)
        refuse(path.string(), "belongs to another run: its {} is {}, this one's {}", key,
               state.at("identity").at(key).dump(), value.dump());
    tally_ = tally_from(state.at("tally"));
    emulated_.restore(checkpoint.regions);
  }

  std::vector<std::uint32_t> frames_of(std::uint64_t step) {
    const std::uint64_t epoch = step / steps_per_epoch_, place = step % steps_per_epoch_;
    if (order_.empty() || epoch != order_epoch_) {
      order_ = shuffled(course_.split.train, options_.recipe.seed, epoch);
      order_epoch_ = epoch;
    }
    const std::uint64_t first = place * batch_, last = std::min<std::uint64_t>(first + batch_, order_.size());
    return {order_.begin() + static_cast<std::ptrdiff_t>(first),
            order_.begin() + static_cast<std::ptrdiff_t>(last)};
  }

  // False if interrupted; the tally then counts the completed steps only, and the machine holds their state.
  bool train_steps() {
    const WallClock::time_point began = WallClock::now();
    const std::uint64_t first = tally_.step;
    last_saved_ = began;
    while (tally_.step < steps_) {
      if (watcher_.interrupted()) return false;
      const auto before = emulated_.regions();
      const WallClock::time_point wall = WallClock::now();
      const double cpu = process_cpu_seconds();
      const auto rate = static_cast<float>(schedule_.at(tally_.step));
      const std::uint64_t number = tally_.step + 1;
      const auto scalars = std::visit(
          [&](const auto& rule) {
            return graph::optimizer_scalars(rule, static_cast<std::int64_t>(number), rate);
          },
          options_.recipe.optimizer);
      const std::vector<std::uint32_t> frames = frames_of(tally_.step);
      const StepResult result = emulated_.step(frames, number, options_.recipe.seed, scalars);
      if (result.interrupted) {
        emulated_.restore(before);
        return false;
      }
      tally_.step = number;
      tally_.cycles += result.cycles;
      tally_.losses = result.values;
      tally_.ledger.add(result.ledger);
      tally_.cpu_seconds += process_cpu_seconds() - cpu;
      tally_.wall_seconds += seconds_since(wall);
      announce(result, frames.size(), seconds_since(began) / static_cast<double>(tally_.step - first));
      const bool epoch_over = tally_.step % steps_per_epoch_ == 0;
      if (tally_.step < steps_ && (epoch_over || seconds_since(last_saved_) > options_.checkpoint_seconds))
        save();
    }
    return true;
  }

  void announce(const StepResult& result, std::size_t frames, double seconds_per_step) const {
    watcher_.progress({.step = tally_.step,
                       .steps = steps_,
                       .loss = result.values.front(),
                       .seconds_left = seconds_per_step * static_cast<double>(steps_ - tally_.step),
                       .frames_per_second = static_cast<double>(frames) / seconds_per_step,
                       .simulated_seconds_per_step = seconds_of(result.cycles),
                       .matrix_utilisation = utilisation(result.ledger, result.cycles)});
  }

  double seconds_of(std::uint64_t cycles) const {
    return static_cast<double>(cycles) / (machine_.node.clock_ghz * 1e9);
  }

  double utilisation(const machine::Ledger& ledger, std::uint64_t cycles) const {
    if (cycles == 0) return 0;
    const double peak =
        static_cast<double>(cycles) * compiled_.nodes * static_cast<double>(machine_.node.matrix_macs);
    return static_cast<double>(ledger.total("nodes", "matrix.macs")) / peak;
  }

  std::vector<OutputQuality> validate(bool& interrupted) {
    const std::vector<std::uint32_t>& frames = course_.split.validation;
    const Predictions predictions = emulated_.predict(frames);
    interrupted = predictions.interrupted;
    if (interrupted) return {};
    std::vector<std::vector<float>> targets(network_.targets.size());
    std::vector<float> inputs(course_.examples.input_elements()), all(course_.examples.target_elements());
    for (const std::uint32_t frame : frames) {
      course_.examples.read(frame, inputs, all);
      std::size_t cursor = 0;
      for (std::size_t i = 0; i < targets.size(); ++i) {
        std::size_t count = 1;
        for (const std::int64_t extent : network_.targets[i].shape) count *= static_cast<std::size_t>(extent);
        targets[i].insert(targets[i].end(), all.begin() + static_cast<std::ptrdiff_t>(cursor),
                          all.begin() + static_cast<std::ptrdiff_t>(cursor + count));
        cursor += count;
      }
    }
    std::vector<OutputQuality> qualities;
    for (std::size_t i = 0; i < targets.size(); ++i)
      if (targets[i].size() == predictions.outputs[i].size())
        qualities.push_back({network_.targets[i].name, network_.targets[i].label,
                             quality(predictions.outputs[i], targets[i])});
    return qualities;
  }

  RunReport report(bool with_validation) {
    RunReport report;
    report.steps = steps_;
    report.steps_done = tally_.step;
    report.frames = tally_.step * batch_;
    report.train_frames = course_.split.train.size();
    report.validation_frames = course_.split.validation.size();
    report.losses = tally_.losses;
    report.cycles = tally_.cycles;
    report.simulated_seconds = seconds_of(tally_.cycles);
    report.matrix_utilisation = utilisation(tally_.ledger, tally_.cycles);
    report.ledger = tally_.ledger;
    report.nodes = compiled_.nodes;
    report.samples_per_node = compiled_.samples_per_node;
    report.program_sha256 = compiled_.sha256;
    report.cpu_seconds = tally_.cpu_seconds;
    report.wall_seconds = tally_.wall_seconds;
    report.interrupted = !with_validation;
    if (with_validation) report.validation = validate(report.interrupted);
    if (!report.interrupted) {
      const compiler::Tensors values = emulated_.parameters();
      report.weights_sha256 = hash_of(values);
      report.trained = with_values(network_.file, values);
    }
    report.peak_bytes = peak_bytes();
    return report;
  }

  const TrainOptions& options_;
  const machine::Machine& machine_;
  const TrainableNetwork& network_;
  const compiler::CompiledNetwork& compiled_;
  const Course& course_;
  const Watcher& watcher_;
  EmulatedNetwork emulated_;
  std::uint64_t batch_, steps_per_epoch_, steps_;
  OneCycle schedule_;
  Tally tally_;
  std::vector<std::uint32_t> order_;
  std::uint64_t order_epoch_ = 0;
  WallClock::time_point last_saved_;
};

}  // namespace

RunReport train(const TrainOptions& options, const machine::Machine& machine, const CourseFor& course_for,
                const Watcher& watcher) {
  watcher.phase("reading the network");
  const TrainableNetwork network = read_network(options.recipe);
  const Course course = course_for(network);
  watcher.phase("compiling");
  const compiler::CompiledNetwork compiled = compiler::compile(
      network.train_step, network.predict, machine,
      {.nodes = options.nodes, .formats = options.formats, .build_folder = options.out / "program"});
  return Session(options, machine, network, compiled, course, watcher).go();
}

}  // namespace dojo::training
