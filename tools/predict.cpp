// dojo predict: what a network says of drives, on the emulated machine.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/printable.h"
#include "commands.h"
#include "data_options.h"
#include "machine/rates.h"
#include "machine_options.h"
#include "output_folder.h"
#include "report/quality_text.h"
#include "report/run_pictures.h"
#include "say.h"
#include "stop_request.h"
#include "train_progress.h"
#include "training/prediction_run.h"
#include "training/predictions.h"
#include "training/run_folder.h"

namespace dojo::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view nothing_written = "nothing was written";

struct PredictArguments : MachineArguments {
  DataArguments data;
  std::string model, out = "out/predict";
  std::uint64_t seed = 1;
  bool held_out = false;
};

// Where the predictions go: a file as it is named, or predictions.csv in a folder, which is then this
// command's own.
class Destination {
public:
  explicit Destination(const fs::path& out) : table_(is_file(out) ? out : out / training::predictions_file) {
    refuse_a_runs_own();
    refuse_other_files(out);
    if (!is_file(out)) {
      folder_.emplace(out);
      return;
    }
    refuse_fifo_without_reader(out);
    const fs::path above = fs::absolute(out).parent_path();
    if (::access(above.c_str(), W_OK) != 0)
      refuse(out.string(), "cannot be written: {}", std::strerror(errno));
  }

  const fs::path& table() const { return table_; }
  // Where a picture goes: only into a folder.
  std::optional<fs::path> picture() const {
    return folder_ ? std::optional(table_.parent_path() / training::predictions_picture_file) : std::nullopt;
  }

private:
  static bool is_file(const fs::path& out) {
    std::error_code none;
    return !fs::is_directory(out, none) && (out.extension() == ".csv" || fs::is_other(out, none));
  }

  // A folder of that name is hardly meant.
  static void refuse_other_files(const fs::path& out) {
    std::error_code none;
    const std::string ending = out.extension().string();
    const bool is_word =
        ending.size() > 1 &&
        std::all_of(ending.begin() + 1, ending.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
    if (is_word && !is_file(out) && !fs::exists(out, none))
      refuse("--out", "{} ends in {}, but what is written is a .csv file, or a folder, which {}/ would name",
             out.string(), ending, out.string());
  }

  // A run's predictions are of its own held-out frames, beside its report. A link is what it leads to.
  void refuse_a_runs_own() const {
    std::error_code none;
    const fs::path real = fs::weakly_canonical(fs::absolute(table_), none);
    if (training::is_a_runs_name(real.filename()) && training::holds_a_run(real.parent_path()))
      refuse(table_.string(), "belongs to the training run there; choose another place");
  }

  fs::path table_;
  std::optional<OutputFolder> folder_;
};

training::PredictionWatcher watcher_for(ProgressLine& line) {
  return {.phase = [&](std::string_view what) { line.phase(what); },
          .progress = [&](std::size_t done, std::size_t all) { line.show_frames(done, all); }};
}

void print_results(const PredictArguments& a, const machine::Machine& machine,
                   const driving::DrivingData& data, const std::vector<training::OutputQuality>& values,
                   const training::PredictionRun& run) {
  const std::size_t frames = values.front().predicted.size();
  fmt::print("{} on {}{} frame{} of {}\n{}\n", printable(a.model), frames, a.held_out ? " held-out" : "",
             frames == 1 ? "" : "s", printable(data.data().name()), report::quality_text(values));
  if (a.host.no_timing) return;
  const double seconds = machine::simulated_seconds(machine, run.cycles);
  fmt::print("on the emulated {}: {} nodes, {:.6f} simulated s, {:.1f} us a batch ({} cycles in all)\n",
             printable(machine.name), run.nodes, seconds, 1e6 * seconds / static_cast<double>(run.batches),
             run.cycles);
}

int predict(const PredictArguments& a) {
  listen_for_stop_requests();
  const machine::Machine machine = machine::read_machine(a.machine);
  codegen::check_machine(machine);
  const unsigned asked = nodes_of(a.nodes, machine), nodes = asked != 0 ? asked : machine.enabled_nodes();
  const codegen::Options compiling{.nodes = asked, .formats = lowering::format_choice(a.formats)};
  system::Host host = host_of(a.host);
  host.interrupted = stop_was_asked;
  // A bad file is refused before the long work.
  training::ForwardNetwork network = training::read_forward_network(a.model, a.batch != 0 ? a.batch : nodes);
  const Destination destination(a.out);
  ProgressLine line;
  line.phase("reading the data set");
  driving::DrivingData data = open_data(a.data, a.seed, a.host.threads, nothing_written);
  const driving::PredictionData wanted = data.for_prediction(network, a.held_out);
  if (a.batch == 0)
    network = training::read_forward_network(a.model, usual_batch(nodes, wanted.frames.size()));

  const training::PredictionRun run = unless_stopped(nothing_written, [&] {
    return training::predict(network, wanted.examples, wanted.frames, machine, compiling, host,
                             watcher_for(line));
  });
  line.finish();
  if (run.interrupted) end_if_stopped(nothing_written);
  const auto values = training::judge(network.targets, wanted.specifications, wanted.measured, run.outputs);
  write_text(destination.table(), training::predictions_csv(data.frames(), wanted.frames, values));
  if (const auto picture = destination.picture())
    write_text(*picture,
               report::predictions_picture(values, wanted.frames, a.held_out ? "held-out frames" : "frames"));
  print_results(a, machine, data, values, run);
  const std::string picture = destination.picture() ? ", " + destination.picture()->string() : "";
  fmt::print("written: {}\n", printable(destination.table().string() + picture));
  return 0;
}

}  // namespace

Command predict_command() {
  auto arguments = std::make_shared<PredictArguments>();
  PredictArguments& a = *arguments;
  return {
      .name = "predict",
      .summary = "Ask a network about drives, on the emulated machine",
      .options = joined(
          {{{.name = "MODEL",
             .into = &a.model,
             .help =
                 "The network, an .onnx file, such as a run's best.onnx. Inputs and outputs as for train; an "
                 "output that no label of the data fits is predicted all the same",
             .is_path = true,
             .required = true}},
           data_options(a.data),
           {{.name = "--held-out",
             .into = &a.held_out,
             .help = "Only the frames that train holds out of this data, instead of all"},
            {.name = "--seed", .into = &a.seed, .help = "Of rendered scenes"}},
           machine_options(a),
           {{.name = "--out",
             .into = &a.out,
             .help = fmt::format(
                 "A name that ends in .csv, or a folder for {} (for each frame its recording and "
                 "number there, the true value where it was measured, and the predicted one) and {}",
                 training::predictions_file, training::predictions_picture_file),
             .is_path = true}}}),
      .footer = "Exit code: 2 for what is refused, 130 after Ctrl-C",
      .run = [arguments](Command&) { return predict(*arguments); }};
}

}  // namespace dojo::tools
