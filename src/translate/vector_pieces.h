// Results that may be NaN, piece by piece.
#pragma once

#include <algorithm>
#include <array>

#include "translate/emitters.h"
#include "translate/vector_setting.h"

namespace dojo::translate {

// A piece of a source. Of elements that are not selected by lanes the host computes with zeros, which raises
// no flags as long as nothing is divided.
class SourcePiece {
public:
  SourcePiece(CodeWriter& w, Vec piece, const Selected& under) : w_(w), piece_(piece), used_(piece) {
    if (!under.lanes) return;
    used_ = w.fresh();
    w.as.vector({1, 1, 0xdb}, used_, piece, *under.lanes);  // and
  }
  Vec vec() const { return used_; }
  // The piece itself is the caller's to release.
  void release() const {
    if (used_ != piece_) w_.release(used_);
  }

private:
  CodeWriter& w_;
  Vec piece_, used_;
};

// Runs compute(piece, its selected elements), which leaves a piece of the result in a fresh register, for
// some pieces at once before it looks for NaN in them. From the element where one comes out on, the slow path
// does it: nothing of that group has become vd's.
template <typename Compute>
void each_piece(CodeWriter& w, const GroupOperands& o, Compute compute) {
  const Elements& elements = o.elements;
  const bool has_masks = w.as.has_masks();
  const unsigned at_once = has_masks ? (elements.masked ? 4 : 8) : (elements.masked ? 2 : 4),
                 count_of_all = elements.pieces.count();
  elements.prepare(w);
  std::array<Vec, 8> results{};
  std::array<Selected, 8> under{};
  for (unsigned first = 0; first < count_of_all; first += at_once) {
    const unsigned count = std::min(at_once, count_of_all - first), done = first * elements.in_piece();
    unsigned whole = 0;  // pieces, before those under a mask
    for (unsigned i = 0; i < count; ++i) {
      const auto free_mask = static_cast<Mask>(3 + i % 4);
      under[i] = elements.select(w, first + i, free_mask);
      results[i] = compute(first + i, under[i]);
      if (under[i].mask == Mask::k0) whole = i + 1;
    }
    const auto label = [&]() -> Label& { return w.slow_path(done); };
    check_numbers(w, {results.data(), whole}, elements.bytes, label);
    for (unsigned i = whole; i < count; ++i) {
      w.as.compare_unordered(elements.bytes, Mask::k2, results[i], results[i], under[i].mask);
      w.as.test_mask(elements.in_piece(), Mask::k2);
      w.as.jump_if(Condition::not_equal, label());
    }
    for (unsigned i = 0; i < count; ++i) {
      // With masks the results hold the other elements already.
      under[i].lanes ? elements.become(w, o.vd, first + i, results[i], under[i])
                     : w.becomes(o.vd + first + i, results[i]);
      if (w.are_too_many(count_of_all)) w.let_go(o.vd + first + i);
    }
  }
}

// A register for a piece of the result, which holds vd's where that stays under a mask.
inline Vec result_of(CodeWriter& w, const GroupOperands& o, unsigned piece, const Selected& under) {
  return under.mask == Mask::k0 ? w.fresh() : w.copy_of(o.vd + piece);
}

}  // namespace dojo::translate
