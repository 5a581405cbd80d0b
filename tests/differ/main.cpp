// dojo-differ: random programs elsewhere and here, until the time is over, enough have been compared or
// something differs. That nothing does is only said where every comparison has had programs of every VLEN.
//
// qemu-riscv64 has the instructions that most programs are made of; Spike, if it is named, those beside them;
// what only we have is run in two of our own ways.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "generate.h"
#include "shrink.h"

namespace dojo::differ {
namespace {

struct Options {
  std::uint64_t seed = 1;
  double seconds = 60;
  std::uint64_t programs = 0;  // at least so many by each comparison, however long it takes; 0: by the time
  std::string spike;
};

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = words[i];
    const char* value = i + 1 < count ? words[i + 1] : nullptr;
    if (value != nullptr && name == "--seed")
      options.seed = std::strtoull(value, nullptr, 10);
    else if (value != nullptr && name == "--seconds")
      options.seconds = std::strtod(value, nullptr);
    else if (value != nullptr && name == "--programs")
      options.programs = std::strtoull(value, nullptr, 10);
    else if (value != nullptr && name == "--spike")
      options.spike = value;
    else
      refuse(name,
             "is no option with a value; there are --seed NUMBER, --seconds NUMBER, --programs NUMBER and "
             "--spike PROGRAM");
  }
  return options;
}

struct Comparison {
  Oracle oracle;
  Differ differ;
  std::map<unsigned, std::uint64_t> programs = {};  // by VLEN

  std::uint64_t all_programs() const {
    std::uint64_t sum = 0;
    for (const auto& [vlen_bits, count] : programs) sum += count;
    return sum;
  }
};

constexpr unsigned vlens[] = {512, 128, 512, 256, 512, 1024};

std::vector<Comparison> comparisons(const Workshop& workshop, const Shell& with_calls, const Shell& bare,
                                    const std::string& spike) {
  std::vector<Comparison> all;
  // Ways through the node that lead to the same values.
  for (const bool fast : {false, true})
    all.push_back({Oracle::qemu, Differ(with_calls, under_qemu(workshop),
                                        here(fast ? "translated" : "semantics", fast, fast))});
  if (!spike.empty())
    for (const bool fast : {false, true})
      all.push_back({Oracle::spike, Differ(bare, under_spike(workshop, spike),
                                           here(fast ? "translated" : "semantics", fast, fast))});
  all.push_back({Oracle::semantics,
                 Differ(with_calls, here("semantics", false, false), here("translated", true, true))});
  return all;
}

std::string summary(const std::vector<Comparison>& all) {
  std::string text;
  for (const Comparison& one : all)
    text += fmt::format("  {} and {}: {} programs, {} instructions executed\n", one.differ.theirs(),
                        one.differ.ours(), one.all_programs(), one.differ.instructions());
  return text;
}

void refuse_gaps(const std::vector<Comparison>& all) {
  for (const Comparison& one : all)
    for (const unsigned vlen_bits : vlens)
      if (!one.programs.contains(vlen_bits))
        refuse(fmt::format("{} and {}", one.differ.theirs(), one.differ.ours()),
               "have run no program of VLEN {}; ask for more --seconds or --programs", vlen_bits);
}

// Whether that which was asked for is done before this batch.
bool is_enough(const Options& options, std::uint64_t batch, std::size_t comparisons,
               std::chrono::steady_clock::time_point start) {
  if (options.programs != 0) return batch / comparisons * most_programs >= options.programs;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() >= options.seconds;
}

int run(const Options& options) {
  const Workshop workshop;
  const Shell with_calls(workshop, Service::linux_calls), bare(workshop, Service::host_interface);
  std::vector<Comparison> all = comparisons(workshop, with_calls, bare, options.spike);
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t programs = 0;
  for (std::uint64_t batch = 0; !is_enough(options, batch, all.size(), start); ++batch) {
    Comparison& one = all[batch % all.size()];
    const unsigned vlen_bits = vlens[batch / all.size() % std::size(vlens)];
    std::vector<Program> some;
    while (some.size() < most_programs)
      some.push_back(generate(one.oracle, options.seed, programs + some.size(), vlen_bits));
    programs += some.size();
    one.programs[vlen_bits] += some.size();
    if (const auto found = one.differ.find(some)) {
      fmt::print(
          "seed {}: after {} programs one of {} instructions ended differently; the smallest part of it that "
          "does:\n{}",
          options.seed, programs, instructions_of(*found), one.differ.describe(one.differ.shrink(*found)));
      return 1;
    }
  }
  refuse_gaps(all);
  fmt::print("seed {}: {} programs, no difference\n{}", options.seed, programs, summary(all));
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
