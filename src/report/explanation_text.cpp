#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/printable.h"
#include "codegen/memory.h"
#include "machine/rates.h"
#include "report/explanation.h"

namespace dojo::report {
namespace {

using codegen::Sharing;
using codegen::StepAccount;

constexpr std::size_t widest_name = 30, widest_box = 44;

std::string kib_of(std::uint64_t bytes) {
  return bytes == 0 ? "-" : fmt::format("{:.1f}", static_cast<double>(bytes) / 1024);
}

std::string cut_to(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  return text.substr(0, most - 3) + "...";
}

std::string box_text(const StepAccount& step) {
  std::vector<std::string> axes;
  for (const auto& [axis, extent] : step.box)
    if (extent > 1) axes.push_back(fmt::format("{}:{}", axis, extent));
  return axes.empty() ? "-" : fmt::format("{}", fmt::join(axes, " "));
}

std::string shared_text(const StepAccount& step) {
  switch (step.sharing) {
    case Sharing::samples:
      return "samples";
    case Sharing::partial_sum:
      return "partial sums";
    case Sharing::shards:
      return "shards";
    case Sharing::alike:
      return "alike";
    case Sharing::rows:
      return fmt::format("rows in {}", step.turns);
    case Sharing::records:
      return "records";
    case Sharing::collective:
      return "all nodes";
    case Sharing::tiles:
      break;
  }
  std::vector<std::string> cuts;
  for (const auto& [axis, pieces] : step.cuts) cuts.push_back(fmt::format("{} {}", pieces, axis));
  return step.cuts.empty() ? "one node" : fmt::format("tiles: {}", fmt::join(cuts, " x "));
}

// The columns of a table, each as wide as its widest cell; the first ones to the left.
class Table {
public:
  static constexpr std::size_t columns = 11;
  using Row = std::array<std::string, columns>;

