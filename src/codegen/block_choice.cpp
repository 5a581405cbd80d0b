// Cutting a matrix product into blocks.
#include "codegen/matrix_plan.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t tile_edge = 16;

std::int64_t blocks_of(std::int64_t whole, std::int64_t size) { return (whole + size - 1) / size; }

// The next smaller size that gives more blocks.
std::int64_t next_size(std::int64_t whole, std::int64_t size) {
  const std::int64_t more = blocks_of(whole, size) + 1;
  return std::min(blocks_of(whole, more), size - 1);
}

// About the instructions of dojo::matmul: a step of a block loads four rows whatever its number of tiles is,
// and the sums come and go once. Tiles of a block lie `spread` columns apart.
std::int64_t multiply_cost(std::int64_t rows, std::int64_t columns, std::int64_t spread, std::int64_t chain) {
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

// What sizes of blocks take, for one product.
class BlockSearch {
public:
  BlockSearch(const KernelStep& step, const MatrixPlan& uncut, std::int64_t panel_bytes)
      : step_(step), uncut_(uncut), product_(uncut.product), panel_bytes_(panel_bytes) {}

  std::optional<BlockChoice> choose() const {
    const std::int64_t m_whole = product_.m.size, n_whole = product_.n.size, k_whole = product_.k.size;
    std::optional<BlockChoice> best;
    for (std::int64_t m = m_whole; m >= 1; m = next_size(m_whole, m)) {
      for (std::int64_t n = n_whole; n >= (cut_columns() ? 1 : n_whole); n = next_size(n_whole, n)) {
        for (std::int64_t k = k_whole; k >= (cut_chain() ? 1 : k_whole); k = next_size(k_whole, k)) {
          BlockChoice choice{m, n, k, holds_whole_left(m), 0};
          if (bytes(choice) > panel_bytes_) continue;
          choice.cost = cost(choice);
          if (!best || choice.cost < best->cost) best = choice;
        }
      }
    }
    return best;
  }

private:
  bool cut_columns() const { return !product_.windows || product_.n.axes.size() > 1; }
  bool cut_chain() const {
    if (!product_.windows || product_.windows->in_place) return true;
    return !product_.windows->planes.empty() && product_.windows->planes[0] == product_.k.axes[0];
  }

  std::int64_t element() const { return numerics::storage_bytes(product_.panel); }
  std::int64_t whole_left(std::int64_t m) const {
    return m * product_.m.inner * product_.k.most() * element();
  }
  bool holds_whole_left(std::int64_t m) const {
    return !product_.left_in_place && whole_left(m) <= panel_bytes_ / 3 &&
           (uncut_.batch_chain < 0 || uncut_.sums_in_place);
  }

  std::int64_t rows(const BlockChoice& choice) const { return choice.m * product_.m.inner; }
  std::int64_t chain(const BlockChoice& choice) const { return choice.k * product_.k.inner; }
  std::int64_t columns(const BlockChoice& choice) const {
    return product_.windows ? window_columns(step_, *product_.windows, choice.n)
                            : choice.n * product_.n.inner;
  }
  std::int64_t copied(const BlockChoice& choice) const {
    if (product_.windows) return copied_elements(step_, product_, *product_.windows, choice.n, choice.k);
    return product_.pixels ? copied_elements(step_, *product_.pixels, choice.k, choice.n) : 0;
  }

  std::int64_t bytes(const BlockChoice& choice) const {
    std::int64_t sum = 0;
    if (choice.left_whole)
      sum += whole_left(choice.m);
    else if (!product_.left_in_place)
      sum += rows(choice) * chain(choice) * element();
    if (product_.listed())
      sum += copied(choice) * element() + 4 * chain(choice);
    else if (!product_.right_in_place)
      sum += columns(choice) * chain(choice) * element();
    if (!uncut_.sums_in_place) sum += rows(choice) * columns(choice) * 4;
    return sum;
  }

  std::int64_t cost(const BlockChoice& choice) const {
    const std::int64_t m_blocks = blocks_of(product_.m.size, choice.m),
                       n_blocks = blocks_of(product_.n.size, choice.n),
                       k_blocks = blocks_of(product_.k.size, choice.k);
    const std::int64_t run = product_.pixels ? pixel_run(step_, *product_.pixels, choice.n) : columns(choice);
    const std::int64_t runs = product_.pixels ? product_.n.inner / pixel_run(step_, *product_.pixels, 1) : 1;
    const std::int64_t spread = product_.panel == numerics::Format::bf16 ? 32 : 16;
    std::int64_t sum =
        m_blocks * n_blocks * k_blocks * runs * multiply_cost(rows(choice), run, spread, chain(choice));
    if (!product_.left_in_place && !choice.left_whole)
      sum += product_.m.most() * product_.k.most() * (n_blocks - 1) / 3;
    if (product_.listed())
      sum += copied(choice) * (n_blocks * k_blocks * m_blocks - 1) / 3;
    else if (!product_.right_in_place)
      sum += product_.n.most() * product_.k.most() * (m_blocks - 1) / 3;
    return sum;
  }

  const KernelStep& step_;
  const MatrixPlan& uncut_;
  const MatrixProduct& product_;
  std::int64_t panel_bytes_;
};

}  // namespace

std::optional<BlockChoice> choose_blocks(const KernelStep& step, const MatrixPlan& uncut,
                                         std::int64_t panel_bytes) {
  return BlockSearch(step, uncut, panel_bytes).choose();
}

}  // namespace dojo::codegen
