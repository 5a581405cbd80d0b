#include "host_vectors.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"

namespace dojo::tools {

namespace {

constexpr std::string_view option = "--host-vectors";
constexpr std::array<std::string_view, 3> names = {"none", "avx2", "avx512"};  // in the order of HostVectors

}  // namespace

void add_host_vectors_option(CLI::App& command, std::string& name) {
  command
      .add_option(
          std::string(option), name,
          "Vectors of this computer that programs are translated to: none (nothing is translated), avx2 "
          "or avx512; by default the best there are; changes no result")
      ->type_name("KIND");
}

node::HostVectors host_vectors_named(const std::string& name) {
  if (name.empty()) return node::host_vectors();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) refuse(option, "'{}' is not none, avx2 or avx512", name);
  const auto kind = static_cast<node::HostVectors>(found - names.begin());
  if (kind > node::host_vectors()) refuse(option, "this computer does not have {}", name);
  return kind;
}

}  // namespace dojo::tools
