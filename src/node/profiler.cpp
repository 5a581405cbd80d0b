#include "node/profiler.h"

namespace dojo::node {

namespace {

std::uint64_t hash(const PipelineState* from, const RecordedBlock& ran) {
  std::uint64_t h = reinterpret_cast<std::uintptr_t>(from) * 0x9e3779b97f4a7c15u;
  h = (h ^ h >> 29 ^ reinterpret_cast<std::uintptr_t>(ran.block)) * 0xff51afd7ed558ccdu;
  const Config& c = ran.config;
  const std::uint64_t config =
      c.vl | std::uint64_t{c.sew_log2} << 16 | std::uint64_t{static_cast<std::uint8_t>(c.lmul_log2)} << 24 |
      std::uint64_t{c.widen} << 32 | std::uint64_t{c.tile_m} << 40 | std::uint64_t{c.tile_k} << 48;
  return (h ^ h >> 31 ^ config ^ static_cast<std::uint64_t>(ran.exit) << 61) * 0xc4ceb9fe1a85ec53u;
}

}  // namespace

Profiler::Profiler(const machine::Node& node, std::size_t threads)
    : node_(node), present_(threads, &*states_.insert(PipelineState{}).first) {}

void Profiler::add(std::size_t thread, const Recording& recording) {
  const PipelineState*& present = present_[thread];
  std::size_t own = 0;
  for (const RecordedBlock& ran : recording.blocks) {
    if (own < recording.own.size() && ran.block == &recording.own[own]) {
      ++own;
      Pipeline pipeline(node_, *present);
      attribute(pipeline, ran, node_, 1, once_);
      present = &*states_.insert(pipeline.state()).first;
      continue;
    }
    Visit& found = visit(present, ran);
    ++found.times;
    present = found.to;
  }
}

Profiler::Visit& Profiler::visit(const PipelineState* from, const RecordedBlock& ran) {
  const std::uint64_t key = hash(from, ran);
  const auto [begin, end] = visits_by_hash_.equal_range(key);
  for (auto at = begin; at != end; ++at)
    if (Visit& v = *at->second;
        v.from == from && v.block == ran.block && v.config == ran.config && v.exit == ran.exit)
      return v;
  Pipeline pipeline(node_, *from);
  for (const TimedInstruction& instruction :
       timed_instructions(*ran.block, ran.count, ran.config, ran.exit, node_))
    pipeline.add(instruction);
  Visit& made = visits_.emplace_back(Visit{from, ran.block, ran.config, ran.exit});
  made.to = &*states_.insert(pipeline.state()).first;
  visits_by_hash_.emplace(key, &made);
  return made;
}

void Profiler::attribute(Pipeline& pipeline, const RecordedBlock& ran, const machine::Node& node,
                         std::uint64_t times, CountsByAddress& counts) {
  const std::vector<TimedInstruction> instructions =
      timed_instructions(*ran.block, ran.count, ran.config, ran.exit, node);
  std::uint64_t pc = ran.block->pc;
  Counts before = pipeline.counts();
  for (std::uint32_t i = 0; i < instructions.size(); ++i) {
    pipeline.add(instructions[i]);
    const Counts after = pipeline.counts();
    AddressCounts& here = counts[pc];
    if (i < ran.count) here.instructions += times;  // not one that trapped
    for (std::size_t c = 0; c < causes; ++c)
      here.cycles[c] += times * (after.of(static_cast<Cause>(c)) - before.of(static_cast<Cause>(c)));
    before = after;
    pc += ran.block->code[i].length;
  }
}

Profiler::CountsByAddress Profiler::counts_by_address() const {
  CountsByAddress counts = once_;
  for (const Visit& v : visits_) {
    Pipeline pipeline(node_, *v.from);
    attribute(pipeline, {v.block, v.block->count, v.config, v.exit}, node_, v.times, counts);
  }
  return counts;
}

}  // namespace dojo::node
