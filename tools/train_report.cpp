#include "train_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "numerics/format.h"
#include "quality_text.h"

namespace dojo::tools {
namespace {

using Json = nlohmann::ordered_json;

// Ledger keys of docs/notes/004 and their names in the report.
const std::vector<std::pair<std::string, std::string>> causes = {
    {"cycles.issue", "instructions issued"},   {"cycles.dependency", "waiting for a result"},
    {"cycles.unit", "waiting for a unit"},     {"cycles.sram", "waiting for SRAM"},
    {"cycles.network", "waiting for network"}, {"cycles.synchronisation", "synchronisation"},
    {"cycles.idle", "finished early"}};

struct Traffic {
  std::string part, event, name;
};
const std::vector<Traffic> levels = {{"nodes", "sram.read_bytes", "SRAM read"},
                                     {"nodes", "sram.write_bytes", "SRAM written"},
                                     {"nodes", "network.put_bytes", "put to other nodes"},
                                     {"nodes", "network.get_bytes", "got from other nodes and HBM"},
                                     {"mesh", "mesh.byte_hops", "mesh, bytes x hops"},
                                     {"hbm", "hbm.read_bytes", "HBM read"},
                                     {"hbm", "hbm.write_bytes", "HBM written"}};

std::uint64_t traffic(const machine::Ledger& ledger, const Traffic& level) {
  std::uint64_t sum = 0;
  for (const auto& [key, count] : ledger.rows())
    if (key.event == level.event && key.part.starts_with(level.part)) sum += count;
  return sum;
}

Json validation_json(const training::OutputQuality& output) {
  Json json = {{"output", output.output},
               {"label", output.label},
               {"r2", output.quality.r2},
               {"rmse", output.quality.rmse},
               {"mae", output.quality.mae},
               {"constant_rmse", output.quality.constant_rmse},
               {"constant_mae", output.quality.constant_mae}};
  if (output.accuracy) json["accuracy"] = *output.accuracy;
  return json;
}

Json machine_json(const machine::Machine& machine) {
  Json parameters = Json::array();
  for (const auto& parameter : machine.parameters)
    parameters.push_back({{"key", parameter.key},
                          {"value", parameter.value},
                          {"unit", parameter.unit},
                          {"origin", parameter.origin},
                          {"source", parameter.source}});
  return {{"name", machine.name}, {"description", machine.description}, {"parameters", parameters}};
}

double per_cpu_second(const training::RunReport& report) {
  return report.cpu_seconds > 0 ? static_cast<double>(report.frames) / report.cpu_seconds : 0;
}

}  // namespace

std::string run_json(const training::TrainOptions& options, const machine::Machine& machine,
                     const training::RunReport& report, const std::string& data_name) {
  Json json;
  json["opendojo"] = DOJO_VERSION;
  json["network"] = options.recipe.model.string();
  json["data"] = data_name;
  json["formats"] = std::string(compiler::name(options.formats));
  json["optimizer"] = std::holds_alternative<graph::Sgd>(options.recipe.optimizer) ? "sgd" : "adamw";
  json["schedule"] = training::name(options.schedule);
  json["learning_rate"] = options.learning_rate;
  json["batch"] = options.recipe.batch;
  json["seed"] = options.recipe.seed;
  json["steps"] = report.steps_done;
  json["frames"] = report.frames;
  json["train_frames"] = report.train_frames;
  json["validation_frames"] = report.validation_frames;
  json["losses"] = report.losses;
  if (!report.validation.empty()) json["validation"] = validation_json(report.validation.front());
  json["outputs"] = Json::array();
  for (const auto& output : report.validation) json["outputs"].push_back(validation_json(output));
  json["weights_sha256"] = report.weights_sha256;
  json["program_sha256"] = report.program_sha256;
  json["nodes"] = report.nodes;
  json["samples_per_node"] = report.samples_per_node;
  json["cycles"] = report.cycles;
  json["simulated_seconds"] = report.simulated_seconds;
  json["matrix_utilisation"] = report.matrix_utilisation;
  for (const auto& [event, name] : causes)
    json["cycles_by_cause"][event.substr(7)] = report.ledger.total("nodes", event);
  for (const Traffic& level : levels) json["bytes"][level.event] = traffic(report.ledger, level);
  json["host"] = {{"cpu_seconds", report.cpu_seconds},
                  {"wall_seconds", report.wall_seconds},
                  {"peak_bytes", report.peak_bytes},
                  {"frames_per_cpu_second", per_cpu_second(report)}};
  json["machine"] = machine_json(machine);
  json["ledger"] = Json::array();
  for (const auto& [key, count] : report.ledger.rows())
    json["ledger"].push_back({key.part, key.op, key.event, count});
  return json_text(json, 1) + "\n";
}

std::string run_text(const machine::Machine& machine, const training::RunReport& report) {
  std::string text;
  const auto line = [&]<typename... Arguments>(fmt::format_string<Arguments...> format,
                                               Arguments&&... arguments) {
    text += fmt::format(format, std::forward<Arguments>(arguments)...) + "\n";
  };
  line("validation on {} held-out frames", report.validation_frames);
  text += quality_text(report.validation);
  if (report.best)
    line("  best after epoch {}: {}R2 {:.4f}; best.onnx is of then, trained.onnx of the end",
         report.best->epoch, report.validation.size() == 1 ? "" : "mean ", report.best->score.mean_r2);
  line("");
  line("on the emulated {}: {} nodes, {} steps, {} frames", machine.name, report.nodes, report.steps_done,
       report.frames);
  const double steps = static_cast<double>(std::max<std::uint64_t>(1, report.steps_done));
  line("  simulated time       {:.6f} s, {:.1f} us a step ({} cycles in all)", report.simulated_seconds,
       report.simulated_seconds / steps * 1e6, report.cycles);
  line("  matrix utilisation   {:.2f} % of the peak rate", 100 * report.matrix_utilisation);
  double all = 0;
  for (const auto& [event, name] : causes) all += static_cast<double>(report.ledger.total("nodes", event));
  if (all > 0) {
    line("  cycles of all nodes by cause");
    for (const auto& [event, name] : causes)
      line("    {:<22} {:5.1f} %", name,
           100 * static_cast<double>(report.ledger.total("nodes", event)) / all);
  }
  line("  bytes moved, a step");
  for (const Traffic& level : levels)
    line("    {:<30} {:.3f} MB", level.name,
         static_cast<double>(traffic(report.ledger, level)) / steps / 1e6);
  line("");
  line("here: {:.1f} s of CPU, {:.1f} s of wall time, {:.1f} frames per CPU-second, {:.2f} GB at most",
       report.cpu_seconds, report.wall_seconds, per_cpu_second(report),
       static_cast<double>(report.peak_bytes) / 1e9);
  line("weights sha256 {}", report.weights_sha256);
  return text;
}

}  // namespace dojo::tools
