#include "report/dry_run_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "report/duration.h"

namespace dojo::report {
namespace {

constexpr double kib = 1024, mib = 1024 * 1024;

std::string count(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string data_text(const data::Dataset& frames, const training::DryRun& run) {
  const std::size_t recordings = frames.recordings().size();
  return fmt::format("{}: {}{}, {} to train on and {} held out; {} left out", frames.name(),
                     count(frames.size(), "frame"),
                     recordings == 1 ? "" : fmt::format(" in {} recordings", recordings), run.train_frames,
                     run.validation_frames, count(frames.skipped(), "record"));
}

std::string length_text(const training::TrainOptions& options, const training::DryRun& run) {
  return fmt::format("{} of {}, {} an epoch{}", count(run.steps, "step"),
                     count(static_cast<std::uint64_t>(options.recipe.batch), "frame"), run.steps_per_epoch,
                     run.steps_done == 0 ? "" : fmt::format("; {} are done", run.steps_done));
}

std::string sram_text(const training::SramUse& sram, const machine::Machine& machine) {
  const double all = static_cast<double>(sram.all());
  return fmt::format(
      "{:.0f} of {:.0f} KiB of each node ({:.1f} %): parameters and their states {:.0f}, values of a step "
      "{:.0f}, program {:.0f}, stacks {:.0f}",
      all / kib, static_cast<double>(machine.node.sram_bytes) / kib,
      100 * all / static_cast<double>(machine.node.sram_bytes), static_cast<double>(sram.parameters) / kib,
      static_cast<double>(sram.values) / kib, static_cast<double>(sram.program) / kib,
      static_cast<double>(sram.stacks) / kib);
}

std::string step_text(const training::TrainOptions& options, const training::DryRun& run) {
  if (run.steps == run.steps_done) return "none is left to do";
  const std::string first = fmt::format("step {} has the loss {:.5f}", run.steps_done + 1, run.loss);
  if (!options.host.timing) return first + "; cycles are not counted without timing";
  return fmt::format("{} cycles, {:.1f} simulated us, matrix unit {:.2f} % of its peak; {}", run.cycles,
                     run.simulated_seconds * 1e6, 100 * run.matrix_utilisation, first);
}

std::string run_time_text(const training::TrainOptions& options, const training::DryRun& run) {
  if (!options.host.timing || run.steps == run.steps_done) return "";
  const double left = static_cast<double>(run.steps - run.steps_done);
  return fmt::format("  {:<10} {:.4g} s for {} such steps\n", "simulated", run.simulated_seconds * left,
                     run.steps - run.steps_done);
}

std::string host_text(const training::DryRun& run, double reading_seconds) {
  const training::HostSeconds& host = run.host;
  return fmt::format(
      "reading {:.1f} s, compiling {:.1f} s, storing the frames {:.1f} s, translating {:.1f} s, {} of {:.3g} "
      "s, {} of {:.3g} s",
      reading_seconds, host.preparation, host.storing, host.translation,
      count(run.steps - run.steps_done, "step"), host.step, count(run.validations, "validation"),
      host.validation);
}

std::string basis_text(const training::DryRun& run) {
  const std::string steps =
      run.host.measured_steps == 0 ? "" : fmt::format("{}, ", count(run.host.measured_steps, "step"));
  return fmt::format(
      "measured just now, beside whatever else this computer does: {}a batch of predictions, storing their "
      "frames",
      steps);
}

}  // namespace

std::string dry_run_text(const training::TrainOptions& options, const machine::Machine& machine,
                         const training::TrainableNetwork& network, const data::Dataset& frames,
                         const training::DryRun& run, double reading_seconds) {
  std::string text;
  const auto line = [&](std::string_view name, const std::string& words) {
    text += fmt::format("  {:<10} {}\n", name, printable(words));
  };
  text += fmt::format("{} would train; nothing was trained or written\n",
                      printable(options.recipe.model.string()));
  line("trained", fmt::format("{} in {}; {} left as they are", count(network.trained_numbers, "number"),
                              count(network.parameters.size(), "parameter"), network.frozen.size()));
  line("data", data_text(frames, run));
  line("run", length_text(options, run));
  const std::string spread =
      run.in_tiles
          ? "which share the tiles of every op, with tensors in HBM"
          : fmt::format("up to {} on each", count(static_cast<std::uint64_t>(run.samples_per_node), "frame"));
  line("machine", fmt::format("{}: {}, {}; {}", machine.name, count(run.nodes, "node"), spread,
                              lowering::name(options.formats)));
  line("SRAM", sram_text(run.sram, machine));
  line("HBM", fmt::format("{:.1f} of {:.0f} MiB of each of {} interface processors",
                          static_cast<double>(run.hbm_bytes) / mib,
                          static_cast<double>(machine.interface.hbm_bytes) / mib, machine.interface.count));
  line("step", step_text(options, run));
  text += run_time_text(options, run);
  line("here", fmt::format("about {} of wall time", duration(run.seconds_to_expect() + reading_seconds)));
  line("", host_text(run, reading_seconds));
  line("", basis_text(run));
  return text;
}

}  // namespace dojo::report
