// Which of the hart's registers are in host registers.
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "translate/code_writer.h"
#include "translate/in_hart.h"

namespace dojo::translate {

using isa::Hart;

Mem CodeWriter::x(unsigned r) { return in_hart(offsetof(Hart, x) + 8 * r); }
Mem CodeWriter::f(unsigned r, unsigned byte) { return in_hart(offsetof(Hart, f) + 8 * r + byte); }
Mem CodeWriter::v(unsigned r, unsigned byte) const {
  return in_hart(offsetof(Hart, v) + r * vlen_bits / 8 + byte);
}
Mem CodeWriter::frm() { return in_hart(offsetof(Hart, frm)); }
Mem CodeWriter::vector_length() { return in_hart(offsetof(Hart, vl)); }
Mem CodeWriter::vector_type() { return in_hart(offsetof(Hart, vtype)); }
Mem CodeWriter::vector_settings() {
  static_assert(offsetof(Hart, tile_k) + 1 - offsetof(Hart, sew) == 8 && offsetof(Hart, sew) % 8 == 0);
  return in_hart(offsetof(Hart, sew));
}
Mem CodeWriter::tile(unsigned number, unsigned row, unsigned byte) const {
  return in_hart(offsetof(Hart, tiles) + 256 * number + 64 * row + byte);
}
Mem CodeWriter::buffer(unsigned byte) { return {Reg::sp, buffer_on_stack + static_cast<std::int32_t>(byte)}; }
Mem CodeWriter::bytes_at(Reg address, std::int32_t offset) { return {Reg::bx, offset, address}; }

// --- x registers

std::size_t CodeWriter::take() {
  std::size_t taken = pool.size();
  for (std::size_t i = 0; i < pool.size(); ++i)
    if (!held_.x[i].pinned && (taken == pool.size() || held_.x[i].used < held_.x[taken].used)) taken = i;
  if (held_.x[taken].dirty) as.store(8, x(held_.x[taken].x), pool[taken]);
  return taken;
}

Reg CodeWriter::read(unsigned r) {
  for (std::size_t i = 0; i < pool.size(); ++i)
    if (held_.x[i].x == r) {
      held_.x[i].pinned = true;
      held_.x[i].used = now_;
      return pool[i];
    }
  const std::size_t i = take();
  held_.x[i] = {static_cast<std::uint8_t>(r), false, true, now_};
  r == 0 ? as.set(pool[i], 0) : as.move(Width::wide, pool[i], x(r));
  return pool[i];
}

Reg CodeWriter::write(unsigned r) {
  for (Held& held : held_.x)
    if (held.x == r) held = {.pinned = held.pinned};
  const std::size_t i = take();
  held_.x[i] = {static_cast<std::uint8_t>(r), true, true, now_};
  return pool[i];
}

void CodeWriter::set_boxed(unsigned r, bool boxed) {
  boxed_ = (boxed_ & ~(1u << r)) | static_cast<std::uint32_t>(boxed) << r;
}

// --- Pieces of vector registers

Mem CodeWriter::in_hart_of(unsigned piece) const {
  return in_hart(offsetof(Hart, v) + std::size_t{piece} * piece_bytes());
}

std::optional<unsigned> CodeWriter::first_piece(unsigned r) const {
  const unsigned byte = r * vlen_bits / 8;
  if (byte % piece_bytes() != 0) return std::nullopt;
  return byte / piece_bytes();
}

std::size_t CodeWriter::take_vector() {
  std::size_t taken = most_vectors;
  for (std::size_t i = first_vector; i < as.vector_count(); ++i)
    if (!held_.pieces[i].pinned && (taken == most_vectors || held_.pieces[i].used < held_.pieces[taken].used))
      taken = i;
  HeldPiece& held = held_.pieces[taken];
  if (held.dirty) as.store_vector(in_hart_of(held.number), static_cast<Vec>(taken));
  held = {.pinned = true};
  return taken;
}

Vec CodeWriter::piece(unsigned number) {
  for (std::size_t i = first_vector; i < as.vector_count(); ++i)
    if (HeldPiece& held = held_.pieces[i]; held.number == number) {
      held.pinned = true;
      held.used = now_;
      return static_cast<Vec>(i);
    }
  const std::size_t i = take_vector();
  held_.pieces[i] = {static_cast<std::uint8_t>(number), false, true, now_};
  as.load_vector(static_cast<Vec>(i), in_hart_of(number));
  return static_cast<Vec>(i);
}

std::optional<Vec> CodeWriter::held_piece(unsigned number) const {
  for (std::size_t i = first_vector; i < as.vector_count(); ++i)
    if (held_.pieces[i].number == number) return static_cast<Vec>(i);
  return std::nullopt;
}

Vec CodeWriter::fresh() { return static_cast<Vec>(take_vector()); }

Vec CodeWriter::copy_of(unsigned number) {
  const Vec to = fresh();
  if (const auto held = held_piece(number))
    as.move_vector(to, *held);
  else
    as.load_vector(to, in_hart_of(number));
  return to;
}

void CodeWriter::let_go(unsigned number) {
  write_back(number, 1);
  for (HeldPiece& held : held_.pieces)
    if (held.number == number) held.used = 0;
}

void CodeWriter::release(Vec v) { held_.pieces[static_cast<std::size_t>(v)].pinned = false; }

void CodeWriter::becomes(unsigned number, Vec v) {
  changes(number, 1);
  for (HeldPiece& held : held_.pieces)
    if (held.number == number) held = {.pinned = held.pinned};
  held_.pieces[static_cast<std::size_t>(v)] = {static_cast<std::uint8_t>(number), true, false, now_};
}

void CodeWriter::write_back(unsigned first, unsigned count) {
  for (std::size_t i = first_vector; i < as.vector_count(); ++i) {
    HeldPiece& held = held_.pieces[i];
    if (!held.dirty || held.number < first || held.number >= first + count) continue;
    as.store_vector(in_hart_of(held.number), static_cast<Vec>(i));
    held.dirty = false;
  }
}

void CodeWriter::changes(unsigned first, unsigned count) {
  if (!buffered_) return;
  const auto pieces = std::span(buffered_->pieces).first(buffered_->count);
  if (std::any_of(pieces.begin(), pieces.end(),
                  [&](unsigned piece) { return piece >= first && piece < first + count; }))
    buffered_.reset();
}

void CodeWriter::forget(unsigned first, unsigned count) {
  changes(first, count);
  for (HeldPiece& held : held_.pieces)
    if (held.number != nothing && held.number >= first && held.number < first + count)
      held = {.pinned = held.pinned};
}

void CodeWriter::store_dirty(const Registers& held) {
  for (std::size_t i = 0; i < pool.size(); ++i)
    if (held.x[i].dirty) as.store(8, x(held.x[i].x), pool[i]);
  for (std::size_t i = first_vector; i < as.vector_count(); ++i)
    if (held.pieces[i].dirty) as.store_vector(in_hart_of(held.pieces[i].number), static_cast<Vec>(i));
}

// From the hart, which is up to date.
void CodeWriter::load_held(const Registers& held) {
  for (std::size_t i = 0; i < pool.size(); ++i) {
    const unsigned r = held.x[i].x;
    if (r != nothing) r == 0 ? as.set(pool[i], 0) : as.move(Width::wide, pool[i], x(r));
  }
  for (std::size_t i = first_vector; i < as.vector_count(); ++i)
    if (held.pieces[i].number != nothing)
      as.load_vector(static_cast<Vec>(i), in_hart_of(held.pieces[i].number));
}

namespace {

// Moves that happen at once, written one after the other: those whose target nobody still wants first; around
// a ring, one value waits in `spare`.
template <typename Register, typename Move>
void move_at_once(std::vector<std::pair<Register, Register>> moves, Register spare, Move move) {  // to, from
  while (!moves.empty()) {
    const auto free = std::find_if(moves.begin(), moves.end(), [&](const auto& candidate) {
      return std::none_of(moves.begin(), moves.end(),
                          [&](const auto& other) { return other.second == candidate.first; });
    });
    if (free != moves.end()) {
      move(free->first, free->second);
      moves.erase(free);
    } else {
      move(spare, moves.front().second);
      moves.front().second = spare;
    }
  }
}

}  // namespace

// Makes the host's registers hold what is wanted, and the hart what is not wanted or not to be dirty.
void CodeWriter::conform(const Registers& wanted) {
  const auto x_held = [](unsigned r) { return [r](const Held& held) { return held.x == r; }; };
  std::vector<std::pair<Reg, Reg>> moves;
  std::vector<std::pair<Reg, unsigned>> loads;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    if (!held_.x[i].dirty) continue;
    const auto same = std::find_if(wanted.x.begin(), wanted.x.end(), x_held(held_.x[i].x));
    if (same == wanted.x.end() || !same->dirty) as.store(8, x(held_.x[i].x), pool[i]);
  }
  for (std::size_t to = 0; to < pool.size(); ++to) {
    const std::uint8_t r = wanted.x[to].x;
    if (r == nothing || held_.x[to].x == r) continue;
    const auto from = std::find_if(held_.x.begin(), held_.x.end(), x_held(r));
    if (from == held_.x.end())
      loads.emplace_back(pool[to], r);
    else
      moves.emplace_back(pool[to], pool[static_cast<std::size_t>(from - held_.x.begin())]);
  }
  move_at_once(moves, scratch, [&](Reg to, Reg from) { as.move(Width::wide, to, from); });
  for (const auto& [to, r] : loads) r == 0 ? as.set(to, 0) : as.move(Width::wide, to, x(r));

