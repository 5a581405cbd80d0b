#include "translate/translator.h"

#include <string_view>
#include <unordered_map>

#include "translate/block_writer.h"
#include "translate/emitters.h"

namespace dojo::translate {
namespace {

// Of address space; pages that hold no code take no memory.
constexpr std::size_t capacity = std::size_t{64} << 20;

}  // namespace

const Emit* find_emitter(const isa::Row& row) {
  static const auto emitters = [] {
    std::unordered_map<std::string_view, const Emit*> all;
    for (const auto table : {integer_emitters(), memory_emitters(), control_emitters(), float_emitters(),
                             vector_emitters(), matrix_emitters()})
      for (const Emitter& emitter : table) all.emplace(emitter.mnemonic, &emitter.emit);
    return all;
  }();
  const auto found = emitters.find(row.mnemonic);
  return found == emitters.end() ? nullptr : found->second;
}

bool Translator::host_is_known() {
#if defined(__x86_64__) && defined(__AVX2__)  // built for plain x86-64, the program is to stay with it
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
#else
  return false;
#endif
}

Translator::Translator() : store_(host_is_known() ? capacity : 0), landings_(landing_places) {
  write_frame();
}

const void* Translator::translate(const isa::Block& block, const Vectors& vectors, const Key& key) {
  if (leave_ == nullptr) return nullptr;
  BlockWriter writer(block, vectors, key, *this);
  writer.write();
  const void* entry = store_.add(writer.code());
  if (entry == nullptr) return nullptr;
  const Landing& landing = made_landings_.emplace_back(block.pc, entry);
  landings_[block.pc / 2 % landing_places].store(&landing, std::memory_order_release);
  return entry;
}

}  // namespace dojo::translate