  explicit Table(std::array<bool, columns> to_the_right) : to_the_right_(to_the_right) {}
  void add(Row row) {
    for (std::size_t c = 0; c < columns; ++c) width_[c] = std::max(width_[c], row[c].size());
    rows_.push_back(std::move(row));
  }
  std::string text() const {
    std::string text;
    for (const Row& row : rows_) {
      std::string line;
      for (std::size_t c = 0; c < columns; ++c)
        line += to_the_right_[c] ? fmt::format("  {:>{}}", row[c], width_[c])
                                 : fmt::format("  {:<{}}", row[c], width_[c]);
      line.erase(line.find_last_not_of(' ') + 1);
      text += printable(line) + "\n";
    }
    return text;
  }

private:
  std::array<bool, columns> to_the_right_;
  std::array<std::size_t, columns> width_ = {};
  std::vector<Row> rows_;
};

double cycles_of(const codegen::CompiledProgram& program) {
  double cycles = 0;
  for (const StepAccount& step : program.account) cycles += step.cycles();
  return cycles;
}

std::string table_text(const codegen::CompiledProgram& program) {
  Table table({true, false, false, false, false, false, true, true, true, true, true});
  table.add(
      {"op", "what", "kernel", "box of a node", "formats", "shared", "SRAM", "HBM", "sent", "cycles", "%"});
  const double all = std::max(1.0, cycles_of(program));
  for (const StepAccount& step : program.account)
    table.add({fmt::format("{}", step.id), cut_to(step.name, widest_name), step.kind,
               cut_to(box_text(step), widest_box), fmt::format("{}", fmt::join(step.formats, " ")),
               shared_text(step), kib_of(step.alive_bytes), kib_of(step.hbm_bytes),
               kib_of(step.network_bytes), fmt::format("{:.0f}", step.cycles()),
               fmt::format("{:.1f}", 100 * step.cycles() / all)});
  return table.text();
}

// What is said of a way of sharing, and of which steps.
std::string reasons_text(const codegen::CompiledNetwork& network, const codegen::CompiledProgram& program) {
  std::vector<std::pair<std::string, std::string>> reasons;  // the sentence, its steps
  for (const StepAccount& step : program.account) {
    const std::string sentence = why(step, network);
    const auto found = std::ranges::find(reasons, sentence, &std::pair<std::string, std::string>::first);
    if (found == reasons.end())
      reasons.emplace_back(sentence, fmt::format("{}", step.id));
    else
      found->second += fmt::format(", {}", step.id);
  }
  std::string text = "why\n";
  for (const auto& [sentence, steps] : reasons)
    text += printable(fmt::format("  op {}: {}", steps, sentence)) + "\n";
  return text;
}

std::string asking_text(const training::Asking& asking, const training::Asking& asked) {
  std::vector<std::string> changes;
  if (asking.formats != asked.formats) changes.push_back(fmt::format("formats {}", name(asking.formats)));
  if (asking.nodes != asked.nodes) changes.push_back(fmt::format("{} nodes", asking.nodes));
  if (asking.batch != asked.batch) changes.push_back(fmt::format("a batch of {}", asking.batch));
  return fmt::format("{}", fmt::join(changes, ", "));
}

std::string attempts_text(const training::Explanation& explanation) {
  std::string text;
  for (const training::Attempt& attempt : explanation.attempts)
    text += printable(fmt::format("  {} {}", asking_text(attempt.asking, explanation.asking),
                                  !attempt.refused ? std::string("would do")
                                                   : fmt::format("would not: {}", attempt.refused->what()))) +
            "\n";
  const bool none = std::ranges::none_of(explanation.attempts,
                                         [](const training::Attempt& attempt) { return !attempt.refused; });
  const std::string_view wanted = explanation.compiled ? "samples in SRAM" : "a network that fits";
  return fmt::format("towards {}, {}\n{}", wanted, none ? "nothing that was tried helps" : "tried", text);
}

std::string head_text(std::string_view name, const machine::Machine& machine,
                      const training::Explanation& explanation) {
  const codegen::CompiledNetwork& network = *explanation.compiled;
  const codegen::CompiledProgram& program = explanation.program();
  std::string text;
  const auto line = [&](std::string_view of, const std::string& words) {
    text += fmt::format("  {:<8} {}\n", of, printable(words));
  };
  text += printable(fmt::format("{}: {} of {} samples on {}, {} nodes, {}", name,
                                explanation.trains ? "a training step" : "a forward pass", network.batch,
                                machine.name, network.nodes, lowering::name(explanation.asking.formats))) +
          "\n";
  const bool in_tiles = network.spread == codegen::Spread::tiles;
  line("spread", in_tiles ? "tensors lie in HBM, and the nodes share the tiles of every op"
                          : fmt::format("by samples, up to {} on each node; all tensors lie in SRAM",
                                        network.samples_per_node));
  if (network.not_samples) line("", fmt::format("by samples it cannot be: {}", network.not_samples->what()));
  const std::uint64_t parameters = network.persistent.bytes();
  const std::uint64_t used = parameters + program.scratch_bytes + program.image_end + codegen::stack_bytes;
  line("SRAM",
       fmt::format(
           "{} of {} KiB of each node: parameters and their states {}, values {}, program {}, stacks {}",
           kib_of(used), kib_of(machine.node.sram_bytes), kib_of(parameters), kib_of(program.scratch_bytes),
           kib_of(program.image_end), kib_of(codegen::stack_bytes)));
  line("HBM", fmt::format("{} KiB of each of {} interface processors, with the records of one batch",
                          kib_of(network.hbm.bytes_with(static_cast<std::size_t>(network.batch))),
                          machine.interface.count));
  const double cycles = cycles_of(program);
  line("cycles",
       fmt::format("about {:.0f}, {:.3g} ms: estimated for the busiest node from points and bytes, "
                   "without what nodes wait for each other",
                   cycles, 1e3 * machine::simulated_seconds(machine, static_cast<std::uint64_t>(cycles))));
  return text;
}

}  // namespace

std::string explanation_text(std::string_view name, const machine::Machine& machine,
                             const training::Explanation& explanation) {
  std::string text;
  if (explanation.compiled) {
    text = head_text(name, machine, explanation);
    text += "\n" + table_text(explanation.program());
    text +=
        "  SRAM, HBM, sent: KiB that are alive in a node meanwhile, that it exchanges with HBM, and puts for "
        "other nodes\n";
    text += "\n" + reasons_text(*explanation.compiled, explanation.program());
  }
  if (!explanation.attempts.empty()) text += (text.empty() ? "" : "\n") + attempts_text(explanation);
  return text;
}

}  // namespace dojo::report
