// What the compiler makes of a network, without running it: the compiled network with the account of its
// steps, or why there is none; and where samples do not fit a node, what was tried so that they do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/compile.h"
#include "training/recipe.h"

namespace dojo::training {

// What a network is compiled for.
struct Asking {
  std::int64_t batch = 0;  // samples a step or a pass; 0: one for each node
  unsigned nodes = 0;      // 0: all of the machine
  lowering::FormatChoice formats = lowering::FormatChoice::fp32;
};

struct ExplainOptions {
  Asking asking;
  Recipe recipe;        // its batch is not read
  bool trains = false;  // a training step, else a forward pass
};

// The network under other circumstances.
struct Attempt {
  Asking asking;
  std::optional<UserError> refused;  // nothing: it would do
};

struct Explanation {
  Asking asking;  // without zeros
  bool trains = false;
  std::optional<codegen::CompiledNetwork> compiled;
  std::optional<UserError> refused;  // where there is none
  // Towards samples that fit a node, or where there is no compiled network towards one; none where nothing of
  // the sort stands against it.
  std::vector<Attempt> attempts;

  const codegen::CompiledProgram& program() const { return trains ? compiled->train : compiled->predict; }
};

// Throws UserError for a file that is no network, options that are none, and what no setting would change;
// what the compiler refuses for its size stands in the result. `phase` is told what is being done.
Explanation explain(const ExplainOptions& options, const machine::Machine& machine,
                    const std::function<void(std::string_view)>& phase);

}  // namespace dojo::training
