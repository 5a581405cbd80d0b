// Kernels on the matrix unit.
//
// Axes fall into groups: m (in out and one operand), n (in out and the other), k (chain), and outer loops (in
// all three). The first axis of each group is cut into blocks so that the panels fit; m and n blocks are
// outside, k blocks inside, so every sum runs over k ascending. The batch is an outer loop wherever other
// axes share its group.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/index.h"
#include "codegen/kernel_writer.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t tile_edge = 16;

// About the instructions of dojo::matmul: a step of a block loads four rows whatever its number of tiles is,
// and the sums come and go once. Tiles of a block lie `spread` columns apart.
std::int64_t block_cost(std::int64_t rows, std::int64_t columns, std::int64_t spread, std::int64_t chain) {
  std::int64_t cost = 0;
  for (std::int64_t column = 0; column < columns; column += 4 * spread) {
    for (std::int64_t phase = column; phase < std::min(column + spread, columns); phase += tile_edge) {
      const std::int64_t across = std::min<std::int64_t>(4, (columns - phase + spread - 1) / spread);
      const std::int64_t tiles_down = (rows + tile_edge - 1) / tile_edge, most = 4 / across;
      const std::int64_t blocks_down = (tiles_down + most - 1) / most;
      cost += blocks_down * 5 * chain + tiles_down * across * (chain / 2 + 100);
    }
  }
  return cost;
}

// Every value of the format is one of bf16.
bool narrow(numerics::Format format) {
  return format == numerics::Format::bf16 || numerics::storage_bytes(format) == 1;
}

}  // namespace

KernelWriter::Block KernelWriter::make_block(std::vector<int> axes) const {
  Block block;
  block.axes = std::move(axes);
  for (std::size_t k = 0; k < block.axes.size(); ++k)
    (k == 0 ? block.size : block.inner) *= extent(block.axes[k]);
  block.start = block.axes.empty() ? "0" : axes_[at(block.axes[0])].variable + "_start";
  block.count = block.axes.empty() ? "1" : axes_[at(block.axes[0])].variable + "_count";
  return block;
}

// Whether the op has matrix form worth using; then the groups, operands and block sizes are set.
bool KernelWriter::plan_matrix(const std::vector<int>& outer, bool scatter) {
  std::vector<int> rows[2], k_axes;
  outer_ = outer;
  batch_chain_ = -1;
  const auto is_outer = [&](int a) { return std::find(outer.begin(), outer.end(), a) != outer.end(); };
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const int axis = static_cast<int>(a);
    if (is_outer(axis)) continue;
    const bool in0 = lowering::reaches(op_.in[0], a), in1 = lowering::reaches(op_.in[1], a),
               out = lowering::reaches(op_.out, a);
    if (!out) {
      k_axes.push_back(axis);
    } else if (in0 != in1) {
      rows[in0 ? 0 : 1].push_back(axis);
    } else if (in0) {
      outer_.push_back(axis);
    } else if (axes_[a].extent > 1) {
      return false;
    }
  }
  // Run-time bounds are only possible for a group's first axis; the batch leaves a group that it does not
  // fill alone.
  for (auto& group : rows) {
    const auto batch = std::find(group.begin(), group.end(), step_.batch_axis);
    if (batch != group.end() && group.size() > 1) {
      outer_.push_back(*batch);
      group.erase(batch);
    }
    const auto tile = std::find(group.begin(), group.end(), step_.tile_axis);
    if (tile != group.end()) std::rotate(group.begin(), tile, tile + 1);
  }
  if (!k_axes.empty() && k_axes[0] == step_.batch_axis && k_axes.size() > 1) {
    batch_chain_ = k_axes[0];
    k_axes.erase(k_axes.begin());
  }
  for (std::size_t k = 1; k < k_axes.size(); ++k) {
    if (axes_[at(k_axes[k])].run_time) return false;
  }
  if (k_axes.empty() || (scatter && batch_chain_ >= 0)) return false;

  // The operand that runs along out's unit stride gives the columns.
  const AffineText where = position(out_);
  const auto has_unit = [&](const std::vector<int>& group) {
    return std::any_of(group.begin(), group.end(),
                       [&](int a) { return where.strides[at(a)] == 1 && extent(a) > 1; });
  };
  std::size_t right = has_unit(rows[0]) ? 0 : 1;
  if (scatter || (!has_unit(rows[0]) && !has_unit(rows[1]))) {
    const auto size = [&](const std::vector<int>& group) { return make_block(group).most(); };
    right = size(rows[0]) > size(rows[1]) ? 0 : 1;
  }
  left_ = &in_[1 - right];
  right_ = &in_[right];
  m_ = make_block(rows[1 - right]);
  n_ = make_block(rows[right]);
  k_ = make_block(k_axes);
  panel_type_ = narrow(left_->buffer->format) && narrow(right_->buffer->format) ? "bf16" : "float";
  const std::int64_t most = m_.most() * n_.most() * k_.most();
  return n_.most() >= 8 && k_.most() >= 4 && most >= 4096;
}

