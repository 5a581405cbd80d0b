#include "system/computer.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "system/debuggee.h"
#include "system/execution.h"
#include "system/layout.h"
#include "system/memory.h"
#include "system/program.h"
#include "system/replay.h"
#include "system/stranded.h"

namespace dojo::system {

namespace {

using machine::Counter;
using machine::event_of;

// An entry of the program cache, which is kept from launch to launch: a program's decoded blocks and their
// timing.
struct CachedProgram {
  std::string sha256;
  std::uint32_t translate_after;
  node::HostVectors vectors;
  node::CodeImage image;
  node::BlockTiming timing;
  std::optional<node::CodeImage> single_instructions;  // each a block, if a launch was debugged

  CachedProgram(const Program& program, const machine::Node& node, const LaunchOptions& options)
      : sha256(program.sha256()),
        translate_after(options.translate_after),
        vectors(options.host.vectors),
        image(program.text().first, program.text().second, isa::max_block, translate_after, vectors),
        timing(node) {}

  node::CodeImage& of_single_instructions(const Program& program) {
    if (!single_instructions) single_instructions.emplace(program.text().first, program.text().second, 1);
    return *single_instructions;
  }
};
constexpr std::size_t program_cache_entries = 4;

Outcome outcome_of(const Execution& execution) {
  if (execution.interrupted()) return Outcome::interrupted;
  bool trapped = false, too_long = false, waiting = false;
  for (const auto& thread : execution.threads()) {
    trapped |= thread->state == ThreadState::trapped;
    too_long |= thread->state == ThreadState::too_long;
    waiting |= thread->state == ThreadState::waiting;
  }
  if (trapped) return Outcome::trapped;
  if (too_long) return Outcome::too_long;
  return waiting ? Outcome::deadlocked : Outcome::finished;
}

ThreadState culprit(Outcome outcome) {
  switch (outcome) {
    case Outcome::trapped:
      return ThreadState::trapped;
    case Outcome::too_long:
      return ThreadState::too_long;
    case Outcome::deadlocked:
      return ThreadState::waiting;
    default:
      return ThreadState::runnable;
  }
}

// The working cycles of threads that share their nodes; those told apart by address in one sum.
void count_smt_cycles(const node::SmtTiming& smt, bool by_address, machine::Ledger& ledger) {
  for (const auto& [bucket, cycles] : smt.spent())
    for (std::size_t c = 0; c < node::causes; ++c)
      if (cycles[c] != 0)
        ledger.add("nodes", by_address ? 0 : static_cast<std::uint32_t>(bucket), machine::cause_events[c].key,
                   cycles[c]);
}

void count_nodes(const Execution& execution, bool by_address, machine::Ledger& ledger) {
  std::map<std::uint32_t, node::Counts> sums;
  std::map<std::uint32_t, machine::Counters> moved;
  for (const auto& thread : execution.threads()) {
    for (const auto& [op, counts] : thread->core.counts()) sums[op] += counts;
    for (const auto& [op, by] : thread->moved) moved[op] += by;
    for (const auto& [where, bytes] : thread->hbm) {
      ledger.add(where.second, event_of(Counter::hbm_read), bytes.first, where.first);
      ledger.add(where.second, event_of(Counter::hbm_written), bytes.second, where.first);
    }
  }
  for (const auto& [op, counts] : sums)
    for (std::size_t i = 0; i < node::Counts::size; ++i)
      if (counts.value[i] != 0) ledger.add("nodes", op, node::event_of(i), counts.value[i]);
  if (execution.smt() != nullptr) count_smt_cycles(*execution.smt(), by_address, ledger);
  for (const auto& [op, by] : moved)
    for (std::size_t i = 0; i < machine::counters; ++i)
      ledger.add(op, machine::counter_events[i], by.value[i]);
}

// The waits of a profiled launch, which are told apart by address instead of op.
void profile_waiting(Replayed& replay, std::uint64_t base, Profile& profile) {
  Waiting sum;
  for (const auto& [place, waiting] : replay.waiting) {
    ProfileEntry& entry = profile[base + place];
    for (std::size_t c = 0; c < machine::causes; ++c) entry.cycles[c] += waiting.value[c];
    sum += waiting;
  }
  replay.waiting = {{0, sum}};
}

void count_waiting(const Replayed& replay, machine::Ledger& ledger) {
  for (const auto& [op, waiting] : replay.waiting)
    for (std::size_t c = 0; c < machine::causes; ++c)
      ledger.add(op, machine::cause_events[c], waiting.value[c]);
}

}  // namespace

struct Computer::State {
  machine::Machine machine;
  fabric::Topology topology;
  unsigned nodes;
  HostMemory sram;
  std::deque<HostMemory> hbm;               // reserved where a launch or the host first asks for some of it
  std::deque<CachedProgram> program_cache;  // latest last

  State(const machine::Machine& which, unsigned count)
      : machine(which),
        topology(machine),
        nodes(count == 0 ? machine.enabled_nodes() : count),
        sram(nodes * machine.node.sram_bytes, "SRAM of the nodes", Touched::wholly) {
    for (std::uint64_t d = 0; d < machine.interface.count; ++d)
      hbm.emplace_back(machine.interface.hbm_bytes, "HBM of an interface processor");
  }

