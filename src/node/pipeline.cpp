#include "node/pipeline.h"

#include <algorithm>

#include "base/bits.h"
#include "base/error.h"

namespace dojo::node {

namespace {

bool uses_load_path(const Job& job) { return job.route == Route::load || job.route == Route::atomic; }
bool uses_store_path(const Job& job) { return job.route == Route::store || job.route == Route::atomic; }
bool uses_alu(const Job& job) {
  return job.route == Route::alu || job.route == Route::divide || job.route == Route::drain;
}
bool uses_scalar_slot(const Job& job) { return job.route != Route::branch && job.route != Route::vector; }

}  // namespace

std::vector<Step> steps_of(const isa::Block& block, std::uint32_t count, const Config& config, Exit exit,
                           const machine::Node& node) {
  std::vector<Step> steps;
  for (std::uint32_t i = 0; i < count; ++i)
    steps.push_back({describe(block.code[i], config, node), Exit::onward});
  if (exit == Exit::trapped) steps.push_back({trap(node), Exit::stopped});
  if (steps.empty() || exit == Exit::trapped) return steps;
  steps.back().exit = exit;
  if (exit == Exit::stopped) {
    Job& last = steps.back().job;
    last.route = Route::drain;
    last.latency = last.occupancy;
  }
  return steps;
}

void Pipeline::add(const Step& step) {
  const Job& job = step.job;
  if (job.route == Route::free) {
    last_ = {now_, now_};
    return;
  }
  const Cycle operands = operands_from(job);
  Cycle cycle = std::max(now_, operands);
  if (job.route == Route::divide) cycle = std::max(cycle, at_[divider]);
  if (job.route == Route::vector && queue_.size() >= node_.vector_queue)
    cycle = std::max(cycle, queue_[queue_.size() - node_.vector_queue].issue);
  if (cycle == now_ && !fits(job)) ++cycle;
  advance(cycle, operands);
  take_slots(job);
  last_ = {now_, now_};

  if (job.route == Route::vector) {
    begin_vector(job);
  } else {
    set_results(job, now_ + job.latency);
    if (job.route == Route::divide) {
      at_[divider] = now_ + job.occupancy;
      at_[done] = std::max(at_[done], at_[divider]);
    }
  }
  if (job.route == Route::drain) at_[front_ready] = now_ + job.occupancy;
  if (step.exit == Exit::taken) at_[front_ready] = now_ + 1 + static_cast<Cycle>(node_.branch_taken_cycles);
  if (step.exit == Exit::stopped) stop(job.occupancy);
}

Cycle Pipeline::operands_from(const Job& job) const {
  Cycle from = at_[front_ready];
  for_each_bit(job.x_reads | job.x_writes, [&](unsigned r) { from = std::max(from, at_[x + r]); });
  for_each_bit(job.f_reads | job.f_writes, [&](unsigned r) { from = std::max(from, at_[f + r]); });
  if (job.reads_config || job.writes_config) from = std::max(from, at_[config]);
  if (job.route == Route::drain) from = std::max(from, at_[done]);
  return from;
}

bool Pipeline::fits(const Job& job) const {
  return used_.decode < node_.decode_width && used_.bytes + job.bytes <= node_.fetch_bytes &&
         (!uses_scalar_slot(job) || used_.scalar < node_.scalar_issue) &&
         (!uses_alu(job) || used_.alus < node_.alus) &&
         (!(uses_load_path(job) || uses_store_path(job)) || used_.address_units < node_.address_units) &&
         (!uses_load_path(job) || used_.load_path == 0) && (!uses_store_path(job) || used_.store_path == 0);
}

void Pipeline::take_slots(const Job& job) {
  used_.decode += 1;
  used_.bytes += job.bytes;
  used_.scalar += uses_scalar_slot(job);
  used_.alus += uses_alu(job);
  used_.address_units += uses_load_path(job) || uses_store_path(job);
  used_.load_path += uses_load_path(job);
  used_.store_path += uses_store_path(job);
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

void Pipeline::begin_vector(const Job& job) {
  Waiting entry;
  const Cycle behind = static_cast<Cycle>(job.occupancy) - 1;
  for (const Group& group : job.v_reads)
    for (unsigned r = group.first; r < unsigned{group.first} + group.count; ++r)
      entry.operands =
          std::max({entry.operands, at_[v_first + r], at_[v_last + r] - (group.at_once ? 0 : behind)});
  for_each_bit(job.t_reads, [&](unsigned i) {
    entry.operands = std::max(entry.operands, at_[(job.accumulates ? t_forward : t_ready) + i]);
  });
  if (job.pipes & simd_pipe) entry.pipes = at_[simd];
  if (job.pipes & matrix_pipe) entry.pipes = std::max(entry.pipes, at_[matrix]);

  const auto loads = at_.begin() + load, stores = at_.begin() + store;
  Cycle ports = 0;
  if (job.pipes & load_port) {
    std::sort(loads, loads + static_cast<std::ptrdiff_t>(node_.sram_load_ports));
    ports = loads[job.ports - 1];
  }
  if (job.pipes & store_port) {
    std::sort(stores, stores + static_cast<std::ptrdiff_t>(node_.sram_store_ports));
    ports = std::max(ports, stores[0]);
  }
  const bool arithmetic = (job.pipes & (simd_pipe | matrix_pipe)) != 0;
  const bool full = arithmetic && used_.vector >= node_.vector_issue;
  entry.issue = std::max({now_ + 1, at_[vector_issued] + full, entry.operands, entry.pipes, ports});
  used_.vector = (entry.issue == at_[vector_issued] ? used_.vector : 0) + arithmetic;
  at_[vector_issued] = entry.issue;
  last_.issued = entry.issue;

  const Cycle free_again = entry.issue + job.occupancy;
  const Cycle last = free_again - 1 + job.latency;
  const Cycle first = job.streams ? entry.issue + job.latency : last;
  if (job.pipes & simd_pipe) at_[simd] = free_again;
  if (job.pipes & matrix_pipe) at_[matrix] = free_again;
  if (job.pipes & load_port) std::fill_n(loads, job.ports, free_again);
  if (job.pipes & store_port) stores[0] = free_again;
  for (unsigned r = job.v_write.first; r < unsigned{job.v_write.first} + job.v_write.count; ++r) {
    at_[v_first + r] = std::max(at_[v_first + r], first);
    at_[v_last + r] = std::max(at_[v_last + r], last);
  }
  for_each_bit(job.t_writes, [&](unsigned i) {
    at_[t_forward + i] = std::max(at_[t_forward + i], job.accumulates ? free_again : last);
    at_[t_ready + i] = std::max(at_[t_ready + i], last);
  });
  set_results(job, last);
  queue_.push_back(entry);
}

void Pipeline::set_results(const Job& job, Cycle ready) {
  for_each_bit(job.x_writes, [&](unsigned r) { at_[x + r] = ready; });
  for_each_bit(job.f_writes, [&](unsigned r) { at_[f + r] = ready; });
  if (job.writes_config) at_[config] = ready;
  at_[done] = std::max(at_[done], ready);
}

void Pipeline::stop(Cycle cost) {
  counts_.of(Cause::issue) += 1;
  counts_.of(Cause::unit) += static_cast<std::uint64_t>(cost - 1);
  now_ += cost;
  at_.fill(0);
  used_ = {};
  queue_.clear();
}

// --- The state, relative to now
// -----------------------------------------------------------------------------------

// Words: pairs (place, cycles from now) of what lies ahead; then for a cycle that is in use, what is used;
// then the queue.
PipelineState Pipeline::state() const {
  PipelineState state;
  const auto put = [&](std::uint32_t place, Cycle value) {
    if (value == 0) return;
    DOJO_ENSURE(value > 0 && value < (Cycle{1} << 32));
    state.words.push_back(place);
    state.words.push_back(static_cast<std::uint32_t>(value));
  };
  auto ahead = at_;
  for (unsigned i = 0; i < places; ++i) {
    const Cycle soonest = i < vector_places ? 0 : 1;  // the vector engine's next chance is the next cycle
    ahead[i] = at_[i] - now_ > soonest ? at_[i] - now_ : 0;
  }
  const bool issuing = at_[vector_issued] > now_;
  ahead[vector_issued] = issuing ? at_[vector_issued] - now_ : 0;
  std::sort(ahead.begin() + load, ahead.begin() + load + static_cast<std::ptrdiff_t>(node_.sram_load_ports));
  std::sort(ahead.begin() + store,
            ahead.begin() + store + static_cast<std::ptrdiff_t>(node_.sram_store_ports));
  for (unsigned i = 0; i < places; ++i) put(i, ahead[i]);

  std::uint32_t place = places;
  for (const std::uint32_t amount : {used_.decode, used_.bytes, used_.scalar, used_.alus, used_.address_units,
                                     used_.load_path, used_.store_path, issuing ? used_.vector : 0})
    put(place++, amount);
  for (const Waiting& entry : queue_) {
    const Cycle operands = entry.operands > now_ + 1 ? entry.operands - now_ : 0;
    const Cycle pipes = entry.pipes > std::max(entry.operands, now_ + 1) ? entry.pipes - now_ : 0;
    put(place++, operands);
    put(place++, pipes);
    put(place++, entry.issue - now_);
  }
  return state;
}

Pipeline::Pipeline(const machine::Node& node, const PipelineState& state) : node_(node) {
  std::uint32_t* const used[] = {&used_.decode,        &used_.bytes,     &used_.scalar,     &used_.alus,
                                 &used_.address_units, &used_.load_path, &used_.store_path, &used_.vector};
  for (std::size_t i = 0; i < state.words.size(); i += 2) {
    const std::uint32_t place = state.words[i], value = state.words[i + 1];
    if (place < places) {
      at_[place] = value;
    } else if (place < places + std::size(used)) {
      *used[place - places] = value;
    } else {
      const std::size_t entry = (place - places - std::size(used)) / 3;
      if (queue_.size() <= entry) queue_.resize(entry + 1);
      Waiting& waiting = queue_[entry];
      *(std::array{&waiting.operands, &waiting.pipes,
                   &waiting.issue}[(place - places - std::size(used)) % 3]) = value;
    }
  }
}

}  // namespace dojo::node
