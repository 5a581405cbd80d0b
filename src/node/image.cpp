#include "node/image.h"

#include <algorithm>

#include "node/job.h"

namespace dojo::node {

CodeBlock build_code_block(const isa::Memory& memory, std::uint64_t pc, unsigned limit) {
  CodeBlock built{isa::build_block(memory, pc, limit)};
  const auto& code = built.block.code;
  built.uses_vectors = std::any_of(code.begin(), code.begin() + built.block.count, depends_on_config);
  built.sees_account = (code.front().row->properties & isa::starts_block) != 0;
  return built;
}

CodeImage::CodeImage(std::uint64_t text_begin, std::uint64_t text_end, unsigned limit)
    : begin_(text_begin & ~std::uint64_t{1}),
      limit_(limit),
      slots_(text_end > begin_ ? (text_end - begin_ + 1) / 2 : 0) {}

const CodeBlock* CodeImage::build(std::uint64_t slot, std::uint64_t pc, const isa::Memory& memory) {
  const std::lock_guard lock(building_);
  if (const CodeBlock* known = slots_[slot].load(std::memory_order_relaxed)) return known;
  const CodeBlock* built = &blocks_.emplace_back(build_code_block(memory, pc, limit_));
  slots_[slot].store(built, std::memory_order_release);
  return built;
}

std::size_t CodeImage::blocks() const {
  const std::lock_guard lock(building_);
  return blocks_.size();
}

}  // namespace dojo::node