  CachedProgram& cached(const Program& program, const LaunchOptions& options) {
    for (CachedProgram& one : program_cache)
      if (one.sha256 == program.sha256() && one.translate_after == options.translate_after &&
          one.vectors == options.host.vectors)
        return one;
    if (program_cache.size() == program_cache_entries) program_cache.pop_front();
    return program_cache.emplace_back(program, machine.node, options);
  }

  std::span<std::byte> node_sram(unsigned node) const {
    DOJO_ENSURE(node < nodes);
    return sram.range(node * machine.node.sram_bytes, machine.node.sram_bytes);
  }

  std::span<std::byte> hbm_range(unsigned d, std::uint64_t offset, std::uint64_t bytes) const {
    if (d >= hbm.size()) refuse(machine.name, "has no interface processor {} (only {})", d, hbm.size());
    if (offset > hbm[d].size() || bytes > hbm[d].size() - offset)
      refuse(machine.name, "has {} bytes of HBM at interface processor {}; byte {} is asked for",
             hbm[d].size(), d, offset + bytes);
    return hbm[d].range(offset, bytes);
  }
};

Computer::Computer(const machine::Machine& machine, unsigned nodes) {
  if (nodes > machine.enabled_nodes())
    refuse(machine.name, "has {} nodes; {} are asked for", machine.enabled_nodes(), nodes);
  state_ = std::make_unique<State>(machine, nodes);
}

Computer::~Computer() = default;
Computer::Computer(Computer&&) noexcept = default;

unsigned Computer::nodes() const { return state_->nodes; }
const machine::Machine& Computer::machine() const { return state_->machine; }

void Computer::write_hbm(unsigned d, std::uint64_t offset, std::span<const std::byte> bytes) {
  std::ranges::copy(bytes, state_->hbm_range(d, offset, bytes.size()).begin());
}

std::vector<std::byte> Computer::read_hbm(unsigned d, std::uint64_t offset, std::uint64_t bytes) const {
  const auto range = state_->hbm_range(d, offset, bytes);
  return {range.begin(), range.end()};
}

std::span<std::byte> Computer::sram(unsigned node) { return state_->node_sram(node); }
std::span<const std::byte> Computer::sram(unsigned node) const { return state_->node_sram(node); }

LaunchResult Computer::launch(const Program& program, std::uint64_t persistent_begin,
                              std::uint64_t persistent_end, const LaunchOptions& options) {
  State& state = *state_;
  const Layout layout = lay_out(program, state.machine.node, persistent_begin, persistent_end);
  parallel_for(options.host.threads, state.nodes, [&](std::size_t node) {
    load(program, layout, state.node_sram(static_cast<unsigned>(node)));
  });

  CachedProgram& cached = state.cached(program, options);
  Execution execution(state.machine, state.topology, layout, state.sram, state.hbm, state.nodes, options);
  execution.start(program, cached.image, cached.timing);
  std::optional<Replay> replay;
  if (options.host.timing)
    replay.emplace(state.machine, state.topology, execution, execution.threads().size(), layout.threads,
                   execution.smt());
  if (options.debugger) {
    execution.hold();
    for (const auto& thread : execution.threads()) thread->core.use(cached.of_single_instructions(program));
    Debuggee debuggee(execution, state.machine, program, layout, options, replay ? &*replay : nullptr);
    options.debugger(debuggee);
    execution.release();
    for (const auto& thread : execution.threads()) thread->core.use(cached.image);
  }
  if (execution.smt() == nullptr) execution.run();
  if (replay) replay->run();

  LaunchResult result;
  result.outcome = outcome_of(execution);
  for (const auto& thread : execution.threads()) {
    result.exit_code = std::max(result.exit_code, thread->exit_code);
    result.instructions += thread->hart.instructions;
    if (options.text_output && !thread->text.empty()) options.text_output(thread->text);
    if (options.error_output && !thread->error_text.empty()) options.error_output(thread->error_text);
  }
  for (const std::uint64_t number : execution.unknown_calls())
    result.warnings.push_back(fmt::format("system call {} does not exist here; it returned -ENOSYS", number));
  for (unsigned node = 0; options.measure_memory && node < state.nodes; ++node)
    result.memory_used = std::max(result.memory_used, execution.memory_used(node));
  count_nodes(execution, options.profile != nullptr, result.ledger);
  result.stranded = find_stranded(execution, program, culprit(result.outcome));
  if (replay) {
    Replayed timed = replay->result();
    result.cycles = timed.cycles;
    if (options.profile != nullptr) {
      for (const auto& [pc, counts] : execution.counts_by_address()) {
        ProfileEntry& entry = (*options.profile)[pc];
        entry.instructions = counts.instructions;
        std::ranges::copy(counts.cycles, entry.cycles.begin());
      }
      profile_waiting(timed, layout.window.base, *options.profile);
    }
    count_waiting(timed, result.ledger);
  }
  return result;
}

}  // namespace dojo::system
