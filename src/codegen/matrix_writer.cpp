#include <fmt/format.h>

#include <algorithm>

#include "base/index.h"
#include "codegen/kernel.h"
#include "codegen/matrix_plan.h"
#include "codegen/product_writer.h"

namespace dojo::codegen {
namespace {

// The chain as rows of a panel, `columns` as its columns: a copy of the present blocks of an operand.
void pack(KernelWriter& to, const KernelOperand& operand, const MatrixProduct& product, const Block& columns,
          const std::string& panel, const Scope& scope) {
  const KernelStep& step = to.step();
  const std::string type = element_type(product.panel);
  const std::optional<std::int64_t> across = common_stride(step, scope.axes, operand, columns.axes),
                                    down = common_stride(step, scope.axes, operand, product.k.axes);
  const bool turned =
      !operand.guarded && operand.buffer->format == product.panel && across && *across > 1 && down == 1;
  if (turned) {
    to.code().line(fmt::format("dojo::transpose({}, {}, {}, {}, {}, {});", panel, columns.most(),
                               to.block_pointer(operand, {&columns, &product.k}, scope), *across,
                               size_text(columns, scope), size_text(product.k, scope)));
    return;
  }
  IndexList list;
  to.add(list, operand, scope);
  const std::size_t target = list.indices.size();
  list.indices.push_back(panel_index(step, product.k, columns, columns.most()));
  std::vector<int> order = product.k.axes;
  order.insert(order.end(), columns.axes.begin(), columns.axes.end());
  write_nest(to.code(), scope.axes, order, list.indices, Order::free, [&](const auto& texts) {
    to.code().line(fmt::format("{}[{}] = static_cast<{}>({});", panel, texts[target], type,
                               to.read(operand, list, 0, texts)));
  });
}

void declare_panels(KernelWriter& to, const MatrixProduct& product) {
  if (!product.left_in_place) to.declare_scratch("left");
  if (product.windows) return list_places(to, product, *product.windows);
  if (product.pixels) return list_places(to, product, *product.pixels);
  if (!product.right_in_place) to.declare_scratch("right");
}

std::vector<int> cells_of(const MatrixProduct& product) {
  std::vector<int> cells = product.m.axes;
  cells.insert(cells.end(), product.n.axes.begin(), product.n.axes.end());
  return cells;
}

void point_at_sums(KernelWriter& to, const MatrixProduct& product, const Scope& scope) {
  to.code().line(fmt::format("float* const sums = {};",
                             to.block_pointer(to.step().out, {&product.m, &product.n}, scope)));
}

void clear_sums(KernelWriter& to, const MatrixPlan& plan, const Scope& scope) {
  write_nest(to.code(), scope.axes, cells_of(plan.product),
             {cell_index(to.step(), plan.product, plan.sums_stride)}, Order::free,
             [&](const auto& texts) { to.code().line(fmt::format("sums[{}] = 0.0f;", texts[0])); });
}

void close(KernelWriter& to, std::size_t open) {
  for (std::size_t k = 0; k < open; ++k) to.code().close();
}

}  // namespace

Scope enter_block(KernelWriter& to, const Block& block, const Scope& scope, std::size_t& open) {
  if (block.axes.empty()) return scope;
  const LoopAxis& whole = scope.axes[at(block.axes[0])];
  if (block.size >= whole.extent) return scope;
  const std::string start = whole.variable + "_start", count = whole.variable + "_count";
  to.code().open(fmt::format("for (long {0} = 0; {0} < {1}; {0} += {2})", start, whole.count, block.size));
  to.code().line(fmt::format("const long {} = smaller({}, {} - {});", count, block.size, whole.count, start));
  ++open;
  Scope inside = scope;
  inside.starts[block.axes[0]] = start;
  LoopAxis& cut = inside.axes[at(block.axes[0])];
  cut.count = count, cut.run_time = true, cut.extent = block.size;
  return inside;
}

std::string size_text(const Block& block, const Scope& scope) {
  const std::string count = block.axes.empty() ? "1" : scope.axes[at(block.axes[0])].count;
  return block.inner == 1 ? count : fmt::format("{} * {}", count, block.inner);
}

AffineText panel_index(const KernelStep& step, const Block& rows, const Block& columns,
                       std::int64_t row_stride) {
  AffineText index{std::vector<std::int64_t>(step.axes.size(), 0), ""};
  const auto spread = [&](const Block& block, std::int64_t stride) {
    for (std::size_t k = block.axes.size(); k-- > 0;) {
      index.strides[at(block.axes[k])] = stride;
      stride *= step.extent(block.axes[k]);
    }
  };
  spread(rows, row_stride);
  spread(columns, 1);
  return index;
}

AffineText cell_index(const KernelStep& step, const MatrixProduct& product, std::int64_t row_stride) {
  if (!product.listed()) return panel_index(step, product.m, product.n, row_stride);
  AffineText index = panel_index(step, product.m, Block{}, row_stride);
  if (product.windows) {
    for (std::size_t k = 0; k < product.n.axes.size(); ++k)
      index.strides[at(product.n.axes[k])] = product.windows->pitch[k];
    return index;
  }
  const Pixels& pixels = *product.pixels;
  index.strides[at(pixels.channel)] = 1;
  const std::int64_t stride[] = {pixels.stacked ? product.n.size : points(step, pixels, 1) * product.n.size,
                                 pixels.pixel_pitch};
  for (std::size_t k = 0; k < 2; ++k) {
    if (pixels.spatial[k].point >= 0) index.strides[at(pixels.spatial[k].point)] = stride[k];
  }
  return index;
}

void multiply(KernelWriter& to, const MatrixProduct& product, std::int64_t stride, Into into,
              const Scope& scope) {
  const KernelStep& step = to.step();
  const auto panel = [&](const KernelOperand& operand, const Block& columns) {
    return std::pair(to.block_pointer(operand, {&columns, &product.k}, scope),
                     panel_stride(step, scope.axes, operand, product, columns).value());
  };
  const KernelOperand &left_operand = step.in[product.left], &right_operand = step.in[product.right];
  std::string left = "left", right = "right";
  std::int64_t left_stride = product.m.most(), right_stride = product.n.most();
  if (product.left_in_place) {
    std::tie(left, left_stride) = panel(left_operand, product.m);
  } else if (!product.left_whole) {
    pack(to, left_operand, product, product.m, left, scope);
  } else if (const auto start = scope.starts.find(product.k.axes[0]); start != scope.starts.end()) {
    left += fmt::format(" + {} * {}", product.k.inner * left_stride, start->second);
  }
  if (product.pixels) {
    copy_pixels(to, product, *product.pixels, scope);
    return multiply_pixels(to, product, *product.pixels, left, left_stride, stride, into, scope);
  }
  if (product.windows) {
    right = copy_windows(to, product, *product.windows, scope);
  } else if (product.right_in_place) {
    std::tie(right, right_stride) = panel(right_operand, product.n);
  } else {
    pack(to, right_operand, product, product.n, right, scope);
  }
  const bool listed = product.windows.has_value();
  to.code().line(
      fmt::format("dojo::{}({}, {}, {}, {}, sums, {}, {}, {}, {}, {});", listed ? "matmul_listed" : "matmul",
                  left, left_stride, right, listed ? "places" : fmt::format("{}", right_stride), stride,
                  size_text(product.m, scope),
                  listed ? columns_text(step, product, *product.windows, scope) : size_text(product.n, scope),
                  size_text(product.k, scope), into == Into::present_sums));
}

// Outline: outer loops; blocks of m; [the batch, if sums lie in out]; the left panel; blocks of n; [the
// batch]; blocks of k.
void write_form(KernelWriter& to, const MatrixPlan& plan) {
  const KernelStep& step = to.step();
  const MatrixProduct& product = plan.product;
  CodeText& code = to.code();
  declare_panels(to, product);
  if (!plan.sums_in_place) to.declare_scratch("sums");
  for (const Block* block : {&product.m, &product.n}) {
    if (block->axes.empty() || !step.axes[at(block->axes[0])].run_time) continue;
    code.line(fmt::format("if ({} == 0) return;", step.axes[at(block->axes[0])].count));
  }

  const LoopAxis& chain = step.axes[at(product.k.axes[0])];
  const bool cut = plan.batch_chain >= 0 || product.k.size < chain.extent || chain.run_time;
  const bool batch_outside = plan.sums_in_place && plan.batch_chain >= 0;
  std::size_t open = 0;
  for (const int a : plan.outer) to.open_loop(a, to.scope()), ++open;
  const Scope rows = enter_block(to, product.m, to.scope(), open);
  if (batch_outside) {
    code.open("");
    point_at_sums(to, product, rows);
    clear_sums(to, plan, rows);
    code.close();
    to.open_loop(plan.batch_chain, rows), ++open;
  }
  if (product.left_whole) pack(to, step.in[product.left], product, product.m, "left", rows);
  const Scope cells = enter_block(to, product.n, rows, open);
  if (plan.sums_in_place) point_at_sums(to, product, cells);
  if (cut && !batch_outside) clear_sums(to, plan, cells);

  std::size_t chain_open = 0;
  if (!batch_outside && plan.batch_chain >= 0) to.open_loop(plan.batch_chain, cells), ++chain_open;
  if (chain.run_time) {  // without samples or rows there are only zeros to store
    code.open(fmt::format("if ({} > 0)", chain.count));
    ++chain_open;
  }
  const Scope inside = enter_block(to, product.k, cells, chain_open);
  multiply(to, product, plan.sums_stride, cut ? Into::present_sums : Into::fresh_sums, inside);
  close(to, chain_open);
  if (!plan.sums_in_place) {
    IndexList list;
    to.add_output(list, cells);
    const std::size_t sums = list.indices.size();
    list.indices.push_back(cell_index(step, product, plan.sums_stride));
    write_nest(code, cells.axes, cells_of(product), list.indices, Order::free, [&](const auto& texts) {
      to.store(fmt::format("0.0f + sums[{}]", texts[sums]), step.out, step.extra, list, 0, texts);
    });
  }
  close(to, open);
}

}  // namespace dojo::codegen
