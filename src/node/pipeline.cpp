#include "node/pipeline.h"

#include <algorithm>

#include "base/bits.h"
#include "base/error.h"

namespace dojo::node {

namespace {

bool uses_load_path(const Cost& cost) { return cost.route == Route::load || cost.route == Route::atomic; }
bool uses_store_path(const Cost& cost) { return cost.route == Route::store || cost.route == Route::atomic; }
bool uses_alu(const Cost& cost) {
  return cost.route == Route::alu || cost.route == Route::divide || cost.route == Route::drain;
}
bool uses_scalar_slot(const Cost& cost) { return cost.route != Route::branch && cost.route != Route::vector; }

}  // namespace

std::vector<TimedInstruction> timed_instructions(const isa::Block& block, std::uint32_t count,
                                                 const Config& config, Exit exit, const machine::Node& node) {
  std::vector<TimedInstruction> instructions;
  for (std::uint32_t i = 0; i < count; ++i)
    instructions.push_back({cost_of(block.code[i], config, node), Exit::onward});
  if (exit == Exit::trapped) instructions.push_back({trap_cost(node), Exit::stopped});
  if (instructions.empty() || exit == Exit::trapped) return instructions;
  instructions.back().exit = exit;
  if (exit == Exit::stopped) {
    Cost& last = instructions.back().cost;
    last.route = Route::drain;
    last.latency = last.occupancy;
  }
  return instructions;
}

void Pipeline::add(const TimedInstruction& instruction) {
  const Cost& cost = instruction.cost;
  if (cost.route == Route::free) {
    last_ = {now_, now_};
    return;
  }
  const Cycle operands = operands_from(cost);
  Cycle cycle = std::max(now_, operands);
  if (cost.route == Route::divide) cycle = std::max(cycle, scoreboard_[divider]);
  if (cost.route == Route::vector && queue_.size() >= node_.vector_queue)
    cycle = std::max(cycle, queue_[queue_.size() - node_.vector_queue].issue);
  if (cycle == now_ && !fits(cost)) ++cycle;
  advance(cycle, operands);
  take_slots(cost);
  last_ = {now_, now_};

  if (cost.route == Route::vector) {
    begin_vector(cost);
  } else {
    set_results(cost, now_ + cost.latency);
    if (cost.route == Route::divide) {
      scoreboard_[divider] = now_ + cost.occupancy;
      scoreboard_[done] = std::max(scoreboard_[done], scoreboard_[divider]);
    }
  }
  if (cost.route == Route::drain) scoreboard_[front_ready] = now_ + cost.occupancy;
  if (instruction.exit == Exit::taken)
    scoreboard_[front_ready] = now_ + 1 + static_cast<Cycle>(node_.branch_taken_cycles);
  if (instruction.exit == Exit::stopped) stop(cost.occupancy);
}

Cycle Pipeline::operands_from(const Cost& cost) const {
  Cycle from = scoreboard_[front_ready];
  for_each_bit(cost.x_reads | cost.x_writes, [&](unsigned r) { from = std::max(from, scoreboard_[x + r]); });
  for_each_bit(cost.f_reads | cost.f_writes, [&](unsigned r) { from = std::max(from, scoreboard_[f + r]); });
  if (cost.reads_config || cost.writes_config) from = std::max(from, scoreboard_[config]);
  if (cost.route == Route::drain) from = std::max(from, scoreboard_[done]);
  return from;
}

bool Pipeline::fits(const Cost& cost) const {
  return used_.decode < node_.decode_width && used_.bytes + cost.bytes <= node_.fetch_bytes &&
         (!uses_scalar_slot(cost) || used_.scalar < node_.scalar_issue) &&
         (!uses_alu(cost) || used_.alus < node_.alus) &&
         (!(uses_load_path(cost) || uses_store_path(cost)) || used_.address_units < node_.address_units) &&
         (!uses_load_path(cost) || used_.load_path == 0) && (!uses_store_path(cost) || used_.store_path == 0);
}

void Pipeline::take_slots(const Cost& cost) {
  used_.decode += 1;
  used_.bytes += cost.bytes;
  used_.scalar += uses_scalar_slot(cost);
  used_.alus += uses_alu(cost);
  used_.address_units += uses_load_path(cost) || uses_store_path(cost);
  used_.load_path += uses_load_path(cost);
  used_.store_path += uses_store_path(cost);
}

// Moves the front end to cycle `to`; the cycles in between get their causes.
void Pipeline::advance(Cycle to, Cycle front_operands) {
  if (to == now_) return;
  counts_.of(Cause::issue) += 1;  // the present cycle passed something on
  for (Cycle cycle = now_ + 1; cycle < to; ++cycle) counts_.of(cause_of(cycle, front_operands)) += 1;
  now_ = to;
  const std::uint32_t vector = used_.vector;
  used_ = {};
  used_.vector = vector;
  std::erase_if(queue_, [&](const Waiting& entry) { return entry.issue <= now_; });
}

// Of a cycle in which the front end passes nothing on.
Cause Pipeline::cause_of(Cycle cycle, Cycle front_operands) const {
  for (const Waiting& entry : queue_) {
    if (entry.issue < cycle) continue;
    if (entry.issue == cycle) return Cause::issue;
    return cycle < entry.operands ? Cause::dependency : cycle < entry.pipes ? Cause::unit : Cause::sram;
  }
  return cycle < front_operands ? Cause::dependency : Cause::unit;
}

void Pipeline::begin_vector(const Cost& cost) {
  Waiting entry;
  const Cycle behind = static_cast<Cycle>(cost.occupancy) - 1;
  for (const Group& group : cost.v_reads)
    for (unsigned r = group.first; r < unsigned{group.first} + group.count; ++r)
      entry.operands = std::max(
          {entry.operands, scoreboard_[v_first + r], scoreboard_[v_last + r] - (group.at_once ? 0 : behind)});
  for_each_bit(cost.t_reads, [&](unsigned i) {
    entry.operands = std::max(entry.operands, scoreboard_[(cost.accumulates ? t_forward : t_ready) + i]);
  });
  if (cost.pipes & simd_pipe) entry.pipes = scoreboard_[simd];
  if (cost.pipes & matrix_pipe) entry.pipes = std::max(entry.pipes, scoreboard_[matrix]);

  const auto loads = scoreboard_.begin() + load, stores = scoreboard_.begin() + store;
  Cycle ports = 0;
  if (cost.pipes & load_port) {
    std::sort(loads, loads + static_cast<std::ptrdiff_t>(node_.sram_load_ports));
    ports = loads[cost.ports - 1];
  }
  if (cost.pipes & store_port) {
    std::sort(stores, stores + static_cast<std::ptrdiff_t>(node_.sram_store_ports));
    ports = std::max(ports, stores[0]);
  }
  const bool arithmetic = (cost.pipes & (simd_pipe | matrix_pipe)) != 0;
  const bool full = arithmetic && used_.vector >= node_.vector_issue;
  entry.issue = std::max({now_ + 1, scoreboard_[vector_issued] + full, entry.operands, entry.pipes, ports});
  used_.vector = (entry.issue == scoreboard_[vector_issued] ? used_.vector : 0) + arithmetic;
  scoreboard_[vector_issued] = entry.issue;
  last_.issued = entry.issue;

  const Cycle free_again = entry.issue + cost.occupancy;
  const Cycle last = free_again - 1 + cost.latency;
  const Cycle first = cost.streams ? entry.issue + cost.latency : last;
  if (cost.pipes & simd_pipe) scoreboard_[simd] = free_again;
  if (cost.pipes & matrix_pipe) scoreboard_[matrix] = free_again;
  if (cost.pipes & load_port) std::fill_n(loads, cost.ports, free_again);
  if (cost.pipes & store_port) stores[0] = free_again;
  for (unsigned r = cost.v_write.first; r < unsigned{cost.v_write.first} + cost.v_write.count; ++r) {
    scoreboard_[v_first + r] = std::max(scoreboard_[v_first + r], first);
    scoreboard_[v_last + r] = std::max(scoreboard_[v_last + r], last);
  }
  for_each_bit(cost.t_writes, [&](unsigned i) {
    scoreboard_[t_forward + i] = std::max(scoreboard_[t_forward + i], cost.accumulates ? free_again : last);
    scoreboard_[t_ready + i] = std::max(scoreboard_[t_ready + i], last);
  });
  set_results(cost, last);
  queue_.push_back(entry);
}

void Pipeline::set_results(const Cost& cost, Cycle ready) {
  for_each_bit(cost.x_writes, [&](unsigned r) { scoreboard_[x + r] = ready; });
  for_each_bit(cost.f_writes, [&](unsigned r) { scoreboard_[f + r] = ready; });
  if (cost.writes_config) scoreboard_[config] = ready;
  scoreboard_[done] = std::max(scoreboard_[done], ready);
}

void Pipeline::stop(Cycle cost) {
  counts_.of(Cause::issue) += 1;
  counts_.of(Cause::unit) += static_cast<std::uint64_t>(cost - 1);
  now_ += cost;
  scoreboard_.fill(0);
  used_ = {};
  queue_.clear();
}

// --- The state, relative to now
// -----------------------------------------------------------------------------------

// Words: pairs (index, cycles from now) of what lies ahead; then for a cycle that is in use, what is used;
// then the queue.
PipelineState Pipeline::state() const {
  PipelineState state;
  const auto put = [&](std::uint32_t index, Cycle value) {
    if (value == 0) return;
    DOJO_ENSURE(value > 0 && value < (Cycle{1} << 32));
    state.words.push_back(index);
    state.words.push_back(static_cast<std::uint32_t>(value));
  };
  auto ahead = scoreboard_;
  for (unsigned i = 0; i < entries; ++i) {
    const Cycle soonest = i < vector_entries ? 0 : 1;  // the vector engine's next chance is the next cycle
    ahead[i] = scoreboard_[i] - now_ > soonest ? scoreboard_[i] - now_ : 0;
  }
  const bool issuing = scoreboard_[vector_issued] > now_;
  ahead[vector_issued] = issuing ? scoreboard_[vector_issued] - now_ : 0;
  std::sort(ahead.begin() + load, ahead.begin() + load + static_cast<std::ptrdiff_t>(node_.sram_load_ports));
  std::sort(ahead.begin() + store,
            ahead.begin() + store + static_cast<std::ptrdiff_t>(node_.sram_store_ports));
  for (unsigned i = 0; i < entries; ++i) put(i, ahead[i]);

  std::uint32_t index = entries;
  for (const std::uint32_t amount : {used_.decode, used_.bytes, used_.scalar, used_.alus, used_.address_units,
                                     used_.load_path, used_.store_path, issuing ? used_.vector : 0})
    put(index++, amount);
  for (const Waiting& entry : queue_) {
    const Cycle operands = entry.operands > now_ + 1 ? entry.operands - now_ : 0;
    const Cycle pipes = entry.pipes > std::max(entry.operands, now_ + 1) ? entry.pipes - now_ : 0;
    put(index++, operands);
    put(index++, pipes);
    put(index++, entry.issue - now_);
  }
  return state;
}

Pipeline::Pipeline(const machine::Node& node, const PipelineState& state) : node_(node) {
  std::uint32_t* const used[] = {&used_.decode,        &used_.bytes,     &used_.scalar,     &used_.alus,
                                 &used_.address_units, &used_.load_path, &used_.store_path, &used_.vector};
  for (std::size_t i = 0; i < state.words.size(); i += 2) {
    const std::uint32_t index = state.words[i], value = state.words[i + 1];
    if (index < entries) {
      scoreboard_[index] = value;
    } else if (index < entries + std::size(used)) {
      *used[index - entries] = value;
    } else {
      const std::size_t entry = (index - entries - std::size(used)) / 3;
      if (queue_.size() <= entry) queue_.resize(entry + 1);
      Waiting& waiting = queue_[entry];
      *(std::array{&waiting.operands, &waiting.pipes,
                   &waiting.issue}[(index - entries - std::size(used)) % 3]) = value;
    }
  }
}

}  // namespace dojo::node
