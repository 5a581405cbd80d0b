#include "report/run_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ranges>
#include <vector>

#include "base/json_text.h"
#include "base/printable.h"
#include "machine/events.h"
#include "report/quality_text.h"

namespace dojo::report {
namespace {

using Json = nlohmann::ordered_json;

using machine::cause_events;
using machine::Event;

auto traffic_events() {
  return machine::counter_events |
         std::views::filter([](const Event& event) { return !event.reported.empty(); });
}

Json validation_json(const training::OutputQuality& output) {
  Json json = {{"output", output.output}, {"label", output.label}};
  if (output.classes_are_names) {
    json["accuracy"] = *output.accuracy;
    return json;
  }
  json.update({{"r2", output.quality.r2},
               {"rmse", output.quality.rmse},
               {"mae", output.quality.mae},
               {"constant_rmse", output.quality.constant_rmse},
               {"constant_mae", output.quality.constant_mae}});
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

// What the merit of these values is (training/validation.h).
std::string_view merit_of(const std::vector<training::OutputQuality>& values) {
  const auto names = std::ranges::count_if(values, &training::OutputQuality::classes_are_names);
  if (names == 0) return "R2";
  return names == std::ssize(values) ? "accuracy" : "R2 and accuracy";
}

double per_cpu_second(const training::RunReport& report) {
  const training::HostUse& host = report.host;
  return host.cpu_seconds > 0 ? static_cast<double>(host.frames) / host.cpu_seconds : 0;
}

}  // namespace

std::string run_json(const training::TrainOptions& options, const machine::Machine& machine,
                     const training::RunReport& report, std::string_view data_name,
                     std::string_view version) {
  Json json;
  json["opendojo"] = version;
  json["network"] = options.recipe.model.string();
  json["data"] = data_name;
  json["formats"] = std::string(lowering::name(options.formats));
  json["optimizer"] = options.recipe.optimizer.name;
  json["schedule"] = options.schedule.name;
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
  for (const Event& cause : cause_events)
    json["cycles_by_cause"][std::string(name_of(cause))] = report.ledger.total(cause);
  for (const Event& event : traffic_events())
    json["bytes"][std::string(event.key)] = report.ledger.total(event);
  json["host"] = {{"cpu_seconds", report.host.cpu_seconds},
                  {"wall_seconds", report.host.wall_seconds},
                  {"peak_bytes", report.host.peak_bytes},
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
    text += printable(fmt::format(format, std::forward<Arguments>(arguments)...)) + "\n";
  };
  line("validation on {} held-out frames", report.validation_frames);
  text += quality_text(report.validation);
  if (report.best)
    line("  best after epoch {}: {}{} {:.4f}; best.onnx is of then, trained.onnx of the end",
         report.best->epoch, report.validation.size() == 1 ? "" : "mean ", merit_of(report.validation),
         report.best->score.merit);
  line("");
  line("on the emulated {}: {} nodes, {} steps, {} frames", machine.name, report.nodes, report.steps_done,
       report.frames);
  const double steps = static_cast<double>(std::max<std::uint64_t>(1, report.steps_done));
  line("  simulated time       {:.6f} s, {:.1f} us a step ({} cycles in all)", report.simulated_seconds,
       report.simulated_seconds / steps * 1e6, report.cycles);
  line("  matrix utilisation   {:.2f} % of the peak rate", 100 * report.matrix_utilisation);
  double all = 0;
  for (const Event& cause : cause_events) all += static_cast<double>(report.ledger.total(cause));
  if (all > 0) {
    line("  cycles of all nodes by cause");
    for (const Event& cause : cause_events)
      line("    {:<22} {:5.1f} %", cause.reported,
           100 * static_cast<double>(report.ledger.total(cause)) / all);
  }
  line("  bytes moved, a step");
  for (const Event& event : traffic_events())
    line("    {:<30} {:.3f} MB", event.reported,
         static_cast<double>(report.ledger.total(event)) / steps / 1e6);
  line("");
  line("here: {:.1f} s of CPU, {:.1f} s of wall time, {:.1f} frames per CPU-second, {:.2f} GB at most",
       report.host.cpu_seconds, report.host.wall_seconds, per_cpu_second(report),
       static_cast<double>(report.host.peak_bytes) / 1e9);
  line("weights sha256 {}", report.weights_sha256);
  return text;
}

}  // namespace dojo::report
