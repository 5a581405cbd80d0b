#include "training/explanation.h"

#include <algorithm>

#include "base/error.h"

namespace dojo::training {
namespace {

using lowering::FormatChoice;

// The two graphs that the compiler takes; of a forward pass both are it.
struct Graphs {
  graph::Graph step, predict;
};

class Explaining {
public:
  Explaining(const ExplainOptions& options, const machine::Machine& machine,
             const std::function<void(std::string_view)>& phase)
      : options_(options), machine_(machine), phase_(phase) {}

  Explanation run() {
    Explanation result;
    result.asking = whole(options_.asking);
    result.trains = options_.trains;
    phase_("reading the network");
    const Graphs graphs = graphs_for(result.asking.batch);
    phase_("compiling");
    try {
      result.compiled =
          codegen::compile(graphs.step, graphs.predict, machine_, compiler_options(result.asking));
    } catch (const UserError& refused) {
      if (refused.settings().names.empty()) throw;
      result.refused = refused;
    }
    const std::optional<UserError>& obstacle =
        result.compiled ? result.compiled->not_samples : result.refused;
    if (obstacle && !obstacle->settings().names.empty()) attempt(result);
    return result;
  }

private:
  Asking whole(Asking asking) const {
    if (asking.nodes == 0) asking.nodes = machine_.enabled_nodes();
    if (asking.batch == 0) asking.batch = asking.nodes;
    return asking;
  }

  static codegen::Options compiler_options(const Asking& asking) {
    return {.nodes = asking.nodes, .formats = asking.formats};
  }

  Graphs graphs_for(std::int64_t batch) const {
    if (!options_.trains) {
      graph::Graph predict = read_forward_network(options_.recipe.model, batch).predict;
      return {predict, predict};
    }
    Recipe recipe = options_.recipe;
    recipe.batch = batch;
    TrainableNetwork network = read_network(recipe);
    return {std::move(network.train_step), std::move(network.predict)};
  }

  // One change at a time, the least first; where none helps, all together.
  void attempt(Explanation& result) {
    const Asking asked = result.asking;
    bool done = false;
    const auto attempted = [&](Asking asking) {
      result.attempts.push_back({asking, refusal_of(asking, !result.compiled)});
      return !result.attempts.back().refused;
    };
    const std::vector<FormatChoice> narrower = narrower_than(asked.formats);
    for (std::size_t k = 0; k < narrower.size() && !done; ++k)
      done = attempted({asked.batch, asked.nodes, narrower[k]});
    const unsigned all = machine_.enabled_nodes();
    if (asked.nodes < all && samples_each(asked.batch, all) < samples_each(asked.batch, asked.nodes))
      done |= attempted({asked.batch, all, asked.formats});
    std::int64_t each = samples_each(asked.batch, asked.nodes);
    for (bool fits = false; each > 1 && !fits;) {
      each /= 2;
      fits = attempted({each * asked.nodes, asked.nodes, asked.formats});
      done |= fits;
    }
    if (done || narrower.empty()) return;
    const Asking least{std::min<std::int64_t>(asked.batch, all), all, narrower.back()};
    const bool is_new = std::ranges::none_of(result.attempts, [&](const Attempt& other) {
      return other.asking.formats == least.formats && samples_each(other.asking) == samples_each(least);
    });
    if (is_new) attempted(least);
  }

  static std::int64_t samples_each(std::int64_t batch, unsigned nodes) { return (batch + nodes - 1) / nodes; }
  static std::int64_t samples_each(const Asking& asking) { return samples_each(asking.batch, asking.nodes); }

  // CFloat8 is for what a training step stores.
  std::vector<FormatChoice> narrower_than(FormatChoice formats) const {
    std::vector<FormatChoice> all = {FormatChoice::fp32, FormatChoice::bf16};
    if (options_.trains) all.push_back(FormatChoice::cfloat8);
    const auto own = std::ranges::find(all, formats);
    return own == all.end() ? std::vector<FormatChoice>{} : std::vector(own + 1, all.end());
  }

  std::optional<UserError> refusal_of(const Asking& asking, bool any_way) const {
    phase_(
        fmt::format("trying {} samples on {} nodes in {}", asking.batch, asking.nodes, name(asking.formats)));
    const Graphs graphs = graphs_for(asking.batch);
    auto refused =
        codegen::refusal_of_samples(graphs.step, graphs.predict, machine_, compiler_options(asking));
    if (!refused || !any_way) return refused;
    try {
      codegen::Options options = compiler_options(asking);
      options.spread = codegen::Spread::tiles;
      codegen::compile(graphs.step, graphs.predict, machine_, options);
      return std::nullopt;
    } catch (const UserError&) {
      return refused;
    }
  }

  const ExplainOptions& options_;
  const machine::Machine& machine_;
  const std::function<void(std::string_view)>& phase_;
};

}  // namespace

Explanation explain(const ExplainOptions& options, const machine::Machine& machine,
                    const std::function<void(std::string_view)>& phase) {
  return Explaining(options, machine, phase).run();
}

}  // namespace dojo::training
