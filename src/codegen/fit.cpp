#include "codegen/fit.h"

#include <algorithm>
#include <array>

#include "toolchain/elf.h"
#include "toolchain/toolchain.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t smallest_panel_bytes = 16 * 1024;

struct Plans {
  PlannedProgram train, predict;
};

struct Built {
  BuiltProgram train, predict, load, store;
};

// Buffers are aligned so.
std::uint64_t image_end(const std::vector<std::byte>& elf, const std::string& name) {
  return (toolchain::read_elf(elf, name).end() + 63) / 64 * 64;
}

class Fitting {
public:
  Fitting(const lowering::LoweredProgram& train, const lowering::LoweredProgram& predict,
          const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm,
          const machine::Machine& machine)
      : train_(train),
        predict_(predict),
        persistent_(persistent),
        hbm_(hbm),
        program_base_(machine.node.program_base) {}

  // Throws UserError; `exact`: which counts the programs' own bytes.
  FittedPrograms run(bool exact) const {
    for (std::int64_t panel_bytes = default_panel_bytes;;) {
      Plans plans = plan(panel_bytes);
      // Where not even an empty image would leave room, one is built to refuse exactly, and for nothing else.
      const bool hopeless =
          plans.train.memory.lowest < program_base_ || plans.predict.memory.lowest < program_base_;
      const std::int64_t next = hopeless ? smaller_panels(plans, panel_bytes) : 0;
      if (next != 0) {
        panel_bytes = next;
        continue;
      }
      if (hopeless && !exact) check(plans, program_base_, program_base_);
      Built built = build(plans);
      if (fits(plans.train, built.train) && fits(plans.predict, built.predict))
        return FittedPrograms{std::move(plans.train),   std::move(plans.predict), std::move(built.train),
                              std::move(built.predict), std::move(built.load),    std::move(built.store)};
      panel_bytes = smaller_panels(plans, panel_bytes);
      if (panel_bytes == 0) check(plans, built.train.image_end, built.predict.image_end);
    }
  }

private:
  void check(const Plans& plans, std::uint64_t train_end, std::uint64_t predict_end) const {
    check_fits(train_, plans.train.memory, persistent_, train_end);
    check_fits(predict_, plans.predict.memory, persistent_, predict_end);
  }

  Plans plan(std::int64_t panel_bytes) const {
    return {plan_program(train_, persistent_, panel_bytes), plan_program(predict_, persistent_, panel_bytes)};
  }

  static bool fits(const PlannedProgram& planned, const BuiltProgram& built) {
    return planned.memory.lowest >= built.image_end;
  }

  // The next smaller size of panels that takes less SRAM than `plans` do; 0 if there is none.
  std::int64_t smaller_panels(const Plans& plans, std::int64_t panel_bytes) const {
    while ((panel_bytes /= 2) >= smallest_panel_bytes) {
      const Plans smaller = plan(panel_bytes);
      if (smaller.train.memory.peak_bytes < plans.train.memory.peak_bytes ||
          smaller.predict.memory.peak_bytes < plans.predict.memory.peak_bytes)
        return panel_bytes;
    }
    return 0;
  }

  Built build(const Plans& plans) const {
    Built built;
    built.train.source = emit_program(plans.train, hbm_);
    built.predict.source = emit_program(plans.predict, hbm_);
    built.load.source = emit_load(persistent_, hbm_);
    built.store.source = emit_store(persistent_, hbm_);
    const std::array programs{std::pair("train", &built.train), std::pair("predict", &built.predict),
                              std::pair("load", &built.load), std::pair("store", &built.store)};
    std::vector<std::vector<toolchain::SourceText>> sources;
    for (const auto& [name, program] : programs)
      sources.push_back({{std::string(name) + ".cpp", program->source}});
    toolchain::BuildOptions options;
    options.program_base = program_base_;
    options.extra_flags = {"-O2", "-fno-unroll-loops", "-Wno-pass-failed"};
    std::vector<std::vector<std::byte>> elves = toolchain::build_programs(sources, options);
    for (std::size_t k = 0; k < programs.size(); ++k) {
      const auto& [name, program] = programs[k];
      program->elf = std::move(elves[k]);
      program->image_end = image_end(program->elf, name);
    }
    return built;
  }

  const lowering::LoweredProgram &train_, &predict_;
  const lowering::PersistentLayout& persistent_;
  const lowering::HbmLayout& hbm_;
  std::uint64_t program_base_;
};

}  // namespace

std::variant<FittedPrograms, UserError> try_to_fit(const lowering::LoweredProgram& train,
                                                   const lowering::LoweredProgram& predict,
                                                   const lowering::PersistentLayout& persistent,
                                                   const lowering::HbmLayout& hbm,
                                                   const machine::Machine& machine) {
  try {
    return Fitting(train, predict, persistent, hbm, machine).run(false);
  } catch (const UserError& error) {
    return error;
  }
}

FittedPrograms fit(const lowering::LoweredProgram& train, const lowering::LoweredProgram& predict,
                   const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm,
                   const machine::Machine& machine) {
  return Fitting(train, predict, persistent, hbm, machine).run(true);
}

std::uint64_t scratch_bytes(const PlannedStep& step) {
  std::uint64_t bytes = step.kernel.scratch_bytes;
  for (const PlannedStep& inner : step.body) bytes = std::max(bytes, scratch_bytes(inner));
  return bytes;
}

}  // namespace dojo::codegen
