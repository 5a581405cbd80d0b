#include "node/image.h"

#include <algorithm>

#include "node/job.h"

namespace dojo::node {

namespace {

constexpr std::int64_t cycle_csr = 0xc00, time_csr = 0xc01;

bool reads_clock(const isa::Decoded& d) {
  return d.row->extension == "Zicsr" && (d.immediate == cycle_csr || d.immediate == time_csr);
}

}  // namespace

CodeBlock::CodeBlock(isa::Block built) : block(std::move(built)) {
  const auto& code = block.code;
  uses_vectors = std::any_of(code.begin(), code.begin() + block.count, depends_on_config);
  sees_account = (code.front().row->properties & isa::starts_block) != 0;
  if (reads_clock(code.front())) clock_register = static_cast<std::int8_t>(code.front().rd);
}

CodeImage::CodeImage(std::uint64_t text_begin, std::uint64_t text_end, unsigned limit,
                     std::uint32_t translate_after)
    : begin_(text_begin & ~std::uint64_t{1}),
      limit_(limit),
      translate_after_(translate_after),
      slots_(text_end > begin_ ? (text_end - begin_ + 1) / 2 : 0) {}

const CodeBlock* CodeImage::build(std::uint64_t slot, std::uint64_t pc, const isa::Memory& memory) {
  const std::lock_guard lock(building_);
  if (const CodeBlock* known = slots_[slot].load(std::memory_order_relaxed)) return known;
  const CodeBlock* built = &blocks_.emplace_back(isa::build_block(memory, pc, limit_));
  slots_[slot].store(built, std::memory_order_release);
  return built;
}

// A block that meets ever new configurations keeps the first few.
const Translation* CodeImage::translate(const CodeBlock& block, ConfigWord config, const isa::Hart& hart) {
  constexpr unsigned most = 6;
  const std::lock_guard lock(building_);
  if (const Translation* known = block.translation(config)) return known;
  const Translation* first = block.translations.load(std::memory_order_relaxed);
  unsigned count = 0;
  for (const Translation* t = first; t != nullptr; t = t->next) ++count;
  block.runs.store(0, std::memory_order_relaxed);
  if (count == most) return nullptr;
  Translation& made = translations_.emplace_back(&block, config, nullptr, first);
  made.entry = translator_.translate(
      block.block,
      {.any = block.uses_vectors, .vl = hart.vl, .vtype = hart.vtype, .vlen_bits = hart.vlen_bits},
      {.block = &block, .config = config.bits, .owner = &made});
  if (made.entry == nullptr) {
    translations_.pop_back();
    return nullptr;
  }
  block.translations.store(&made, std::memory_order_release);
  return &made;
}

std::size_t CodeImage::blocks() const {
  const std::lock_guard lock(building_);
  return blocks_.size();
}

}  // namespace dojo::node