std::int64_t KernelWriter::stride_of(const Operand& operand, int axis) const {
  return lowering::linear(*operand.access, axes_.size(), operand.buffer->shape).coefficients[at(axis)];
}

// Whether the axes, in this order, step through the operand like one axis; then its stride (1 if nothing
// moves).
bool KernelWriter::contiguous(const Operand& operand, const std::vector<int>& axes,
                              std::int64_t& last_stride) const {
  std::int64_t expected = 0;
  bool found = false;
  last_stride = 1;
  for (std::size_t k = axes.size(); k-- > 0;) {
    if (extent(axes[k]) == 1) continue;
    const std::int64_t stride = stride_of(operand, axes[k]);
    if (found && stride != expected) return false;
    if (!found) last_stride = stride;
    found = true;
    expected = stride * extent(axes[k]);
  }
  return true;
}

bool KernelWriter::lies_as_panel(const Operand& operand, const Block& columns,
                                 std::int64_t& row_stride) const {
  if (operand.guarded || element_type(operand.buffer->format) != panel_type_) return false;
  std::int64_t column_stride = 0;
  if (!contiguous(operand, columns.axes, column_stride) || column_stride != 1) return false;
  return contiguous(operand, k_.axes, row_stride) && row_stride >= 0;
}

// Cuts the groups so that the panels fit, choosing what gives the matrix unit the least to do; false if
// nothing fits. The left panel is packed whole along the chain where it fits in a third of the room, so that
// it need not be packed for every block of columns.
bool KernelWriter::choose_blocks(bool c_in_place, bool a_in_place, bool b_in_place) {
  const bool cut_columns = !windows_.used || n_.axes.size() > 1;
  const bool cut_chain =
      !windows_.used ||
      (!windows_.in_place && !windows_.planes.empty() && windows_.planes[0] == k_.axes[0]) ||
      windows_.in_place;
  const std::int64_t element = panel_type_ == "bf16" ? 2 : 4;
  const std::int64_t m_size = m_.size, n_size = n_.size, k_size = k_.size;
  const auto blocks = [](std::int64_t whole, std::int64_t size) { return (whole + size - 1) / size; };
  const auto next = [](std::int64_t whole,
                       std::int64_t size) {  // the next smaller size that gives more blocks
    const std::int64_t count = (whole + size - 1) / size;
    return (whole + count) / (count + 1) < size ? (whole + count) / (count + 1) : size - 1;
  };
  std::int64_t best = -1, best_m = 0, best_n = 0, best_k = 0;
  bool best_whole = false;
  for (std::int64_t m = m_size; m >= 1; m = next(m_size, m)) {
    const std::int64_t whole_left = m * m_.inner * k_size * k_.inner * element;
    const bool whole = !a_in_place && whole_left <= panel_bytes_ / 3 && (batch_chain_ < 0 || c_in_place);
    for (std::int64_t n = n_size; n >= (cut_columns ? 1 : n_size); n = next(n_size, n)) {
      for (std::int64_t k = k_size; k >= (cut_chain ? 1 : k_size); k = next(k_size, k)) {
        const std::int64_t rows = m * m_.inner, chain = k * k_.inner;
        const std::int64_t columns = windows_.used ? window_columns(n) : n * n_.inner;
        const std::int64_t a = a_in_place ? 0 : whole ? whole_left : rows * chain * element;
        const std::int64_t staged = windows_.used  ? staged_elements(n, k)
                                    : pixels_.used ? pixel_elements(k, n)
                                                   : 0;
        const std::int64_t b = listed_rows() ? staged * element + 4 * chain
                               : b_in_place  ? 0
                                             : columns * chain * element;
        const std::int64_t c = c_in_place ? 0 : rows * columns * 4;
        if (a + b + c > panel_bytes_) continue;
        const std::int64_t run = pixels_.used ? pixel_run(n) : columns;
        const std::int64_t runs = pixels_.used ? n_.inner / pixel_run(1) : 1;
        const std::int64_t multiply = blocks(m_size, m) * blocks(n_size, n) * blocks(k_size, k) * runs *
                                      block_cost(rows, run, panel_type_ == "bf16" ? 32 : 16, chain);
        const std::int64_t repack_a =
            a_in_place || whole ? 0 : m_size * m_.inner * k_size * k_.inner * (blocks(n_size, n) - 1) / 3;
        const std::int64_t repack_b =
            b_in_place      ? 0
            : listed_rows() ? staged * (blocks(n_size, n) * blocks(k_size, k) * blocks(m_size, m) - 1) / 3
                            : n_size * n_.inner * k_size * k_.inner * (blocks(m_size, m) - 1) / 3;
        const std::int64_t cost = multiply + repack_a + repack_b;
        if (best >= 0 && cost >= best) continue;
        best = cost, best_m = m, best_n = n, best_k = k, best_whole = whole;
      }
    }
  }
  if (best < 0) return false;
  m_.size = best_m, n_.size = best_n, k_.size = best_k;
  left_whole_ = best_whole;
  return true;
}

