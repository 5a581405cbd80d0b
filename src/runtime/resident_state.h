// The parameters and states of a compiled network, byte for byte, where they lie between launches: in the
// nodes' persistent regions, or in HBM.
#pragma once

#include <cstddef>
#include <vector>

#include "codegen/compile.h"
#include "system/computer.h"

namespace dojo::runtime {

using StateImages = std::vector<std::vector<std::byte>>;  // one for each that PersistentLayout speaks of

StateImages read_state(const system::Computer& computer, const codegen::CompiledNetwork& network);
void write_state(system::Computer& computer, const codegen::CompiledNetwork& network,
                 const StateImages& images);

// Images as the host exchanges them with the programs `load` and `store`: in HBM.
StateImages read_parameter_images(const system::Computer& computer, const codegen::CompiledNetwork& network);
void write_parameter_images(system::Computer& computer, const codegen::CompiledNetwork& network,
                            const StateImages& images);

}  // namespace dojo::runtime
