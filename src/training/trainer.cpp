#include "training/trainer.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "graph/onnx_export.h"
#include "training/emulated_network.h"
#include "training/saved_run.h"
#include "training/schedule.h"

namespace dojo::training {
namespace {

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

void check_room(const compiler::HbmLayout& hbm, const machine::Machine& machine, std::size_t frames) {
  const std::uint64_t needed =
      hbm.data_set + (frames + hbm.interfaces - 1) / hbm.interfaces * hbm.record_bytes;
  if (needed > machine.interface.hbm_bytes)
    refuse(machine.name,
           "has no room for the data set: {} frames of {} bytes need {} bytes of each HBM, {} over", frames,
           hbm.record_bytes, needed, needed - machine.interface.hbm_bytes);
}

// What the compiler made, for people: the folder appears whole, in place of an older one.
void write_program(const std::filesystem::path& folder, const compiler::CompiledNetwork& compiled) {
  const std::filesystem::path beside = folder.string() + ".partial";
  std::error_code ignored;
  std::filesystem::remove_all(beside, ignored);
  try {
    std::error_code failure;
    std::filesystem::create_directory(beside, failure);
    if (failure) refuse(beside.string(), "cannot be made: {}", failure.message());
    for (const auto* program : {&compiled.train, &compiled.predict, &compiled.load, &compiled.store}) {
      write_text(beside / (program->name + ".cpp"), program->source);
      write_file(beside / (program->name + ".elf"), program->elf);
      if (!program->plan.empty()) write_text(beside / (program->name + ".plan.json"), program->plan);
    }
    std::filesystem::remove_all(folder, failure);
    std::filesystem::rename(beside, folder, failure);
    if (failure) refuse(folder.string(), "cannot be replaced: {}", failure.message());
  } catch (const UserError&) {
    std::filesystem::remove_all(beside, ignored);
    throw;
  }
}

// That every value of every output is going to be judged by a label.
void check_meanings(const TrainableNetwork& network, const Course& course) {
  if (course.meanings.size() != network.targets.size())
    refuse("the data set", "knows {} outputs of {}", course.meanings.size(), network.targets.size());
  for (std::size_t i = 0; i < network.targets.size(); ++i) {
    const Signal& target = network.targets[i];
    const Meaning& meaning = course.meanings[i];
    const auto& shape = network.predict.at(network.predict.outputs[i]).shape;
    const std::int64_t values = graph::element_count({shape.begin() + 1, shape.end()});
    const auto judged = meaning.bins ? meaning.bins->count : static_cast<std::int64_t>(meaning.labels.size());
    if (judged != values || meaning.bins.has_value() != (target.classes != 0))
      refuse(fmt::format("output '{}'", target.name), "has {} values a sample, its labels {}", values,
             judged);
  }
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
        emulated_(machine, compiled, names_of(network.train_step), names_of(network.predict),
                  {.threads = options.host_threads,
                   .vectors = options.host_vectors,
                   .timing = options.timing,
                   .interrupted = watcher.interrupted}),
        batch_(static_cast<std::uint64_t>(options.recipe.batch)),
        steps_per_epoch_(steps_per_epoch(options, course)),
        steps_(steps_of(options, course)),
        schedule_(options.learning_rate, steps_) {}

  // Starts from `saved` where there is one.
  RunReport go(const std::optional<SavedRun>& saved) {
    watcher_.phase("storing the data set in HBM");
    const bool stored = emulated_.store_examples(course_.examples);
    if (saved) {
      tally_ = saved->tally;
      emulated_.restore(saved->regions);
    } else {
      emulated_.load_parameters(network_.initial);
    }
    watcher_.phase("training");
    const bool whole = stored && train_steps();
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

  void save() {
    write_saved(options_.out, {.identity = identity_of(options_, machine_, course_),
                               .program = compiled_.sha256,
                               .tally = tally_,
                               .regions = emulated_.regions()});
    last_saved_ = WallClock::now();
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
      tally_.frames += frames.size();
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
    const std::size_t values = course_.examples.target_elements();
    std::vector<float> measured(frames.size() * values);
    for (std::size_t i = 0; i < frames.size(); ++i)
      course_.examples.measured(frames[i], std::span(measured).subspan(i * values, values));
    std::vector<OutputQuality> qualities;
    for (std::size_t i = 0, place = 0; i < network_.targets.size(); ++i)
      for (std::size_t k = 0; k < course_.meanings[i].labels.size(); ++k, ++place) {
        std::vector<float> truth;
        for (std::size_t f = 0; f < frames.size(); ++f) truth.push_back(measured[f * values + place]);
        qualities.push_back(
            judged(network_.targets[i].name, course_.meanings[i], k, predictions.outputs[i], truth));
      }
    return qualities;
  }

  // Value k of an output, for every frame of `truth`.
  static OutputQuality judged(const std::string& output, const Meaning& meaning, std::size_t k,
                              const std::vector<float>& predictions, const std::vector<float>& truth) {
    const std::size_t count = predictions.size() / truth.size();
    std::vector<float> said;
    std::size_t right = 0;
    for (std::size_t f = 0; f < truth.size(); ++f) {
      const auto first = predictions.begin() + static_cast<std::ptrdiff_t>(f * count);
      if (!meaning.bins) {
        said.push_back(first[static_cast<std::ptrdiff_t>(k)]);
        continue;
      }
      const std::int64_t bin = std::max_element(first, first + static_cast<std::ptrdiff_t>(count)) - first;
      said.push_back(meaning.bins->middle(bin));
      right += bin == meaning.bins->of(truth[f]) ? 1 : 0;
    }
    OutputQuality result{output, meaning.labels[k], quality(said, truth)};
    if (meaning.bins) result.accuracy = static_cast<double>(right) / static_cast<double>(truth.size());
    return result;
  }

  RunReport report(bool with_validation) {
    RunReport report;
    report.steps = steps_;
    report.steps_done = tally_.step;
    report.frames = tally_.frames;
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
      report.trained = graph::onnx::with_values(network_.file, values);
      report.trained.producer = "OpenDojo";
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
  if (network.parameters.empty())
    refuse(options.recipe.model.string(), "has nothing to train: none of its {} initialisers is a parameter",
           network.file.graph.initialisers.size());
  const Course course = course_for(network);
  check_meanings(network, course);
  if (steps_per_epoch(options, course) == 0)
    refuse("--batch", "{} is more than the {} frames there are to train on", options.recipe.batch,
           course.split.train.size());
  std::optional<SavedRun> saved;
  if (options.resume) {
    saved = read_saved(*options.resume);
    check_same(*options.resume, *saved, identity_of(options, machine, course));
  }
  watcher.phase("compiling");
  const compiler::CompiledNetwork compiled =
      compiler::compile(network.train_step, network.predict, machine,
                        {.nodes = options.nodes, .formats = options.formats, .build_folder = {}});
  if (saved && saved->program != compiled.sha256)
    refuse(checkpoint_in(*options.resume).string(),
           "belongs to another network, or to one that another version compiled");
  check_room(compiled.hbm, machine, course.examples.size());
  write_program(options.out / "program", compiled);
  try {
    return Session(options, machine, network, compiled, course, watcher).go(saved);
  } catch (const UserError&) {
    std::error_code ignored;
    if (!std::filesystem::exists(checkpoint_in(options.out), ignored))
      std::filesystem::remove_all(options.out / "program", ignored);
    throw;
  }
}

}  // namespace dojo::training