// Opens the loop over the blocks of a group if there is more than one; returns whether it did.
bool KernelWriter::open_block(Block& block, BlockStarts& starts) {
  if (block.axes.empty()) return false;
  LoopAxis& axis = axes_[at(block.axes[0])];
  const std::string whole = axis.count;
  const bool blocked = block.size < axis.extent;
  if (blocked) {
    code_.open(fmt::format("for (long {0} = 0; {0} < {1}; {0} += {2})", block.start, whole, block.size));
    code_.line(
        fmt::format("const long {} = smaller({}, {} - {});", block.count, block.size, whole, block.start));
    starts[block.axes[0]] = block.start;
    axis.count = block.count;
    axis.run_time = true;
    axis.extent = block.size;
  } else {
    block.count = whole;
  }
  return blocked;
}

AffineText KernelWriter::panel_index(const Block& rows, const Block& columns, std::int64_t row_stride) const {
  AffineText index{std::vector<std::int64_t>(axes_.size(), 0), ""};
  const auto spread = [&](const Block& block, std::int64_t stride) {
    for (std::size_t k = block.axes.size(); k-- > 0;) {
      index.strides[at(block.axes[k])] = stride;
      stride *= extent(block.axes[k]);
    }
  };
  spread(rows, row_stride);
  spread(columns, 1);
  return index;
}

std::string KernelWriter::in_place_panel(const Operand& operand, const Block& columns,
                                         std::int64_t& row_stride, const BlockStarts& starts) const {
  lies_as_panel(operand, columns, row_stride);
  AffineText start = position(operand, starts);
  for (const Block* block : {&columns, static_cast<const Block*>(&k_)}) {
    for (const int a : block->axes) start.strides[at(a)] = 0;
  }
  return fmt::format("{} + {}", operand.pointer, to_text(start, axes_));
}

