// What the texts of all kernels share: positions, reads, expressions, epilogues, places in scratch. A writer
// only ever appends to its text; where a nest of loops stands is a value that goes from the outside inwards.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/kernel_plan.h"
#include "codegen/kernel_step.h"
#include "codegen/loop_nest.h"

namespace dojo::codegen {

// The axes as they count at some place in the text, and variables that hold where those that are cut into
// blocks start.
struct Scope {
  std::vector<LoopAxis> axes;
  std::map<int, std::string> starts;
};

// A list of index texts in the making: every operand has its position, followed by its checked indices.
struct IndexList {
  std::vector<AffineText> indices;
  std::vector<std::size_t> first;  // by operand added
};

constexpr std::string_view out_index = "place";  // variables that hold the computed indices of the output

class KernelWriter {
public:
  KernelWriter(const KernelStep& step, const KernelPlan& plan, unsigned id)
      : step_(step), plan_(plan), id_(id) {}

  const KernelStep& step() const { return step_; }
  CodeText& code() { return code_; }
  Scope scope() const { return {step_.axes, {}}; }

  void begin();                                  // the function's head, and its operands
  void begin_function(const std::string& name);  // whose operands are parameters
  // Leaves the rest to the function `name`, of the same operands, if no sample is missing.
  void call_if_all_samples(const std::string& name);
  std::string end();

  // Declares a pointer to the area of scratch with this name, which the plan has.
  void declare_scratch(const std::string& name);
  void open_loop(int axis, const Scope& scope);

  AffineText affine(const graph::AffineIndex& index, const KernelOperand& operand, const Scope& scope) const;
  AffineText position(const KernelOperand& operand, const Scope& scope) const;
  // The pointer to where an operand's block starts: its position but for the axes of these groups.
  std::string block_pointer(const KernelOperand& operand, const std::vector<const Block*>& blocks,
                            const Scope& scope) const;

  // Appends what reading the operand takes; returns its number for read() and inside().
  std::size_t add(IndexList& list, const KernelOperand& operand, const Scope& scope) const;
  void add_inputs(IndexList& list, const Scope& scope) const;
  void add_output(IndexList& list, const Scope& scope) const;  // and the extras behind it
  // Declares what the indices of these accesses are computed from, where `list` begins with the inputs.
  void declare_indices(const std::vector<const graph::Access*>& accesses, std::string_view prefix,
                       const IndexList& list, const std::vector<std::string>& texts);
  // `position`, of which the computed part is missing, whole.
  static std::string with_computed(const std::string& position, std::span<const graph::AffineIndex> map,
                                   std::span<const std::int64_t> shape, std::string_view prefix);
  // The condition that an operand's guarded indices stay inside.
  std::string inside(const KernelOperand& operand, const IndexList& list, std::size_t which,
                     const std::vector<std::string>& texts) const;
  std::string read(const KernelOperand& operand, const IndexList& list, std::size_t which,
                   const std::vector<std::string>& texts) const;
  std::vector<std::string> read_inputs(const IndexList& list, const std::vector<std::string>& texts);

  std::string identity() const;  // of the reduction
  // The result of a chain of no more than this point, from the accumulator.
  std::string combine(const std::string& accumulator, const std::vector<std::string>& arguments);
  // Writes `value` (what the reduction gave) through the epilogue into `out`, which was added as number
  // `which` of the list, the extras behind it.
  void store(const std::string& value, const KernelOperand& out, const std::vector<KernelOperand>& extra,
             const IndexList& list, std::size_t which, const std::vector<std::string>& texts);

private:
  void declare(const KernelOperand& operand, bool constant);
  static std::string pointer(const KernelOperand& operand, bool constant);
  std::string evaluate(const graph::Expression& expression, const std::vector<std::string>& arguments,
                       const std::vector<bool>& signless_arguments, const std::string& prefix,
                       const std::string& fma_into = {});

  const KernelStep& step_;
  const KernelPlan& plan_;
  unsigned id_;
  CodeText code_;
};

// One for each form (loops_writer.cpp, scatter_writer.cpp, matrix_writer.cpp).
void write_form(KernelWriter& to, const LoopsPlan& plan);
void write_form(KernelWriter& to, const ChainPlan& plan);
void write_form(KernelWriter& to, const ScatterPlan& plan);
void write_form(KernelWriter& to, const MatrixPlan& plan);
void write_form(KernelWriter& to, const MatrixScatterPlan& plan);

}  // namespace dojo::codegen
