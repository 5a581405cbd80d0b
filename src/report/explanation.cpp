#include "report/explanation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "codegen/memory.h"
#include "machine/rates.h"

namespace dojo::report {
namespace {

using codegen::Sharing;
using codegen::StepAccount;
using Json = nlohmann::ordered_json;

std::string_view word(Sharing sharing) {
  switch (sharing) {
    case Sharing::samples:
      return "samples";
    case Sharing::partial_sum:
      return "partial sums";
    case Sharing::shards:
      return "shards";
    case Sharing::alike:
      return "alike";
    case Sharing::rows:
      return "rows";
    case Sharing::tiles:
      return "tiles";
    case Sharing::records:
      return "records";
    case Sharing::collective:
      return "collective";
  }
  return "";
}

std::string why_tiles(const StepAccount& step, unsigned nodes) {
  if (step.tiles == 1) return "one node does all of it: nothing of it can be cut so that it becomes faster";
  std::vector<std::string> axes;
  for (const auto& [axis, pieces] : step.cuts) axes.push_back(fmt::format("{} of {}", pieces, axis));
  const std::int64_t rounds = (step.tiles + nodes - 1) / nodes;
  const std::string turns =
      step.turns == 1 ? ""
                      : fmt::format("; a tile takes {} turns, each of which adds to its sum", step.turns);
  return fmt::format(
      "cut into {} tiles ({}), {} for the busiest of {} nodes, the fewest cycles of the cuts that were "
      "estimated; most of them {}{}",
      step.tiles, fmt::join(axes, ", "), rounds, nodes,
      step.compute_cycles > step.transfer_cycles ? "computing" : "transfers from and to HBM", turns);
}

std::string why_collective(const StepAccount& step) {
  if (step.kind == "gather")
    return "every node reads what each holds a shard of: weights, in the format in which they are read";
  if (step.kind == "reduce-scatter")
    return "sums over the samples that only the owners of the shards need: gradients of parameters";
  if (step.kind == "all-reduce") return "sums over the samples that every node reads";
  return "something moves among the nodes";
}

Json pairs(const std::vector<std::pair<std::string, std::int64_t>>& list) {
  Json rows = Json::array();
  for (const auto& [axis, extent] : list) rows.push_back({axis, extent});
  return rows;
}

Json json_of(const StepAccount& step, const codegen::CompiledNetwork& network) {
  return {{"id", step.id},
          {"name", step.name},
          {"origin", step.origin},
          {"kind", step.kind},
          {"shared", word(step.sharing)},
          {"why", why(step, network)},
          {"box", pairs(step.box)},
          {"cuts", pairs(step.cuts)},
          {"tiles", step.tiles},
          {"turns", step.turns},
          {"tensors", step.tensors},
          {"formats", step.formats},
          {"sram_bytes", step.sram_bytes},
          {"alive_bytes", step.alive_bytes},
          {"hbm_bytes", step.hbm_bytes},
          {"network_bytes", step.network_bytes},
          {"multiply_adds", step.multiply_adds},
          {"estimated_cycles", {{"compute", step.compute_cycles}, {"transfer", step.transfer_cycles}}}};
}

Json json_of(const training::Attempt& attempt) {
  return {{"batch", attempt.asking.batch},
          {"nodes", attempt.asking.nodes},
          {"formats", lowering::name(attempt.asking.formats)},
          {"fits", !attempt.refused},
          {"refused", attempt.refused ? attempt.refused->what() : ""}};
}

}  // namespace

std::string why(const StepAccount& step, const codegen::CompiledNetwork& network) {
  switch (step.sharing) {
    case Sharing::samples:
      return fmt::format(
          "has the batch among its axes: each node computes its own {} of {} samples, and nothing travels",
          network.samples_per_node, network.batch);
    case Sharing::partial_sum:
      return "sums over the batch: each node adds up its own samples, and the nodes' sums are added "
             "afterwards";
    case Sharing::shards:
      return "works element by element on what has a parameter's shape: each node does the part that it "
             "holds";
    case Sharing::alike:
      return "has no batch and is read by every node, which computes it for itself";
    case Sharing::rows:
      return fmt::format(
          "reads or makes a weight that no node holds whole: {} groups of its rows, one after the other",
          step.turns);
    case Sharing::tiles:
      return why_tiles(step, network.nodes);
    case Sharing::records:
      return step.kind == "fetch"
                 ? "each node reads its own samples from HBM, and what the host gives with a launch"
                 : "what the host reads";
    case Sharing::collective:
      return why_collective(step);
  }
  return "";
}

Json program_account_json(const codegen::CompiledNetwork& network, const codegen::CompiledProgram& program) {
  const bool in_tiles = network.spread == codegen::Spread::tiles;
  Json json;
  json["nodes"] = network.nodes;
  json["batch"] = network.batch;
  json["spread"] = in_tiles ? "tiles" : "samples";
  json["samples_per_node"] = network.samples_per_node;
  json["not_samples"] = network.not_samples ? network.not_samples->what() : "";
  json["sram_bytes"] = {{"parameters", network.persistent.bytes()},
                        {"values", program.scratch_bytes},
                        {"program", program.image_end},
                        {"stacks", codegen::stack_bytes}};
  json["hbm_bytes"] = network.hbm.bytes_with(static_cast<std::size_t>(network.batch));
  json["estimated_cycles"] = 0.0;
  json["ops"] = Json::array();
  double cycles = 0;
  for (const StepAccount& step : program.account) {
    cycles += step.cycles();
    json["ops"].push_back(json_of(step, network));
  }
  json["estimated_cycles"] = cycles;
  return json;
}

std::string explanation_json(std::string_view name, const machine::Machine& machine,
                             const training::Explanation& explanation) {
  Json json;
  json["network"] = name;
  json["machine"] = machine.name;
  json["program"] = explanation.trains ? "training step" : "forward pass";
  json["asked"] = {{"batch", explanation.asking.batch},
                   {"nodes", explanation.asking.nodes},
                   {"formats", lowering::name(explanation.asking.formats)}};
  json["refused"] = explanation.refused ? explanation.refused->what() : "";
  if (explanation.compiled) json.update(program_account_json(*explanation.compiled, explanation.program()));
  json["attempts"] = Json::array();
  for (const training::Attempt& attempt : explanation.attempts) json["attempts"].push_back(json_of(attempt));
  return json_text(json, 1) + "\n";
}

}  // namespace dojo::report
