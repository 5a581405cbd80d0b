#include "training/saved_run.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_text.h"
#include "base/sha256.h"
#include "training/checkpoint.h"
#include "training/run_folder.h"

namespace dojo::training {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Best& best) {
  return {
      {"step", best.step}, {"epoch", best.epoch}, {"mean_r2", best.score.merit}, {"rmse", best.score.error}};
}

Best best_from(const Json& json) {
  return {json.at("step"), json.at("epoch"), {json.at("mean_r2"), json.at("rmse")}};
}

Json to_json(const RunTotals& totals) {
  Json rows = Json::array();
  for (const auto& [key, count] : totals.ledger.rows()) rows.push_back({key.part, key.op, key.event, count});
  return {{"step", totals.step},     {"frames", totals.frames},
          {"cycles", totals.cycles}, {"losses", totals.losses},
          {"ledger", rows},          {"best", totals.best ? to_json(*totals.best) : Json()}};
}

RunTotals totals_from(const Json& json) {
  RunTotals totals{.step = json.at("step"),
                   .frames = json.at("frames"),
                   .cycles = json.at("cycles"),
                   .losses = json.at("losses"),
                   .ledger = {},
                   .best = {}};
  if (const Json& best = json.at("best"); !best.is_null()) totals.best = best_from(best);
  for (const Json& row : json.at("ledger"))
    totals.ledger.add(row.at(0).get<std::string>(), row.at(1).get<std::uint32_t>(),
                      row.at(2).get<std::string>(), row.at(3).get<std::uint64_t>());
  return totals;
}

// By which labels each output is judged, and in which classes.
Json labels_of(const TrainingData& data) {
  Json all = Json::array();
  for (const data::LabelSpecification& specification : data.specifications) {
    Json one = specification.labels;
    if (specification.bins)
      one.push_back({specification.bins->count, specification.bins->low, specification.bins->high});
    all.push_back(one);
  }
  return all;
}

Identity identity_from(const Json& json) {
  Identity identity;
  for (const auto& [name, value] : json.items()) identity.emplace_back(name, json_text(value, -1));
  return identity;
}

Json to_json(const Identity& identity) {
  Json json = Json::object();
  for (const auto& [name, value] : identity) json[name] = Json::parse(value);
  return json;
}

}  // namespace

std::uint64_t steps_per_epoch(const TrainOptions& options, const TrainingData& data) {
  return data.split.train.size() / static_cast<std::uint64_t>(options.recipe.batch);
}

std::uint64_t steps_of(const TrainOptions& options, const TrainingData& data) {
  return options.steps != 0 ? options.steps : options.epochs * steps_per_epoch(options, data);
}

Identity identity_of(const TrainOptions& options, const machine::Machine& machine, const TrainingData& data) {
  Sha256 parameters;
  for (const machine::Parameter& parameter : machine.parameters) {
    const std::string row = parameter.key + "=" + parameter.value + "\n";
    parameters.add(std::as_bytes(std::span(row)));
  }
  return identity_from({{"machine", machine.name},
                        {"nodes", options.nodes != 0 ? options.nodes : machine.enabled_nodes()},
                        {"machine_parameters", parameters.hex()},
                        {"data", data.fingerprint},
                        {"labels", labels_of(data)},
                        {"new weights", options.recipe.initialise},
                        {"formats", lowering::name(options.formats)},
                        {"optimizer", options.recipe.optimizer.name},
                        {"seed", options.recipe.seed},
                        {"batch", options.recipe.batch},
                        {"schedule", options.schedule.name},
                        {"learning_rate", options.learning_rate},
                        {"timing", options.host.timing}});
}

std::filesystem::path checkpoint_in(const std::filesystem::path& folder) { return folder / checkpoint_file; }

// The host's half of a checkpoint is CBOR (RFC 8949) of this file's making; what does not read so was made by
// another version.
SavedRun read_saved(const std::filesystem::path& folder) {
  const std::filesystem::path path = checkpoint_in(folder);
  std::error_code none;
  if (std::filesystem::is_directory(folder, none) && !std::filesystem::exists(path, none))
    refuse(Settings{{"resume"}}, folder.string(),
           "holds no checkpoint: no run in it came as far as its first step, so none can go on");
  Checkpoint checkpoint = read_checkpoint(path);
  SavedRun saved;
  try {
    const Json state = Json::from_cbor(checkpoint.host_state);
    saved.identity = identity_from(state.at("identity"));
    saved.asked = state.at("asked").get<Asked>();
    saved.steps = state.at("steps");
    saved.program = state.at("program");
    saved.totals = totals_from(state.at("totals"));
  } catch (const Json::exception&) {
    refuse(path.string(), "was written by another version of this program");
  }
  saved.regions = std::move(checkpoint.regions);
  return saved;
}

void write_saved(const std::filesystem::path& folder, const SavedRun& saved) {
  const Json state = {{"identity", to_json(saved.identity)},
                      {"asked", saved.asked},
                      {"steps", saved.steps},
                      {"program", saved.program},
                      {"totals", to_json(saved.totals)}};
  // CBOR keeps every byte of a path and every bit of a number.
  std::string bytes;
  Json::to_cbor(state, bytes);
  write_checkpoint(checkpoint_in(folder), {std::move(bytes), saved.regions});
}

void check_same(const std::filesystem::path& folder, const SavedRun& saved, const Identity& mine) {
  for (const auto& [name, value] : mine) {
    const auto theirs = std::ranges::find(saved.identity, name, &Identity::value_type::first);
    const bool known = theirs != saved.identity.end();
    if (!known || theirs->second != value)
      refuse(checkpoint_in(folder).string(), "belongs to another run: its {} is {}, this one's {}", name,
             known ? theirs->second : "unknown", value);
  }
}

}  // namespace dojo::training
