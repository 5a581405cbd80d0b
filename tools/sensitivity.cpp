#include "sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/parallel.h"
#include "machine/rates.h"
#include "stop_request.h"

namespace dojo::tools {

namespace {

using machine::Variant;
using Runs = std::span<const PlausibleRun>;
using Variants = std::span<const Variant>;

double cycles_of(const Variant&, const PlausibleRun& run, unsigned) {
  return static_cast<double>(run.result.cycles);
}

double per_cycle(const Variant&, const PlausibleRun& run, unsigned) {
  const double instructions = static_cast<double>(run.result.instructions);
  return run.result.cycles == 0 ? 0 : instructions / static_cast<double>(run.result.cycles);
}

double matrix_of(const Variant& variant, const PlausibleRun& run, unsigned nodes) {
  return matrix_utilisation(variant.machine, nodes, run.result);
}

double simd_of(const Variant&, const PlausibleRun& run, unsigned nodes) {
  return simd_utilisation(nodes, run.result);
}

struct Figure {
  std::string_view name, key;  // for people, in JSON
  double (*value)(const Variant&, const PlausibleRun&, unsigned nodes);
  double scale;
  int decimals;
  std::string_view unit;
};

constexpr std::array figures = {
    Figure{"cycles", "cycles", cycles_of, 1, 0, ""},
    Figure{"per cycle", "instructions_per_cycle", per_cycle, 1, 3, ""},
    Figure{"matrix unit", "matrix_utilisation", matrix_of, 100, 2, " %"},
    Figure{"SIMD pipe", "simd_utilisation", simd_of, 100, 2, " %"},
};

std::vector<double> values_of(const Figure& figure, Variants variants, Runs runs, unsigned nodes) {
  std::vector<double> values;
  for (std::size_t i = 0; i < runs.size(); ++i) values.push_back(figure.value(variants[i], runs[i], nodes));
  return values;
}

// "+12.3 %" of the baseline.
std::string change(double value, double baseline) {
  return baseline == 0 ? "" : fmt::format("{:+.1f} %", 100 * (value - baseline) / baseline);
}

void print_influences(Variants variants, std::span<const double> cycles) {
  const auto list = machine::influences(variants, cycles);
  fmt::print("  {:<35}{:>6} {:>7} {:>24} {:>24}\n", "one at a time", "fast", "slow", "cycles if fast",
             "if slow");
  std::string none;
  for (const machine::Influence& one : list) {
    if (one.spread() == 0) {
      none += (none.empty() ? "" : ", ") + one.key;
      continue;
    }
    fmt::print("  {:<35}{:>6} {:>7} {:>14.0f} {:>9} {:>14.0f} {:>9}\n", one.key, one.plausible.fast,
               one.plausible.slow, one.at_fast, change(one.at_fast, cycles[0]), one.at_slow,
               change(one.at_slow, cycles[0]));
  }
  if (!none.empty()) fmt::print("  without effect: {}\n", none);
}

// Where `same(run)` does not hold: "x = 1" or "x = 1 and 3 others"; empty if nowhere.
template <typename Same>
std::string where_not(Variants variants, Runs runs, Same same) {
  std::string first;
  std::size_t count = 0;
  for (std::size_t i = 1; i < runs.size(); ++i) {
    if (same(runs[i])) continue;
    if (count++ == 0) first = variants[i].name;
  }
  if (count < 2) return first;
  return fmt::format("{} and {} other{}", first, count - 1, count == 2 ? "" : "s");
}

}  // namespace

InputSource InputTape::reader() {
  return [this, at = std::size_t{0}](std::span<std::byte> to) mutable {
    const std::size_t count = copy(at, to);
    at += count;
    return count;
  };
}

std::size_t InputTape::copy(std::size_t from, std::span<std::byte> to) {
  const std::lock_guard lock(lock_);
  if (from == held_.size() && !ended_ && !to.empty()) {
    held_.resize(from + to.size());
    const std::size_t got = source_(std::span(held_).subspan(from));
    held_.resize(from + got);
    ended_ = got == 0;
  }
  const std::size_t count = std::min(to.size(), held_.size() - from);
  std::ranges::copy(std::span(held_).subspan(from, count), to.begin());
  return count;
}

std::vector<PlausibleRun> run_variants(const ProgramOptions& options, Variants variants,
                                       const system::Program& program, InputTape& input,
                                       PlausibleRun baseline) {
  std::vector<PlausibleRun> runs(variants.size());
  runs[0] = std::move(baseline);
  parallel_for(options.host.threads, variants.size() - 1, [&](std::size_t index) {
    PlausibleRun& run = runs[index + 1];
    system::LaunchOptions launch = launch_options(options);
    launch.host.threads = 1;
    launch.measure_memory = false;
    launch.host.interrupted = stop_was_asked;
    launch.text_input = input.reader();
    launch.text_output = [&run](std::string_view words) { run.output += words; };
    launch.error_output = [&run](std::string_view words) { run.error_output += words; };
    system::Computer computer(variants[index + 1].machine, options.nodes);
    run.result = computer.launch(program, 0, 0, launch);
  });
  return runs;
}

double matrix_utilisation(const machine::Machine& machine, unsigned nodes,
                          const system::LaunchResult& result) {
  return machine::matrix_utilisation(machine, nodes, result.ledger, result.cycles);
}

double simd_utilisation(unsigned nodes, const system::LaunchResult& result) {
  if (result.cycles == 0) return 0;
  const double cycles = static_cast<double>(result.cycles) * nodes;
  return static_cast<double>(result.ledger.total(event_of(machine::Counter::simd_busy))) / cycles;
}

std::vector<std::string> timing_dependences(Variants variants, Runs runs) {
  const PlausibleRun& first = runs[0];
  const std::pair<std::string_view, std::string> found[] = {
      {"way of ending",
       where_not(variants, runs,
                 [&](const PlausibleRun& run) { return run.result.outcome == first.result.outcome; })},
      {"exit code",
       where_not(variants, runs,
                 [&](const PlausibleRun& run) { return run.result.exit_code == first.result.exit_code; })},
      {"output", where_not(variants, runs,
                           [&](const PlausibleRun& run) {
                             return run.output == first.output && run.error_output == first.error_output;
                           })},
      {"number of instructions", where_not(variants, runs,
                                           [&](const PlausibleRun& run) {
                                             return run.result.instructions == first.result.instructions;
                                           })},
  };
  std::vector<std::string> clauses;
  for (const auto& [what, where] : found)
    if (!where.empty())
      clauses.push_back(fmt::format("the program's {} depends on timing: it differs with {}", what, where));
  return clauses;
}

void print_sensitivity(Variants variants, Runs runs, unsigned nodes) {
  fmt::print("over what is plausible for the unpublished parameters of {} ({} runs)\n",
             variants[0].machine.name, runs.size());
  fmt::print("  {:<12} {:>14} {:>14} {:>14}\n", "", "as the file", "low", "high");
  for (const Figure& figure : figures) {
    const auto range = machine::range_of(values_of(figure, variants, runs, nodes));
    const auto text = [&](double value) {
      return fmt::format("{:.{}f}{}", figure.scale * value, figure.decimals, figure.unit);
    };
    fmt::print("  {:<12} {:>14} {:>14} {:>14}\n", figure.name, text(range.baseline), text(range.low),
               text(range.high));
  }
  const std::vector<double> cycles = values_of(figures[0], variants, runs, nodes);
  const auto range = machine::range_of(cycles);
  fmt::print(
      "  fewest cycles with {}, most with {}; {:.0f} with everything fast, {:.0f} with everything slow\n",
      variants[range.low_at].name, variants[range.high_at].name, cycles[cycles.size() - 2], cycles.back());
  print_influences(variants, cycles);
}

nlohmann::ordered_json json_of_sensitivity(Variants variants, Runs runs, unsigned nodes) {
  nlohmann::ordered_json json{{"runs", runs.size()}};
  for (const Figure& figure : figures) {
    const auto range = machine::range_of(values_of(figure, variants, runs, nodes));
    json["ranges"][std::string(figure.key)] = {{"baseline", range.baseline},
                                               {"low", range.low},
                                               {"high", range.high},
                                               {"low_with", variants[range.low_at].name},
                                               {"high_with", variants[range.high_at].name}};
  }
  const std::vector<double> cycles = values_of(figures[0], variants, runs, nodes);
  for (const machine::Influence& one : machine::influences(variants, cycles))
    json["parameters"].push_back({{"key", one.key},
                                  {"fast", one.plausible.fast},
                                  {"slow", one.plausible.slow},
                                  {"source", one.plausible.source},
                                  {"cycles_at_fast", one.at_fast},
                                  {"cycles_at_slow", one.at_slow}});
  json["cycles_everything_fast"] = cycles[cycles.size() - 2];
  json["cycles_everything_slow"] = cycles.back();
  json["depends_on_timing"] = timing_dependences(variants, runs);
  return json;
}

}  // namespace dojo::tools
