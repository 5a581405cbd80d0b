// From a graph to the programs of a run: the whole compiler as one call.
//
// compile.cpp is the list of its passes, docs/notes/009 says what each does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/stages.h"
#include "codegen/account.h"
#include "graph/ir.h"
#include "lowering/formats.h"
#include "lowering/layout.h"
#include "lowering/lowered.h"
#include "machine/machine.h"

namespace dojo::codegen {

// What the nodes share among them.
enum class Spread : std::uint8_t {
  automatic,  // samples, or tiles where these do not fit a node
  samples,    // tensors lie in SRAM, each node has its samples (lowering/lower.h)
  tiles,      // tensors lie in HBM, each node does its tiles of every op (lowering/lower_boxes.h)
};

Spread spread_named(std::string_view name);  // throws UserError for anything but the words above

struct Options {
  unsigned nodes = 0;  // 0: all enabled nodes of the machine
  Spread spread = Spread::automatic;
  lowering::FormatChoice formats = lowering::FormatChoice::bf16;
  StageSink stages = {};  // sees what every pass made
};

struct CompiledProgram {
  std::string name;                  // "train", "predict", "load", "store"
  lowering::LoweredProgram lowered;  // no steps for load and store
  std::string source;                // the node's C++
  std::vector<std::byte> elf;
  std::string plan;                  // JSON, docs/notes/004
  std::vector<StepAccount> account;  // of its steps
  std::uint64_t image_end = 0,
                scratch_bytes = 0;  // of SRAM: the image from address 0 on, and the plan's part
};

struct CompiledNetwork {
  unsigned nodes = 1;
  Spread spread = Spread::samples;       // which of the two it became
  std::optional<UserError> not_samples;  // of tiles that were not asked for: why no samples
  std::int64_t batch = 1,
               samples_per_node = 1;  // node p holds samples [p * samples_per_node, ...) of the batch
  lowering::HbmLayout hbm;
  lowering::PersistentLayout persistent;
  CompiledProgram train, predict;  // a step; a forward pass whose outputs are results
  CompiledProgram load, store;     // parameter images in HBM to the persistent regions, and back
  std::string sha256;              // of plans and ELF files
};

// Throws UserError naming the machine's key that the programs of a network cannot run with. compile() asks
// too; this is for those who do long work before.
void check_machine(const machine::Machine& machine);

// `train_step`: forward, losses, gradients and updates; `predict`: forward in inference mode. Both are for
// one global batch (dimension 0 of every tensor that has the batch) and name parameters and states alike.
// Throws UserError naming op or tensor for what is unsupported or does not fit (which tensor, by how many
// bytes).
CompiledNetwork compile(const graph::Graph& train_step, const graph::Graph& predict,
                        const machine::Machine& machine, const Options& options);

// Why no node can hold its samples, if that is so: what compile() does with Spread::samples, quicker where
// the tensors alone are too much, whose bytes it then counts without the program's. options.spread and
// options.stages are not read.
std::optional<UserError> refusal_of_samples(const graph::Graph& train_step, const graph::Graph& predict,
                                            const machine::Machine& machine, const Options& options);

}  // namespace dojo::codegen
