// dojo-differ: random programs under qemu-riscv64 and here, until the time is over or something differs.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "generate.h"
#include "shrink.h"

namespace dojo::differ {
namespace {

struct Options {
  std::uint64_t seed = 1;
  double seconds = 60;
};

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    if (name == "--seed")
      options.seed = std::strtoull(words[i + 1], nullptr, 10);
    else if (name == "--seconds")
      options.seconds = std::strtod(words[i + 1], nullptr);
    else
      refuse(name, "is no option; there are --seed NUMBER and --seconds NUMBER");
  }
  return options;
}

int run(const Options& options) {
  const Workshop workshop;
  const Shell shell(workshop);
  // Ways through the node that lead to the same values.
  Differ differs[] = {{shell, run_under_qemu(workshop), run_here(false, false)},
                      {shell, run_under_qemu(workshop), run_here(true, true)}};
  constexpr unsigned vlens[] = {512, 128, 512, 256, 512, 1024};
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t programs = 0;
  for (std::uint64_t batch = 0;
       std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < options.seconds;
       ++batch) {
    std::vector<Program> some;
    while (some.size() < most_programs)
      some.push_back(generate(options.seed, programs + some.size(), vlens[batch % std::size(vlens)]));
    programs += some.size();
    Differ& differ = differs[batch / std::size(vlens) % 2];
    if (const auto found = differ.find(some)) {
      fmt::print(
          "seed {}: after {} programs one of {} instructions ended differently; the smallest part of it that "
          "does:\n{}",
          options.seed, programs, instructions_of(*found), differ.describe(differ.shrink(*found)));
      return 1;
    }
  }
  fmt::print("seed {}: {} programs, {} instructions executed, no difference\n", options.seed, programs,
             differs[0].instructions() + differs[1].instructions());
  return 0;
}

}  // namespace
}  // namespace dojo::differ

int main(int count, char** words) {
  try {
    return dojo::differ::run(dojo::differ::parse(count, words));
  } catch (const std::exception& error) {
    fmt::print(stderr, "dojo-differ: {}\n", error.what());
    return 2;
  }
}