  const auto piece_held = [](unsigned number) {
    return [number](const HeldPiece& held) { return held.number == number; };
  };
  std::vector<std::pair<Vec, Vec>> vector_moves;
  std::vector<std::pair<Vec, unsigned>> vector_loads;
  for (std::size_t i = first_vector; i < as.vector_count(); ++i) {
    const HeldPiece& held = held_.pieces[i];
    if (!held.dirty) continue;
    const auto same = std::find_if(wanted.pieces.begin(), wanted.pieces.end(), piece_held(held.number));
    if (same == wanted.pieces.end() || !same->dirty)
      as.store_vector(in_hart_of(held.number), static_cast<Vec>(i));
  }
  for (std::size_t to = first_vector; to < as.vector_count(); ++to) {
    const unsigned number = wanted.pieces[to].number;
    if (number == nothing || held_.pieces[to].number == number) continue;
    const auto from = std::find_if(held_.pieces.begin(), held_.pieces.end(), piece_held(number));
    if (from == held_.pieces.end())
      vector_loads.emplace_back(static_cast<Vec>(to), number);
    else
      vector_moves.emplace_back(static_cast<Vec>(to), static_cast<Vec>(from - held_.pieces.begin()));
  }
  move_at_once(vector_moves, scratch_vector, [&](Vec to, Vec from) { as.move_vector(to, from); });
  for (const auto& [to, number] : vector_loads) as.load_vector(to, in_hart_of(number));
  held_ = wanted;
}

}  // namespace dojo::translate
