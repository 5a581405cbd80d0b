// The program's text, decoded once and shared by all nodes that run it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "isa/block.h"
#include "node/config.h"
#include "node/counts.h"
#include "node/translation.h"
#include "translate/translator.h"

namespace dojo::node {

struct CodeBlock;

// A block as host code, for one configuration (none if the block does not depend on it).
struct Translation {
  const CodeBlock* block = nullptr;
  ConfigWord config;
  const Translation* next = nullptr;  // for another configuration
  const void* entry = nullptr;
  mutable translate::TraceHead head{};
  mutable unsigned attempts = 0;       // to find a trace that begins here
  mutable const void* turn = nullptr;  // entry as a turn among those of other harts, once asked for
};

// A decoded block and what the node wants to know of it before running it. Immutable once published, but for
// what makes it faster.
struct alignas(64) CodeBlock {
  isa::Block block;
  bool uses_vectors = false;  // its timing depends on vl, vtype and the tile shape
  bool sees_account = false;  // reads or writes what the hart accumulates: flags, instructions, cycles
  std::int8_t clock_register =
      -1;  // where it reads `cycle` or `time` to, if it does; it is the only instruction
  mutable std::atomic<const Translation*> translations{nullptr};
  mutable std::atomic<std::uint32_t> runs{0};  // untranslated ones, some uncounted if host threads compete

  explicit CodeBlock(isa::Block built);

  // nullptr: not translated, or not for this configuration.
  const Translation* translation(ConfigWord config) const {
    const Translation* t = translations.load(std::memory_order_acquire);
    while (t != nullptr && t->config != config) t = t->next;
    return t;
  }

  std::uint64_t end() const { return block.pc + block.bytes; }
};

// What was run once, block by block, from `head` on; see node/path.h.
struct Path;

inline translate::Vectors vectors_of(const isa::Hart& hart) {
  return {.any = true, .vl = hart.vl, .vtype = hart.vtype, .vlen_bits = hart.vlen_bits};
}

// Blocks of the text range [text_begin, text_end), which is the same on all nodes and never changes while the
// image exists (stores into text trap). None holds a byte from outside: what lies there may change. Any
// number of host threads may call find at once. `limit` makes shorter blocks: with 1, a core stops after
// every instruction. All harts that run an image have vectors of one length. Translation changes nothing but
// the host's time.
class CodeImage {
public:
  CodeImage(std::uint64_t text_begin, std::uint64_t text_end, unsigned limit = isa::max_block,
            std::uint32_t translate_after = translate_after_default, HostVectors vectors = host_vectors());

  // The block that starts at pc, built from `memory` if nobody asked for it before; nullptr if the
  // instruction there is not all of it text: such code may change, so its block is built for one execution
  // only.
  const CodeBlock* find(std::uint64_t pc, const isa::Memory& memory) {
    const std::uint64_t slot = (pc - begin_) / 2;
    if (slot >= slots_.size() || (pc & 1) != 0) return nullptr;
    if (const CodeBlock* known = slots_[slot].load(std::memory_order_acquire)) return known;
    return build(slot, pc, memory);
  }

  // What to run instead of one of the image's blocks, if it has been run often enough; nullptr: itself, which
  // counts as a run of `hart`.
  const Translation* translation(const CodeBlock& block, ConfigWord config, const isa::Hart& hart) {
    if (const Translation* known = block.translation(config)) [[likely]]
      return known;
    const std::uint32_t runs = block.runs.load(std::memory_order_relaxed);
    if (runs < translate_after_) [[likely]] {
      block.runs.store(runs + 1, std::memory_order_relaxed);
      return nullptr;
    }
    return translate_after_ == never_translate ? nullptr : translate(block, config, vectors_of(hart));
  }
  // Makes a trace of it, if there is something to gain.
  void trace(const Path& path);
  // What a trace counts under this number (translate::Account::times), of those given out so far.
  std::size_t trace_counts() const { return trace_counts_.load(std::memory_order_acquire); }
  const Counts& trace_count(std::size_t number) const { return counted_[number]; }
  // See translate::Translator::run.
  void run(isa::Hart& hart, translate::Chain& chain, const Translation& translation) const {
    translator_.run(hart, chain, translation.entry);
  }
  // The code for a translated block as a turn, and what else turns are made of (translate/turns.h); nullptr:
  // there is none.
  const void* turn(const Translation& translation, unsigned vlen_bits);
  const void* turn_of_floats() const { return translator_.turn_of_floats(); }
  const void* turns_end() const { return translator_.turns_end(); }
  void run(translate::TurnsRun& turns) const { translator_.run(turns); }
  // Lets an exit of translated code go on to `block`, if that is translated and may follow in a chain.
  static void link(std::atomic<const void*>& exit, const CodeBlock& block) {
    const Translation* first = block.translations.load(std::memory_order_acquire);
    if (first != nullptr) exit.store(first->entry, std::memory_order_release);
  }
  unsigned limit() const { return limit_; }
  std::size_t blocks() const;

private:
  const CodeBlock* build(std::uint64_t slot, std::uint64_t pc, const isa::Memory& memory);
  const Translation* translate(const CodeBlock& block, ConfigWord config, const translate::Vectors& vectors);
  const Translation* translate_locked(const CodeBlock& block, ConfigWord config,
                                      const translate::Vectors& vectors);

  std::uint64_t begin_, end_;
  unsigned limit_;
  std::uint32_t translate_after_;
  std::vector<std::atomic<const CodeBlock*>> slots_;  // one per half-word that is all text
  mutable std::mutex building_;
  std::deque<CodeBlock> blocks_;
  translate::Translator translator_;
  std::deque<Translation> translations_;
  std::unique_ptr<Counts[]> counted_;  // most_trace_counts of them, with the first trace
  std::atomic<std::size_t> trace_counts_{0};
};

}  // namespace dojo::node