void KernelWriter::pack(const Operand& operand, const Block& columns, const std::string& panel,
                        const BlockStarts& starts) {
  const auto size = [](const Block& block) {
    return block.inner == 1 ? block.count : fmt::format("{} * {}", block.count, block.inner);
  };
  std::int64_t column_stride = 0, chain_stride = 0;
  const bool turned = !operand.guarded && element_type(operand.buffer->format) == panel_type_ &&
                      contiguous(operand, columns.axes, column_stride) && column_stride > 1 &&
                      contiguous(operand, k_.axes, chain_stride) && chain_stride == 1;
  if (turned) {
    AffineText start = position(operand, starts);
    for (const Block* block : {&columns, static_cast<const Block*>(&k_)}) {
      for (const int a : block->axes) start.strides[at(a)] = 0;
    }
    code_.line(fmt::format("dojo::transpose({}, {}, {} + {}, {}, {}, {});", panel, columns.most(),
                           operand.pointer, to_text(start, axes_), column_stride, size(columns), size(k_)));
    return;
  }
  IndexList list;
  add(list, operand, starts);
  const std::size_t target = list.indices.size();
  list.indices.push_back(panel_index(k_, columns, columns.most()));
  std::vector<int> order = k_.axes;
  order.insert(order.end(), columns.axes.begin(), columns.axes.end());
  write_nest(code_, axes_, order, list.indices, Order::free, [&](const auto& texts) {
    code_.line(fmt::format("{}[{}] = static_cast<{}>({});", panel, texts[target], panel_type_,
                           read(operand, list, 0, texts)));
  });
}

// Of an element of the sums.
AffineText KernelWriter::cell_index(std::int64_t row_stride) const {
  return windows_.used  ? window_index(row_stride)
         : pixels_.used ? pixel_index(row_stride)
                        : panel_index(m_, n_, row_stride);
}

void KernelWriter::multiply(const std::string& c, std::int64_t c_stride, bool accumulate,
                            const BlockStarts& starts) {
  std::int64_t left_stride = m_.most(), right_stride = n_.most();
  std::string left = left_panel_, right = right_panel_;
  if (left.empty()) {
    left = in_place_panel(*left_, m_, left_stride, starts);
  } else if (!left_whole_) {
    pack(*left_, m_, left, starts);
  } else if (starts.contains(k_.axes[0])) {
    left += fmt::format(" + {} * {}", k_.inner * left_stride, starts.at(k_.axes[0]));
  }
  const auto size = [](const Block& block) {
    return block.inner == 1 ? block.count : fmt::format("{} * {}", block.count, block.inner);
  };
  if (pixels_.used) {
    stage_pixels(starts);
    return multiply_pixels(left, left_stride, c, c_stride, accumulate);
  }
  if (windows_.used) {
    right = stage_windows(starts);
  } else if (right.empty()) {
    right = in_place_panel(*right_, n_, right_stride, starts);
  } else {
    pack(*right_, n_, right, starts);
  }
  code_.line(fmt::format("dojo::{}({}, {}, {}, {}, {}, {}, {}, {}, {}, {});",
                         windows_.used ? "matmul_listed" : "matmul", left, left_stride, right,
                         windows_.used ? "places" : fmt::format("{}", right_stride), c, c_stride, size(m_),
                         windows_.used ? window_columns_text() : size(n_), size(k_), accumulate));
}

