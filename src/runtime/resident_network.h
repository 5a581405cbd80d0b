// A compiled network that stays in a machine of its own: parameters and states lie in the nodes from run to
// run, and each run takes inputs from HBM and leaves results there.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "codegen/compile.h"
#include "machine/ledger.h"
#include "machine/machine.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::runtime {

struct ResidentRun {
  lowering::Tensors results;  // by tensor name: [batch][elements of a sample] or one value
  bool interrupted = false;   // then nothing else is known, and what is resident is as before the run
  std::string stranded;       // what kept it from finishing; likewise
  std::uint64_t cycles = 0;
  machine::Ledger ledger;
};

class ResidentNetwork {
public:
  enum class Program : std::uint8_t { train, predict };

  ResidentNetwork(const machine::Machine& machine, codegen::CompiledNetwork network, system::Host host = {});

  const codegen::CompiledNetwork& network() const { return network_; }

  // Whole tensors by name, of every parameter and state; through HBM. Of loading says what went wrong, as a
  // run does.
  std::string load(const lowering::Tensors& values);
  lowering::Tensors store();

  // `samples`: every input and label whole, by name, the batch along dimension 0; `scalars` likewise by name.
  // `valid`: how many of the samples count, from the first on; 0: all. Results of others say nothing.
  ResidentRun run(Program program, const lowering::Tensors& samples,
                  const std::vector<std::pair<std::string, float>>& scalars = {}, std::int64_t valid = 0);

private:
  system::LaunchResult launch(const codegen::CompiledProgram& program,
                              const std::function<bool()>& interrupted);
  void write_samples(const lowering::Tensors& samples);
  void write_launch(const std::vector<std::pair<std::string, float>>& scalars, std::int64_t valid);

  codegen::CompiledNetwork network_;
  system::Host host_;
  system::Computer computer_;
};

}  // namespace dojo::runtime
