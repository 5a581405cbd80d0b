#include "translate/translator.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "translate/code_writer.h"
#include "translate/emitters.h"

namespace dojo::translate {
namespace {

// Of address space; pages that hold no code take no memory.
constexpr std::size_t capacity = std::size_t{64} << 20;

}  // namespace

std::array<std::span<const Emitter>, 13> all_emitters() {
  return {integer_emitters(),        memory_emitters(),        control_emitters(),
          float_emitters(),          vector_config_emitters(), vector_memory_emitters(),
          vector_strided_emitters(), vector_float_emitters(),  vector_integer_emitters(),
          matrix_emitters(),         vector_mask_emitters(),   vector_convert_emitters(),
          matrix_move_emitters()};
}

const Emit* find_emitter(const isa::Row& row) {
  static const auto emitters = [] {
    std::unordered_map<std::string_view, const Emit*> all;
    for (const auto table : all_emitters())
      for (const Emitter& emitter : table) all.emplace(emitter.mnemonic, &emitter.emit);
    return all;
  }();
  const auto found = emitters.find(row.mnemonic);
  return found == emitters.end() ? nullptr : found->second;
}

HostVectors host_vectors() {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("popcnt");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return avx512 ? HostVectors::avx512 : avx2 ? HostVectors::avx2 : HostVectors::none;
#else
  return HostVectors::none;
#endif
}

Translator::Translator(HostVectors vectors)
    : vectors_(std::min(vectors, host_vectors())),
      store_(vectors_ != HostVectors::none ? capacity : 0),
      jump_cache_(jump_cache_entries) {
  write_frame();
  write_turns_frame();
}

namespace {

// A register shorter than a vector of AVX-512 would be half a piece.
HostVectors kind_for(HostVectors host, unsigned vlen_bits) {
  constexpr unsigned longest_bits = 512;
  return vlen_bits < longest_bits ? std::min(host, HostVectors::avx2) : host;
}

}  // namespace

const void* Translator::translate(const TraceBlock& block, TraceHead& head) {
  if (leave_ == nullptr || store_.is_full()) return nullptr;
  CodeWriter writer(*this, kind_for(vectors_, block.vectors.vlen_bits), block.vectors.vlen_bits);
  writer.write_block(block, head);
  const void* entry = store_.add(writer.code());
  if (entry == nullptr) return nullptr;
  code_is_made(this);
  const JumpTarget& target = jump_targets_.emplace_back(block.block->pc, entry);
  jump_cache_[block.block->pc / 2 % jump_cache_entries].store(&target, std::memory_order_release);
  return entry;
}

const void* Translator::turn(const TraceBlock& block) {
  if (leave_turns_ == nullptr || store_.is_full()) return nullptr;
  CodeWriter writer(*this, kind_for(vectors_, block.vectors.vlen_bits), block.vectors.vlen_bits);
  writer.write_turn(block);
  code_is_made(this);
  return store_.add(writer.code());
}

void Translator::run(TurnsRun& turns) const {
  turns.float_hart = turns.floats->hart();
  run_turns_(&turns);
  code_was_run(this);
  if (turns.float_hart != nullptr) turns.floats->resume(*turns.float_hart);
}

bool Translator::trace(std::span<const TraceBlock> blocks, bool loops, const void* after,
                       std::uint32_t first_count, TraceHead& head) {
  if (store_.is_full()) return false;
  const unsigned vlen_bits = blocks[0].vectors.vlen_bits;
  CodeWriter writer(*this, kind_for(vectors_, vlen_bits), vlen_bits);
  writer.write_trace(blocks, loops, first_count);
  const void* entry = store_.add(writer.code());
  if (entry == nullptr) return false;
  std::int64_t all = 0;
  for (const TraceBlock& block : blocks) all += block.block->count;
  code_is_made(this);
  head.trace.store(&trace_entries_.emplace_back(after, all, entry), std::memory_order_release);
  return true;
}

}  // namespace dojo::translate