std::size_t KernelWriter::open_loop(int axis) {
  code_.open(
      fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", axes_[at(axis)].variable, axes_[at(axis)].count));
  return 1;
}

// Outline: outer loops; blocks of m; [the batch, if sums lie in out]; the left panel; blocks of n; [the
// batch]; blocks of k.
void KernelWriter::write_matrix() {
  kernel_.kind = "matrix";
  std::int64_t m_stride = 0, n_stride = 0, unused = 0;
  const bool a_in_place = lies_as_panel(*left_, m_, unused), b_in_place = lies_as_panel(*right_, n_, unused);
  if (!b_in_place && (batch_chain_ >= 0 || !plan_windows())) plan_pixels();
  const bool c_fits = out_.buffer->format == numerics::Format::fp32 && op_.epilogue.empty() &&
                      !step_.accumulate && !out_.guarded && contiguous(out_, m_.axes, m_stride) &&
                      m_stride > 0 && contiguous(out_, n_.axes, n_stride) && n_stride == 1;
  bool planned = choose_blocks(c_fits && !listed_rows(), a_in_place, b_in_place);
  if (!planned && listed_rows()) {
    windows_ = {}, pixels_ = {};
    planned = choose_blocks(c_fits, a_in_place, b_in_place);
  }
  if (!planned) {
    chain_.empty() ? write_parallel() : write_chain();
    return;
  }
  const bool c_in_place = c_fits && !listed_rows();
  if (!a_in_place)
    left_panel_ =
        reserve(m_.most() * (left_whole_ ? extent(k_.axes[0]) * k_.inner : k_.most()), panel_type_, "left");
  if (windows_.used)
    begin_windows();
  else if (pixels_.used)
    begin_pixels();
  else if (!b_in_place)
    right_panel_ = reserve(n_.most() * k_.most(), panel_type_, "right");
  const std::int64_t c_stride = c_in_place ? m_stride : windows_.used ? window_columns(n_.size) : n_.most();
  if (!c_in_place) reserve(m_.most() * c_stride, "float", "sums");
  for (const Block* block : {&m_, &n_}) {
    const bool run_time = !block->axes.empty() && axes_[at(block->axes[0])].run_time;
    if (run_time) code_.line(fmt::format("if ({} == 0) return;", axes_[at(block->axes[0])].count));
  }

  std::size_t open = 0;
  for (const int a : outer_) open += open_loop(a);
  BlockStarts starts;
  open += open_block(m_, starts) ? 1 : 0;
  const LoopAxis whole_k = axes_[at(k_.axes[0])];
  const bool cut = batch_chain_ >= 0 || k_.size < whole_k.extent || whole_k.run_time;
  std::vector<int> cells = m_.axes;
  cells.insert(cells.end(), n_.axes.begin(), n_.axes.end());
  const auto clear = [&] {
    if (!cut) return;
    AffineText index = cell_index(c_stride);
    write_nest(code_, axes_, cells, {index}, Order::free,
               [&](const auto& texts) { code_.line(fmt::format("sums[{}] = 0.0f;", texts[0])); });
  };
  const auto point_at_sums = [&](const char* type) {
    AffineText start = position(out_, starts);
    for (const int a : cells) start.strides[at(a)] = 0;
    code_.line(fmt::format("float* {} sums = out + {};", type, to_text(start, axes_)));
  };
  const bool batch_outside = c_in_place && batch_chain_ >= 0;
  if (batch_outside) {
    code_.open("");
    point_at_sums("const");
    clear();
    code_.close();
    open += open_loop(batch_chain_);
  }
  if (left_whole_) {
    const Block cut_k = k_;
    k_.size = whole_k.extent;
    k_.count = whole_k.count;
    pack(*left_, m_, left_panel_, starts);
    k_ = cut_k;
  }
  open += open_block(n_, starts) ? 1 : 0;
  if (c_in_place) point_at_sums("const");
  if (!batch_outside) clear();
  std::size_t chain_open = 0;
  if (!batch_outside && batch_chain_ >= 0) chain_open += open_loop(batch_chain_);
  if (whole_k.run_time) {  // without samples or rows there are only zeros to store
    code_.open(fmt::format("if ({} > 0)", whole_k.count));
    ++chain_open;
  }
  IndexList list;
  add_output(list, starts);
  chain_open += open_block(k_, starts) ? 1 : 0;
  multiply("sums", c_stride, cut, starts);
  for (std::size_t k = 0; k < chain_open; ++k) code_.close();
  axes_[at(k_.axes[0])] = whole_k;
  if (!c_in_place) {
    const std::size_t sums = list.indices.size();
    list.indices.push_back(cell_index(c_stride));
    write_nest(code_, axes_, cells, list.indices, Order::free, [&](const auto& texts) {
      store(fmt::format("0.0f + sums[{}]", texts[sums]), list, 0, texts);
    });
  }
  for (std::size_t k = 0; k < open; ++k) code_.close();
}

// Products into a panel [m][n], and from there into the slice.
void KernelWriter::write_matrix_scatter() {
  const std::vector<LoopAxis> untouched = axes_;
  // Which axes the slice leaves inside does not depend on anything written yet.
  std::vector<int> outer;
  for (std::size_t d = 0; d < out_.buffer->shape.size(); ++d) {
    int owner = -1;
    for (const int a : parallel_) {
      if (lowering::plain_dimension(op_.out, at(a)) == static_cast<int>(d)) owner = a;
    }
    const bool whole =
        owner >= 0 && (op_.box[at(owner)].extent == out_.buffer->shape[d] || axes_[at(owner)].run_time);
    if (!whole) break;
    outer.push_back(owner);
  }
  Slice order_probe;
  order_probe.outer = outer;
  bool free_order = false;
  const std::vector<int> order = scatter_order(order_probe, free_order);
  std::int64_t unused = 0;
  bool usable = free_order && plan_matrix(outer, true);
  if (usable) {
    for (const int a : outer_) usable = usable && std::find(outer.begin(), outer.end(), a) != outer.end();
    for (const Block* block : {&m_, &n_})
      usable = usable && (block->axes.empty() || !axes_[at(block->axes[0])].run_time);
  }
  // Only an axis that runs forwards may be cut into blocks: first in its group, first in the order of ir.h.
  const auto forwards = [&](const Block& block) {
    return block.axes.empty() || !axes_[at(block.axes[0])].reversed;
  };
  if (usable) {
    const bool a_in_place = lies_as_panel(*left_, m_, unused),
               b_in_place = lies_as_panel(*right_, n_, unused);
    const bool n_first = forwards(n_) && !n_.axes.empty() && (m_.axes.empty() || n_.axes[0] < m_.axes[0]);
    const bool m_first = forwards(m_) && !m_.axes.empty() && (n_.axes.empty() || m_.axes[0] < n_.axes[0]);
    Block& cuttable = n_first ? n_ : m_;
    const std::int64_t element = panel_type_ == "bf16" ? 2 : 4;
    const auto bytes = [&] {
      return m_.most() * n_.most() * 4 + (a_in_place ? 0 : m_.most() * k_.most() * element) +
             (b_in_place ? 0 : n_.most() * k_.most() * element);
    };
    while ((n_first || m_first) && cuttable.size > 1 && bytes() > panel_bytes_)
      cuttable.size = (cuttable.size + 1) / 2;
    usable = bytes() <= 2 * panel_bytes_;
    if (usable) {
      kernel_.kind = "matrix scatter";
      left_panel_ = a_in_place ? "" : reserve(m_.most() * k_.most(), panel_type_, "left");
      right_panel_ = b_in_place ? "" : reserve(n_.most() * k_.most(), panel_type_, "right");
      reserve(m_.most() * n_.most(), "float", "sums");
      const Slice slice = begin_slice();
      BlockStarts starts;
      std::size_t open = 0;
      open += open_block(m_, starts) ? 1 : 0;
      open += open_block(n_, starts) ? 1 : 0;
      const std::int64_t c_stride = n_.most();
      k_.count = axes_[at(k_.axes[0])].count;
      multiply("sums", c_stride, false, starts);
      AffineText target = slice_position(slice);
      for (const auto& [axis, start] : starts) {
        const std::int64_t stride = target.strides[at(axis)];
        if (stride != 0)
          target.base += fmt::format("{}{} * {}", target.base.empty() ? "" : " + ", stride, start);
      }
      IndexList list;
      add(list, out_, starts);
      const std::size_t at_target = list.indices.size();
      list.indices.push_back(target);
      list.indices.push_back(panel_index(m_, n_, c_stride));
      write_nest(code_, axes_, order, list.indices, Order::vectorised, [&](const auto& texts) {
        const std::string guard = out_.guarded ? fmt::format("if ({}) ", inside(out_, list, 0, texts)) : "";
        code_.line(fmt::format("{0}slice[{1}] = slice[{1}] + sums[{2}];", guard, texts[at_target],
                               texts[at_target + 1]));
      });
      for (std::size_t k = 0; k < open; ++k) code_.close();
      finish_slice(slice);
      return;
    }
  }
  axes_ = untouched;
  write_scatter();
}

}  // namespace dojo::codegen
