// What code is translated to, and when; changes nothing but the host's time.
#pragma once

#include <cstdint>

#include "translate/host_vectors.h"

namespace dojo::node {

using translate::host_vectors;
using translate::HostVectors;

// Untranslated runs of a block before it becomes host code: about as many as its translation costs.
constexpr std::uint32_t translate_after_default = 300;
constexpr std::uint32_t never_translate = ~std::uint32_t{0};

}  // namespace dojo::node
