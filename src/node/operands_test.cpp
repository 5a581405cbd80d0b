// Does timing know which registers a vector instruction reads and writes? Experiments tell what it touches;
// timing may believe neither less nor more, at every SEW and LMUL.
//
// At vl = VLMAX the two are the same; with fewer elements, or vstart above 0, timing still counts whole
// groups (docs/notes/005).
#include <gtest/gtest.h>

#include <vector>

#include "node/touched_for_tests.h"

namespace dojo::node {
namespace {

using namespace touching;

constexpr unsigned most_trials = 300, least_trials = 3;

Touched believed(const Cost& cost) {
  Touched all;
  const auto add = [](std::bitset<32>& to, const Group& group) {
    for (unsigned r = group.first; r < unsigned{group.first} + group.count; ++r) to.set(r);
  };
  for (const Group& group : cost.v_reads) add(all.v_reads, group);
  add(all.v_writes, cost.v_write);
  all.x_reads = cost.x_reads, all.x_writes = cost.x_writes;
  all.f_reads = cost.f_reads, all.f_writes = cost.f_writes;
  all.t_reads = cost.t_reads, all.t_writes = cost.t_writes;
  return all;
}

// Sources that the specification names and that no contents can show: what the widest index does not reach.
std::bitset<32> out_of_reach(const Experiment& experiment, unsigned vlen_bits) {
  const isa::VectorOperands& operands = experiment.decoded().row->vector;
  std::bitset<32> none;
  if (operands.order != isa::Order::gathering) return none;
  const isa::ElementType type = experiment.type();
  const bool by_immediate = experiment.decoded().row->rs1 == Operand::none;
  const bool by_bytes = operands.vs1.is_group() && operands.vs1.eew_log2(type) == 0;
  const unsigned reached = by_immediate ? 32 : by_bytes ? 256 : ~0u;
  const unsigned per_register = vlen_bits / 8 >> type.sew_log2;
  for (unsigned r = 0; r < operands.vs2.registers(type); ++r)
    if (r * per_register >= reached) none.set(vs2 + r);
  return none;
}

template <std::size_t n>
bool within(const std::bitset<n>& some, const std::bitset<n>& all) {
  return (some & ~all).none();
}

void check(const Row& row, unsigned vlen_bits, std::uint64_t vtype, bool masked, bool& legal) {
  static const machine::Node d1 = machine::read_machine("d1").node;
  machine::Node node = d1;
  node.vlen_bits = vlen_bits;
  Experiment all(row, vlen_bits, vtype, masked, vtype);
  if (all.limit() == 0) return;
  Touched thought;
  const auto differs = [&] {
    const Touched& t = all.touched;
    return t.v_reads != (thought.v_reads & ~out_of_reach(all, vlen_bits)) || t.v_writes != thought.v_writes ||
           t.x_reads != thought.x_reads || t.x_writes != thought.x_writes || t.f_reads != thought.f_reads ||
           t.f_writes != thought.f_writes ||
           (row.unit == isa::Unit::matrix &&
            (t.t_reads != thought.t_reads || t.t_writes != thought.t_writes));
  };
  unsigned trials = 0;
  do {
    if (!all.run(all.limit(), 0)) return;
    thought = believed(all.cost(node));
  } while (++trials < least_trials || (trials < most_trials && differs()));
  legal = true;
  const auto where = [&] {
    return testing::Message() << row.mnemonic << " vtype " << vtype << " VLEN " << vlen_bits
                              << (masked ? " masked" : "");
  };
  const Touched& t = all.touched;
  EXPECT_EQ(t.v_reads, thought.v_reads & ~out_of_reach(all, vlen_bits)) << where() << " reads";
  EXPECT_EQ(t.v_writes, thought.v_writes) << where() << " writes";
  EXPECT_EQ(t.x_reads, thought.x_reads) << where() << " x reads";
  EXPECT_EQ(t.x_writes, thought.x_writes) << where() << " x writes";
  EXPECT_EQ(t.f_reads, thought.f_reads) << where() << " f reads";
  EXPECT_EQ(t.f_writes, thought.f_writes) << where() << " f writes";
  if (row.unit == isa::Unit::matrix) {
    EXPECT_EQ(t.t_reads, thought.t_reads) << where() << " tiles";
  }
  EXPECT_TRUE(within(t.t_reads, thought.t_reads) && within(t.t_writes, thought.t_writes)) << where();

  // Fewer elements, or not from the first on: nothing else is touched.
  Experiment some(row, vlen_bits, vtype, masked, ~vtype);
  const std::uint64_t limit = all.limit();
  for (const auto& [vl, vstart] :
       {std::pair{limit - 1, std::uint64_t{0}}, {std::uint64_t{0}, std::uint64_t{0}}, {limit, limit / 2}})
    some.run(vl, vstart);
  thought = believed(all.cost(node));
  EXPECT_TRUE(within(some.touched.v_reads, thought.v_reads) &&
              within(some.touched.v_writes, thought.v_writes))
      << where() << " with fewer elements";
}

void check_all(std::span<const Row> rows, unsigned vlen_bits, bool accesses) {
  for (const Row& row : rows) {
    if (!depends_on_config(isa::decode(row.match, 0)) ||
        (row.vector.access != isa::AccessPattern::none) != accesses)
      continue;
    bool legal = false;
    std::vector<std::uint64_t> vtypes;
    if (row.extension == "XSfmm" || row.unit == isa::Unit::matrix)
      vtypes = {0x600, 0x408, 0x508, 0x210, 0x218, 0x400, 0x200};
    else
      for (std::uint64_t vtype = 0; vtype < 32; ++vtype) vtypes.push_back(vtype);
    for (const std::uint64_t vtype : vtypes)
      for (const bool masked : {false, true})
        if (!masked || (row.properties & isa::maskable) != 0) check(row, vlen_bits, vtype, masked, legal);
    EXPECT_TRUE(legal || (row.mnemonic == "sf.vtdiscard")) << row.mnemonic << " was never an instruction";
  }
}

TEST(VectorOperandsAreWhatHandlersTouch, Arithmetic) { check_all(isa::vector_rows(), 512, false); }
TEST(VectorOperandsAreWhatHandlersTouch, ArithmeticInShortRegisters) {
  check_all(isa::vector_rows(), 128, false);
}
TEST(VectorOperandsAreWhatHandlersTouch, Accesses) { check_all(isa::vector_rows(), 512, true); }
TEST(VectorOperandsAreWhatHandlersTouch, AccessesInShortRegisters) {
  check_all(isa::vector_rows(), 128, true);
}
TEST(VectorOperandsAreWhatHandlersTouch, Matrices) {
  for (const unsigned vlen_bits : {512u, 256u})
    for (const bool accesses : {false, true}) {
      check_all(isa::matrix_rows(), vlen_bits, accesses);
      check_all(isa::dojo_rows(), vlen_bits, accesses);
    }
}

}  // namespace
}  // namespace dojo::node
