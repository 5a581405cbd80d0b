// Where every buffer lies in a node's SRAM.
//
// From the top: stacks, the persistent region, then scratch growing downwards to the end of the program's own
// image (docs/notes/001). A buffer lives from the first to the last step that touches it; buffers that are
// never alive together may share bytes, and an elementwise result takes over the memory of an operand that
// dies with it. Addresses do not depend on the program's size, so one compilation suffices.
#pragma once

#include <cstdint>
#include <vector>

#include "lowering/layout.h"
#include "lowering/lowered.h"

namespace dojo::codegen {

constexpr std::uint64_t stack_bytes = 64 * 1024;

struct Lifetime {
  std::int64_t first = -1, last = -1;  // top-level steps; -1: never touched
};

struct MemoryPlan {
  std::vector<std::uint64_t> address;         // by buffer; 0 for what lies in the program or in HBM
  std::vector<Lifetime> lifetime;             // by buffer
  std::vector<std::uint64_t> kernel_scratch;  // by top-level step; 0 where its kernels need none
  std::uint64_t lowest = 0, peak_bytes = 0;   // scratch occupies [lowest, persistent begin)
};

// `scratch_bytes`: of the kernels, by top-level step.
MemoryPlan plan_memory(const lowering::LoweredProgram& program, const lowering::PersistentLayout& persistent,
                       const std::vector<std::uint64_t>& scratch_bytes);

// Something that must keep its bytes while it lives.
struct Item {
  std::uint64_t bytes = 0;
  Lifetime life;
  std::uint64_t offset = 0;  // the result
  bool placed = false;
};
// Largest first, each at the lowest offset that is free for its whole life; returns the bytes taken in all.
std::uint64_t place(std::vector<Item>& items);

// From the first to the last top-level step, by buffer; roots only.
std::vector<Lifetime> lifetimes(const lowering::LoweredProgram& program);

// Refuses a plan that runs into the program's image: names the largest buffer of the fullest step and by how
// much it does not fit.
void check_fits(const lowering::LoweredProgram& program, const MemoryPlan& plan,
                const lowering::PersistentLayout& persistent, std::uint64_t heap_start);

}  // namespace dojo::codegen
