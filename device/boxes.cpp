// Boxes of whole tensors: row by row, where a row is as much as lies together in both the tensor and the box.
// What a row costs the node beside its transfer is paid for every few hundred bytes, so the rows of a
// dimension are one loop of few instructions.
#include "dojo.h"

namespace dojo {
namespace {

constexpr unsigned most_rank = 8;

// The part of a box that lies in its tensor.
struct Clipped {
  int low[most_rank], high[most_rank];  // by dimension of the box
  bool whole = true, empty = false;
};

Clipped clip(const Box& box, const int* origin) {
  Clipped part;
  for (unsigned d = 0; d < box.rank; ++d) {
    const int before = -origin[d], inside = box.shape[d] - origin[d];
    part.low[d] = before > 0 ? before : 0;
    part.high[d] = inside < box.extent[d] ? inside : box.extent[d];
    if (part.low[d] > 0 || part.high[d] < box.extent[d]) part.whole = false;
    if (part.high[d] <= part.low[d]) part.empty = true;
  }
  return part;
}

// Calls rows(first byte in the tensor, first byte in the box, bytes of a row, rows, bytes from one row to the
// next in the tensor and in the box) until the part is done.
template <typename Rows>
void for_each_rows(const Box& box, const int* origin, const Clipped& part, Rows rows) {
  if (part.empty) return;
  unsigned outer = box.rank;  // dimensions that a row does not cover
  uint64_t length = box.element_bytes, tensor_step[most_rank], box_step[most_rank];
  for (bool together = true; together && outer != 0;) {
    --outer;
    length *= static_cast<uint64_t>(part.high[outer] - part.low[outer]);
    together = part.low[outer] == 0 && part.high[outer] == box.extent[outer] &&
               box.extent[outer] == box.shape[outer];
  }
  uint64_t from = 0, to = 0, in_tensor = box.element_bytes, in_box = box.element_bytes;
  int index[most_rank];
  for (unsigned d = box.rank; d-- > 0;) {
    tensor_step[d] = in_tensor, box_step[d] = in_box;
    from += in_tensor * static_cast<uint64_t>(origin[d] + part.low[d]);
    to += in_box * static_cast<uint64_t>(part.low[d]);
    in_tensor *= static_cast<uint64_t>(box.shape[d]), in_box *= static_cast<uint64_t>(box.extent[d]);
    index[d] = part.low[d];
  }
  if (outer == 0) return rows(from, to, length, 1, 0, 0);
  const unsigned along = outer - 1;  // these rows are done at once
  const auto count = static_cast<uint64_t>(part.high[along] - part.low[along]);
  for (;;) {
    rows(from, to, length, count, tensor_step[along], box_step[along]);
    unsigned d = along;
    for (;;) {
      if (d == 0) return;
      --d;
      from += tensor_step[d], to += box_step[d];
      if (++index[d] < part.high[d]) break;
      const auto back = static_cast<uint64_t>(index[d] - part.low[d]);
      from -= back * tensor_step[d], to -= back * box_step[d];
      index[d] = part.low[d];
    }
  }
}

void fill_box(void* box, const Box& of, uint32_t bits) {
  size_t count = 1;
  for (unsigned d = 0; d < of.rank; ++d) count *= static_cast<size_t>(of.extent[d]);
  if (of.element_bytes == 4)
    fill(static_cast<float*>(box), __builtin_bit_cast(float, bits), count);
  else if (of.element_bytes == 2)
    fill(static_cast<bf16*>(box), __builtin_bit_cast(bf16, static_cast<uint16_t>(bits)), count);
  else
    __builtin_memset(box, static_cast<int>(bits), count);
}

// Where the units of an array are. Multiplies where a division would take the node 20 cycles a row: exact for
// units below 2^26 (256 GiB) and up to 64 interfaces.
struct Units {
  HbmArray array;
  uint64_t reciprocal;

  explicit Units(HbmArray of) : array(of), reciprocal((uint64_t{1} << 36) / of.interfaces + 1) {}
  Global place(uint64_t offset) const {
    const uint64_t unit = offset / hbm_unit_bytes, turn = unit * reciprocal >> 36;
    return hbm(static_cast<unsigned>(unit - turn * array.interfaces),
               array.begin + turn * hbm_unit_bytes + offset % hbm_unit_bytes);
  }
  // Calls piece(place in HBM, first byte of it, bytes) for what lies together.
  template <typename Piece>
  void for_each_piece(uint64_t offset, uint64_t bytes, Piece piece) const {
    for (uint64_t done = 0; done < bytes;) {
      const uint64_t at = offset + done, here = hbm_unit_bytes - at % hbm_unit_bytes, left = bytes - done;
      const uint64_t count = left < here ? left : here;
      piece(place(at), done, count);
      done += count;
    }
  }
  // Calls piece(place in HBM, first byte in the box, bytes) for rows that for_each_rows() gives.
  template <typename Piece>
  void for_each_piece_of_rows(uint64_t from, uint64_t to, uint64_t bytes, uint64_t rows, uint64_t tensor_step,
                              uint64_t box_step, Piece piece) const {
    for (; rows != 0; --rows, from += tensor_step, to += box_step) {
      if (from % hbm_unit_bytes + bytes <= hbm_unit_bytes)
        piece(place(from), to, bytes);
      else
        for_each_piece(from, bytes,
                       [&](Global where, uint64_t done, uint64_t count) { piece(where, to + done, count); });
    }
  }
};

}  // namespace

void get_array(void* destination, HbmArray source, uint64_t offset, size_t bytes) {
  Units(source).for_each_piece(offset, bytes, [&](Global place, uint64_t done, uint64_t count) {
    get(static_cast<char*>(destination) + done, place, count);
  });
}

void put_array(HbmArray destination, uint64_t offset, const void* source, size_t bytes) {
  Units(destination).for_each_piece(offset, bytes, [&](Global place, uint64_t done, uint64_t count) {
    put_hbm(place, static_cast<const char*>(source) + done, count);
  });
}

void fetch_box(void* box, HbmArray tensor, const Box& of, const int* origin, uint32_t outside) {
  const Clipped part = clip(of, origin);
  if (!part.whole) fill_box(box, of, outside);
  const Units units(tensor);
  for_each_rows(of, origin, part, [&](auto... rows) {
    units.for_each_piece_of_rows(rows..., [&](Global place, uint64_t to, uint64_t count) {
      get(static_cast<char*>(box) + to, place, count);
    });
  });
}

void fetch_box(void* box, const void* tensor, const Box& of, const int* origin, uint32_t outside) {
  const Clipped part = clip(of, origin);
  if (!part.whole) fill_box(box, of, outside);
  for_each_rows(of, origin, part,
                [&](uint64_t from, uint64_t to, uint64_t bytes, uint64_t rows, uint64_t tensor_step,
                    uint64_t box_step) {
                  for (; rows != 0; --rows, from += tensor_step, to += box_step)
                    copy(static_cast<char*>(box) + to, static_cast<const char*>(tensor) + from, bytes);
                });
}

void store_box(HbmArray tensor, const void* box, const Box& of, const int* origin) {
  const Units units(tensor);
  for_each_rows(of, origin, clip(of, origin), [&](auto... rows) {
    units.for_each_piece_of_rows(rows..., [&](Global place, uint64_t from, uint64_t count) {
      put_hbm(place, static_cast<const char*>(box) + from, count);
    });
  });
}

}  // namespace dojo
