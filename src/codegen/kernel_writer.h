// What all kernels share: variables for axes, texts of reads and writes, expressions, epilogues.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/loop_nest.h"

namespace dojo::codegen {

// One operand of the step as C++ sees it.
struct Operand {
  const graph::Access* access = nullptr;
  const lowering::Buffer* buffer = nullptr;
  std::string pointer;   // the local pointer's name
  bool shifted = false;  // sees the whole tensor inside a tile loop: the tiled axis starts at `first`
  bool guarded = false;  // may leave the tensor: every index is checked
};

inline bool contains(const std::vector<int>& axes, int axis) {
  return std::ranges::find(axes, axis) != axes.end();
}

// Variables that hold where a blocked axis starts: axis -> name.
using BlockStarts = std::map<int, std::string>;

// A list of index texts in the making: every operand has its position, followed by its checked indices.
struct IndexList {
  std::vector<AffineText> indices;
  std::vector<std::size_t> first;  // by operand added
};

class KernelWriter {
public:
  KernelWriter(const lowering::LoweredProgram& program, const lowering::ComputeStep& step, unsigned id,
               std::int64_t panel_bytes);
  Kernel write();

private:
  // kernel_writer.cpp
  Operand make_operand(const graph::Access& access, const std::string& pointer) const;
  void declare(const Operand& operand, bool constant);
  AffineText affine(const graph::AffineIndex& index, const Operand& operand, const BlockStarts& starts) const;
  AffineText position(const Operand& operand, const BlockStarts& starts = {}) const;
  std::size_t add(IndexList& list, const Operand& operand, const BlockStarts& starts = {}) const;
  std::string inside(const Operand& operand, const IndexList& list, std::size_t which,
                     const std::vector<std::string>& texts) const;
  std::string read(const Operand& operand, const IndexList& list, std::size_t which,
                   const std::vector<std::string>& texts) const;
  std::string evaluate(const graph::Expression& expression, const std::vector<std::string>& arguments,
                       const std::vector<bool>& signless_arguments, const std::string& prefix,
                       const std::string& fma_into = {});
  std::string reserve(std::int64_t elements, const std::string& type, const std::string& name);
  // Adds out and the extras to the list; store() then writes `value` (what the reduction gave) through the
  // epilogue.
  void add_output(IndexList& list, const BlockStarts& starts) const;
  void store(const std::string& value, const IndexList& list, std::size_t which,
             const std::vector<std::string>& texts);
  std::int64_t extent(int axis) const { return axes_[static_cast<std::size_t>(axis)].extent; }
  // The result of a chain of no more than this point, from the identity.
  std::string combine(const std::string& accumulator, const std::vector<std::string>& arguments);
  std::vector<std::string> read_inputs(const IndexList& list, const std::vector<std::string>& texts) const;
  std::string identity() const;

  // kernel_loops.cpp
  void write_loops();
  void write_parallel();
  void write_chain();
  void write_scatter();
  void fill_output();

  // kernel_scatter.cpp: an FP32 slice of the output under `outer` axes, which are dimensions 0, 1... of it
  struct Slice {
    std::vector<int> outer;
    std::int64_t elements = 1;
    std::string pointer;
    bool in_place = false;
  };
  Slice begin_slice();
  AffineText slice_position(const Slice& slice) const;
  void finish_slice(const Slice& slice);
  std::vector<int> scatter_order(const Slice& slice, bool& free_order);

