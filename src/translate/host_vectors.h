// Which vectors of the host code is written for.
#pragma once

#include <cstdint>

namespace dojo::translate {

enum class HostVectors : std::uint8_t { none, avx2, avx512 };

// The best that this host has.
HostVectors host_vectors();

}  // namespace dojo::translate
