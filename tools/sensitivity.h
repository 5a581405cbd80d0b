// dojo exec --sensitivity: the program again on every plausible variant of its machine, and what that does to
// its cycles. The runs are independent, so they share the host's threads, and each sees the same input.
#pragma once

#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "machine/sensitivity.h"
#include "run_program.h"

namespace dojo::tools {

using InputSource = std::function<std::size_t(std::span<std::byte>)>;

// Reads a source once, as far as anybody asks, and plays it to any number of readers, on any host threads.
class InputTape {
public:
  explicit InputTape(InputSource source) : source_(std::move(source)) {}

  // A reader that starts at the beginning. The tape must outlive it.
  InputSource reader();

private:
  std::size_t copy(std::size_t from, std::span<std::byte> to);

  InputSource source_;
  std::mutex lock_;
  std::vector<std::byte> held_;
  bool ended_ = false;
};

// One run of the program: how it ended, and the figures that follow from its timing.
struct PlausibleRun {
  system::LaunchResult result;
  std::string output, error_output;
};

// By variant; the first is `baseline`, which has been run already.
std::vector<PlausibleRun> run_variants(const ProgramOptions& options,
                                       std::span<const machine::Variant> variants,
                                       const system::Program& program, InputTape& input,
                                       PlausibleRun baseline);

// Of the whole launch, in [0, 1]: useful multiply-adds against the matrix unit's 16-bit peak, and the share
// of cycles in which the SIMD pipe was taken. 0 without cycles.
double matrix_utilisation(const machine::Machine& machine, unsigned nodes,
                          const system::LaunchResult& result);
double simd_utilisation(unsigned nodes, const system::LaunchResult& result);

// What does not follow from program and input alone: one clause each, such as "its output depends on timing:
// it differs with node.alu_cycles = 2 and 3 others". Empty for most programs.
std::vector<std::string> timing_dependences(std::span<const machine::Variant> variants,
                                            std::span<const PlausibleRun> runs);

void print_sensitivity(std::span<const machine::Variant> variants, std::span<const PlausibleRun> runs,
                       unsigned nodes);
nlohmann::ordered_json json_of_sensitivity(std::span<const machine::Variant> variants,
                                           std::span<const PlausibleRun> runs, unsigned nodes);

}  // namespace dojo::tools
