#include "host_options.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"

namespace dojo::tools {

namespace {

constexpr std::string_view vectors_option = "--host-vectors";
constexpr std::array<std::string_view, 3> names = {"none", "avx2", "avx512"};  // in the order of HostVectors

// Empty: the best that this computer has.
node::HostVectors vectors_named(const std::string& name) {
  if (name.empty()) return node::host_vectors();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) refuse(vectors_option, "'{}' is not none, avx2 or avx512", name);
  const auto kind = static_cast<node::HostVectors>(found - names.begin());
  if (kind > node::host_vectors()) refuse(vectors_option, "this computer does not have {}", name);
  return kind;
}

}  // namespace

Option threads_option(unsigned& threads) {
  return {.name = "--threads",
          .into = &threads,
          .help = "Threads of this computer; 0: one per core; changes no result",
          .most = 1024};
}

std::vector<Option> host_options(HostArguments& arguments) {
  return {
      threads_option(arguments.threads),
      {.name = std::string(vectors_option),
       .into = &arguments.vectors,
       .help = "Vectors of this computer that programs are translated to: none (nothing is translated), avx2 "
               "or avx512; by default the best there are; changes no result",
       .value = "KIND",
       .offers = [] { return std::vector<std::string>(names.begin(), names.end()); }}};
}

Option no_timing_flag(HostArguments& arguments) {
  return {.name = "--no-timing",
          .into = &arguments.no_timing,
          .help = "Same values, no cycles: faster",
          .kept = Kept::as_given};
}

system::Host host_of(const HostArguments& arguments) {
  system::Host host;
  host.threads = arguments.threads;
  host.vectors = vectors_named(arguments.vectors);
  host.timing = !arguments.no_timing;
  return host;
}

}  // namespace dojo::tools
