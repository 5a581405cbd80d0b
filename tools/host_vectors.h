// --host-vectors: which vectors of this computer the nodes' programs are translated to. Changes no result.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "node/image.h"

namespace dojo::tools {

void add_host_vectors_option(CLI::App& command, std::string& name);

// none, avx2, avx512; empty: the best that this computer has. Throws UserError for what it does not have.
node::HostVectors host_vectors_named(const std::string& name);

}  // namespace dojo::tools
