#include "node/image.h"

#include <algorithm>

#include "isa/csr.h"
#include "node/cost.h"
#include "node/path.h"

namespace dojo::node {

namespace {

bool reads_clock(const isa::Decoded& d) {
  return d.row->extension == "Zicsr" && isa::is_clock(static_cast<unsigned>(d.immediate));
}

}  // namespace

CodeBlock::CodeBlock(isa::Block built) : block(std::move(built)) {
  const auto& code = block.code;
  uses_vectors = std::any_of(code.begin(), code.begin() + block.count, depends_on_config);
  sees_account = (code.front().row->properties & isa::starts_block) != 0;
  if (reads_clock(code.front())) clock_register = static_cast<std::int8_t>(code.front().rd);
}

CodeImage::CodeImage(std::uint64_t text_begin, std::uint64_t text_end, unsigned limit,
                     std::uint32_t translate_after, HostVectors vectors)
    : begin_((text_begin + 1) & ~std::uint64_t{1}),
      end_(text_end),
      limit_(limit),
      translate_after_(translate_after),
      slots_(text_end > begin_ ? (text_end - begin_) / 2 : 0),
      translator_(vectors) {}

const CodeBlock* CodeImage::build(std::uint64_t slot, std::uint64_t pc, const isa::Memory& memory) {
  const std::lock_guard lock(building_);
  if (const CodeBlock* known = slots_[slot].load(std::memory_order_relaxed)) return known;
  isa::Block block = isa::build_block(memory, pc, limit_, end_);
  if (block.count == 0) return nullptr;
  const CodeBlock* built = &blocks_.emplace_back(std::move(block));
  slots_[slot].store(built, std::memory_order_release);
  return built;
}

const Translation* CodeImage::translate(const CodeBlock& block, ConfigWord config,
                                        const translate::Vectors& vectors) {
  const std::lock_guard lock(building_);
  block.runs.store(0, std::memory_order_relaxed);
  return translate_locked(block, config, vectors);
}

// A block that meets ever new configurations keeps the first few.
const Translation* CodeImage::translate_locked(const CodeBlock& block, ConfigWord config,
                                               const translate::Vectors& vectors) {
  constexpr unsigned most = 6, runs_before_a_trace = 4;
  if (const Translation* known = block.translation(config)) return known;
  const Translation* first = block.translations.load(std::memory_order_relaxed);
  unsigned count = 0;
  for (const Translation* t = first; t != nullptr; t = t->next) ++count;
  if (count == most) return nullptr;
  Translation& made = translations_.emplace_back();
  made.block = &block;
  made.config = config;
  made.next = first;
  made.head.countdown = std::int64_t{translate_after_} * runs_before_a_trace + 1;
  translate::Vectors of_block = vectors;
  of_block.any = block.uses_vectors;
  made.entry = translator_.translate(
      {.block = &block.block, .vectors = of_block, .key = {&block, config.bits, &made}}, made.head);
  if (made.entry == nullptr) {
    translations_.pop_back();
    return nullptr;
  }
  block.translations.store(&made, std::memory_order_release);
  return &made;
}

const void* CodeImage::turn(const Translation& translation, unsigned vlen_bits) {
  const std::lock_guard lock(building_);
  if (translation.turn != nullptr) return translation.turn;
  constexpr std::uint64_t illegal = std::uint64_t{1} << 63;
  const CodeBlock& block = *translation.block;
  const std::uint64_t config = translation.config.bits;
  if (block.uses_vectors && (config & illegal) != 0) return nullptr;
  translate::Vectors vectors{.any = block.uses_vectors, .vlen_bits = vlen_bits};
  if (vectors.any) vectors.vl = static_cast<std::uint32_t>(config), vectors.vtype = config >> 32;
  translation.turn =
      translator_.turn({.block = &block.block, .vectors = vectors, .key = {&block, config, &translation}});
  return translation.turn;
}

void CodeImage::trace(const Path& path) {
  constexpr unsigned most_attempts = 4;
  constexpr std::int64_t runs_between = 5000;
  const std::lock_guard lock(building_);
  const Translation& head = *path.head;
  if (++head.attempts < most_attempts) head.head.countdown = runs_between;
  std::vector<translate::TraceBlock> blocks;
  for (const PathBlock& one : path.blocks) {
    const Translation* translation = translate_locked(*one.block, one.config, one.vectors);
    if (translation == nullptr) break;
    translate::Vectors vectors = one.vectors;
    vectors.any = one.block->uses_vectors;
    blocks.push_back({.block = &one.block->block,
                      .vectors = vectors,
                      .key = {one.block, one.config.bits, translation},
                      .way = static_cast<unsigned>(one.transition->exit),
                      .target = one.target,
                      .transition = one.transition});
  }
  const bool loops = path.loops && blocks.size() == path.blocks.size();
  const std::size_t first = trace_counts_.load(std::memory_order_relaxed);
  if ((!loops && blocks.size() < 2) || first + blocks.size() > translate::most_trace_counts) return;
  if (counted_ == nullptr) counted_ = std::make_unique<Counts[]>(translate::most_trace_counts);
  Counts sum;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    sum += path.blocks[i].transition->counts;
    counted_[first + i] = sum;
  }
  trace_counts_.store(first + blocks.size(), std::memory_order_release);
  translator_.trace(blocks, loops, path.from->after, static_cast<std::uint32_t>(first), head.head);
}

std::size_t CodeImage::blocks() const {
  const std::lock_guard lock(building_);
  return blocks_.size();
}

}  // namespace dojo::node