  // kernel_matrix.cpp
  struct Block {  // a group of axes, the first of which is cut into blocks
    std::vector<int> axes;
    std::int64_t size = 1, inner = 1;
    std::string start, count;
    std::int64_t most() const { return size * inner; }
  };
  bool plan_matrix(const std::vector<int>& outer, bool scatter);
  bool choose_blocks(bool c_in_place, bool a_in_place, bool b_in_place);
  void write_matrix();
  void write_matrix_scatter();
  Block make_block(std::vector<int> axes) const;
  bool open_block(Block& block, BlockStarts& starts);
  std::int64_t stride_of(const Operand& operand, int axis) const;
  bool contiguous(const Operand& operand, const std::vector<int>& axes, std::int64_t& last_stride) const;
  bool lies_as_panel(const Operand& operand, const Block& columns, std::int64_t& row_stride) const;
  std::string in_place_panel(const Operand& operand, const Block& columns, std::int64_t& row_stride,
                             const BlockStarts& starts) const;
  void pack(const Operand& operand, const Block& columns, const std::string& panel,
            const BlockStarts& starts);
  std::size_t open_loop(int axis);
  AffineText panel_index(const Block& rows, const Block& columns, std::int64_t row_stride) const;
  bool listed_rows() const { return windows_.used || pixels_.used; }
  AffineText cell_index(std::int64_t row_stride) const;
  void multiply(const std::string& c, std::int64_t c_stride, bool accumulate, const BlockStarts& starts);

  // kernel_windows.cpp
  struct Window {   // a spatial dimension of the right operand
    int axis = -1;  // of the columns that moves along it
    std::size_t dimension = 0;
    std::int64_t extent = 1, stride = 1;
    std::int64_t low = 0;                            // the first index that is read
    std::vector<std::pair<int, std::int64_t>> taps;  // chain axes and their coefficients
    std::int64_t phases = 1, beyond = 0;  // remainders in use; places needed behind the columns' own
    std::int64_t phase_pitch = 0;
  };
  struct Windows {
    bool used = false, in_place = false;
    std::vector<Window> spatial;                   // as n_.axes
    std::vector<int> planes;                       // chain axes that are dimensions of their own
    std::vector<std::int64_t> pitch, plane_pitch;  // of a step along a column axis; of a plane
  };
  bool plan_windows();
  std::int64_t staged_elements(std::int64_t rows, std::int64_t chain) const;
  std::int64_t window_columns(std::int64_t rows) const;
  void begin_windows();
  std::string stage_windows(const BlockStarts& starts);
  void stage_row(const std::string& source, const std::string& target, const std::string& inside);
  std::string window_columns_text() const;
  AffineText window_index(std::int64_t row_stride) const;

  // kernel_pixels.cpp
  struct PixelDimension {  // a spatial dimension of the right operand: stride * chain + dilation * point +
                           // low
    std::size_t dimension = 0;
    int chain = -1, point = -1;
    std::int64_t extent = 1, stride = 1, dilation = 1, low = 0;
  };
  struct Pixels {
    bool used = false;
    int channel = -1;  // the column axis that is a dimension of its own
    std::vector<PixelDimension> spatial;
    bool stacked = false;
    std::int64_t pixel_pitch = 0, row_pitch = 0;
  };
  bool plan_pixels();
  std::int64_t points(std::size_t k) const;
  std::int64_t pixel_run(std::int64_t channels) const;  // columns that lie side by side
  std::int64_t pixels_read(std::size_t k, std::int64_t count) const;
  std::int64_t pixel_elements(std::int64_t rows, std::int64_t channels) const;
  void begin_pixels();
  void stage_pixels(const BlockStarts& starts);
  void multiply_pixels(const std::string& left, std::int64_t left_stride, const std::string& c,
                       std::int64_t c_stride, bool accumulate);
  AffineText pixel_index(std::int64_t row_stride) const;

  const lowering::LoweredProgram& program_;
  const lowering::ComputeStep& step_;
  const graph::StructuredOp& op_;
  unsigned id_;
  std::int64_t panel_bytes_;
  std::vector<LoopAxis> axes_;
  std::vector<int> chain_, parallel_;
  std::vector<Operand> in_, extra_;
  Operand out_;
  CodeText code_;
  Kernel kernel_;

  // The matrix form: out[m][n] += sum over k of left[k][m] * right[k][n].
  const Operand* left_ = nullptr;
  const Operand* right_ = nullptr;
  std::vector<int> outer_;
  int batch_chain_ = -1;     // the batch as outermost chain axis
  bool left_whole_ = false;  // the left panel holds the whole chain
  Block m_, n_, k_;
  Windows windows_;
  Pixels pixels_;
  std::string panel_type_, left_panel_, right_panel_;
};

}  // namespace dojo::codegen
