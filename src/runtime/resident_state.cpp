#include "runtime/resident_state.h"

#include <algorithm>

#include "base/error.h"

namespace dojo::runtime {

using codegen::CompiledNetwork;
using machine::HbmPlace;

StateImages read_parameter_images(const system::Computer& computer, const CompiledNetwork& network) {
  StateImages images;
  for (unsigned image = 0; image < network.persistent.mesh.nodes(); ++image) {
    const HbmPlace place = network.hbm.parameter_image(image);
    images.push_back(computer.read_hbm(place.interface, place.offset, network.persistent.image_bytes));
  }
  return images;
}

void write_parameter_images(system::Computer& computer, const CompiledNetwork& network,
                            const StateImages& images) {
  DOJO_ENSURE(images.size() == network.persistent.mesh.nodes());
  for (unsigned image = 0; image < images.size(); ++image) {
    DOJO_ENSURE(images[image].size() == network.persistent.image_bytes);
    const HbmPlace place = network.hbm.parameter_image(image);
    computer.write_hbm(place.interface, place.offset, images[image]);
  }
}

StateImages read_state(const system::Computer& computer, const CompiledNetwork& network) {
  if (network.persistent.in_hbm) return read_parameter_images(computer, network);
  StateImages images;
  for (unsigned node = 0; node < network.nodes; ++node) {
    const auto bytes = computer.sram(node).subspan(network.persistent.begin, network.persistent.bytes());
    images.emplace_back(bytes.begin(), bytes.end());
  }
  return images;
}

void write_state(system::Computer& computer, const CompiledNetwork& network, const StateImages& images) {
  if (network.persistent.in_hbm) return write_parameter_images(computer, network, images);
  DOJO_ENSURE(images.size() == network.nodes);
  for (unsigned node = 0; node < network.nodes; ++node) {
    DOJO_ENSURE(images[node].size() == network.persistent.bytes());
    std::ranges::copy(images[node],
                      computer.sram(node).begin() + static_cast<std::ptrdiff_t>(network.persistent.begin));
  }
}

}  // namespace dojo::runtime
