#include "report/sensitivity_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "machine/rates.h"

namespace dojo::report {
namespace {

using machine::Variant;
using runtime::ProgramRun;

double cycles_of(const Variant&, const ProgramRun& run, unsigned) {
  return static_cast<double>(run.result.cycles);
}

double per_cycle(const Variant&, const ProgramRun& run, unsigned) {
  const double instructions = static_cast<double>(run.result.instructions);
  return run.result.cycles == 0 ? 0 : instructions / static_cast<double>(run.result.cycles);
}

double matrix_of(const Variant& variant, const ProgramRun& run, unsigned nodes) {
  return machine::matrix_utilisation(variant.machine, nodes, run.result.ledger, run.result.cycles);
}

double simd_of(const Variant&, const ProgramRun& run, unsigned nodes) {
  return machine::simd_utilisation(nodes, run.result.ledger, run.result.cycles);
}

struct Figure {
  std::string_view name, key;  // for people, in JSON
  double (*value)(const Variant&, const ProgramRun&, unsigned nodes);
  double scale;
  int decimals;
  std::string_view unit;
};

constexpr std::array sensitivity_figures = {
    Figure{"cycles", "cycles", cycles_of, 1, 0, ""},
    Figure{"per cycle", "instructions_per_cycle", per_cycle, 1, 3, ""},
    Figure{"matrix unit", "matrix_utilisation", matrix_of, 100, 2, " %"},
    Figure{"SIMD pipe", "simd_utilisation", simd_of, 100, 2, " %"},
};

std::vector<double> values_of(const Figure& figure, const Sensitivity& all) {
  std::vector<double> values;
  for (std::size_t i = 0; i < all.runs.size(); ++i)
    values.push_back(figure.value(all.variants[i], all.runs[i], all.nodes));
  return values;
}

// "+12.3 %" of the baseline.
std::string change(double value, double baseline) {
  return baseline == 0 ? "" : fmt::format("{:+.1f} %", 100 * (value - baseline) / baseline);
}

std::string influences_text(std::span<const Variant> variants, std::span<const double> cycles) {
  const auto list = machine::influences(variants, cycles);
  std::string text = fmt::format("  {:<35}{:>6} {:>7} {:>24} {:>24}\n", "one at a time", "fast", "slow",
                                 "cycles if fast", "if slow");
  std::string none;
  for (const machine::Influence& one : list) {
    if (one.spread() == 0) {
      none += (none.empty() ? "" : ", ") + one.key;
      continue;
    }
    text += fmt::format("  {:<35}{:>6} {:>7} {:>14.0f} {:>9} {:>14.0f} {:>9}\n", one.key, one.plausible.fast,
                        one.plausible.slow, one.at_fast, change(one.at_fast, cycles[0]), one.at_slow,
                        change(one.at_slow, cycles[0]));
  }
  if (!none.empty()) text += fmt::format("  without effect: {}\n", none);
  return text;
}

// Where `same(run)` does not hold: "x = 1" or "x = 1 and 3 others"; empty if nowhere.
template <typename Same>
std::string where_not(const Sensitivity& all, Same same) {
  std::string first;
  std::size_t count = 0;
  for (std::size_t i = 1; i < all.runs.size(); ++i) {
    if (same(all.runs[i])) continue;
    if (count++ == 0) first = all.variants[i].name;
  }
  if (count < 2) return first;
  return fmt::format("{} and {} other{}", first, count - 1, count == 2 ? "" : "s");
}

}  // namespace

std::vector<std::string> timing_dependences(const Sensitivity& all) {
  const ProgramRun& first = all.runs[0];
  const std::pair<std::string_view, std::string> found[] = {
      {"way of ending",
       where_not(all, [&](const ProgramRun& run) { return run.result.outcome == first.result.outcome; })},
      {"exit code",
       where_not(all, [&](const ProgramRun& run) { return run.result.exit_code == first.result.exit_code; })},
      {"output", where_not(all,
                           [&](const ProgramRun& run) {
                             return run.output == first.output && run.error_output == first.error_output;
                           })},
      {"number of instructions",
       where_not(
           all, [&](const ProgramRun& run) { return run.result.instructions == first.result.instructions; })},
  };
  std::vector<std::string> clauses;
  for (const auto& [what, where] : found)
    if (!where.empty())
      clauses.push_back(fmt::format("the program's {} depends on timing: it differs with {}", what, where));
  return clauses;
}

std::string sensitivity_text(const Sensitivity& all) {
  std::string text = fmt::format("over what is plausible for the unpublished parameters of {} ({} runs)\n",
                                 all.variants[0].machine.name, all.runs.size());
  text += fmt::format("  {:<12} {:>14} {:>14} {:>14}\n", "", "as the file", "low", "high");
  for (const Figure& figure : sensitivity_figures) {
    const auto range = machine::range_of(values_of(figure, all));
    const auto words = [&](double value) {
      return fmt::format("{:.{}f}{}", figure.scale * value, figure.decimals, figure.unit);
    };
    text += fmt::format("  {:<12} {:>14} {:>14} {:>14}\n", figure.name, words(range.baseline),
                        words(range.low), words(range.high));
  }
  const std::vector<double> cycles = values_of(sensitivity_figures[0], all);
  const auto range = machine::range_of(cycles);
  text += fmt::format(
      "  fewest cycles with {}, most with {}; {:.0f} with everything fast, {:.0f} with everything slow\n",
      all.variants[range.low_at].name, all.variants[range.high_at].name, cycles[cycles.size() - 2],
      cycles.back());
  text += influences_text(all.variants, cycles);
  for (const std::string& clause : timing_dependences(all)) text += fmt::format("  {}\n", clause);
  return text;
}

nlohmann::ordered_json sensitivity_json(const Sensitivity& all) {
  nlohmann::ordered_json json{{"runs", all.runs.size()}};
  for (const Figure& figure : sensitivity_figures) {
    const auto range = machine::range_of(values_of(figure, all));
    json["ranges"][std::string(figure.key)] = {{"baseline", range.baseline},
                                               {"low", range.low},
                                               {"high", range.high},
                                               {"low_with", all.variants[range.low_at].name},
                                               {"high_with", all.variants[range.high_at].name}};
  }
  const std::vector<double> cycles = values_of(sensitivity_figures[0], all);
  for (const machine::Influence& one : machine::influences(all.variants, cycles))
    json["parameters"].push_back({{"key", one.key},
                                  {"fast", one.plausible.fast},
                                  {"slow", one.plausible.slow},
                                  {"source", one.plausible.source},
                                  {"cycles_at_fast", one.at_fast},
                                  {"cycles_at_slow", one.at_slow}});
  json["cycles_everything_fast"] = cycles[cycles.size() - 2];
  json["cycles_everything_slow"] = cycles.back();
  json["depends_on_timing"] = timing_dependences(all);
  return json;
}

}  // namespace dojo::report
