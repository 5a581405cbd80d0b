// Boxes of whole tensors: row by row, where a row is as much as lies together in both the tensor and the box.
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

// Calls row(first element in the tensor, first element in the box, elements) for each row of the part.
template <typename Row>
void for_each_row(const Box& box, const int* origin, const Clipped& part, Row row) {
  if (part.empty) return;
  unsigned outer = box.rank;  // dimensions that a row does not cover
  uint64_t length = 1, tensor_step[most_rank], box_step[most_rank], in_tensor = 1, in_box = 1;
  for (bool together = true; together && outer != 0;) {
    --outer;
    length *= static_cast<uint64_t>(part.high[outer] - part.low[outer]);
    together = part.low[outer] == 0 && part.high[outer] == box.extent[outer] &&
               box.extent[outer] == box.shape[outer];
  }
  int64_t from = 0, to = 0;
  int index[most_rank];
  for (unsigned d = box.rank; d-- > 0;) {
    tensor_step[d] = in_tensor, box_step[d] = in_box;
    from += static_cast<int64_t>(in_tensor) * (origin[d] + part.low[d]);
    to += static_cast<int64_t>(in_box) * part.low[d];
    in_tensor *= static_cast<uint64_t>(box.shape[d]), in_box *= static_cast<uint64_t>(box.extent[d]);
    index[d] = part.low[d];
  }
  for (;;) {
    row(static_cast<uint64_t>(from), static_cast<uint64_t>(to), length);
    unsigned d = outer;
    for (;;) {
      if (d == 0) return;
      --d;
      from += static_cast<int64_t>(tensor_step[d]), to += static_cast<int64_t>(box_step[d]);
      if (++index[d] < part.high[d]) break;
      const int64_t back = index[d] - part.low[d];
      from -= back * static_cast<int64_t>(tensor_step[d]), to -= back * static_cast<int64_t>(box_step[d]);
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

// Calls piece(place in HBM, first byte of it, bytes) for what lies together.
template <typename Piece>
void for_each_piece(HbmArray array, uint64_t offset, size_t bytes, Piece piece) {
  for (uint64_t done = 0; done < bytes;) {
    const uint64_t at = offset + done, unit = at / hbm_unit_bytes, within = at % hbm_unit_bytes;
    const uint64_t left = bytes - done, here = hbm_unit_bytes - within;
    const uint64_t count = left < here ? left : here;
    const auto number = static_cast<unsigned>(unit);
    piece(hbm(number % array.interfaces, array.begin + number / array.interfaces * hbm_unit_bytes + within),
          done, count);
    done += count;
  }
}

}  // namespace

void get_array(void* destination, HbmArray source, uint64_t offset, size_t bytes) {
  for_each_piece(source, offset, bytes, [&](Global place, uint64_t done, uint64_t count) {
    get(static_cast<char*>(destination) + done, place, count);
  });
}

void put_array(HbmArray destination, uint64_t offset, const void* source, size_t bytes) {
  for_each_piece(destination, offset, bytes, [&](Global place, uint64_t done, uint64_t count) {
    put_hbm(place, static_cast<const char*>(source) + done, count);
  });
}

void fetch_box(void* box, HbmArray tensor, const Box& of, const int* origin, uint32_t outside) {
  const Clipped part = clip(of, origin);
  if (!part.whole) fill_box(box, of, outside);
  const uint64_t bytes = of.element_bytes;
  for_each_row(of, origin, part, [&](uint64_t from, uint64_t to, uint64_t count) {
    get_array(static_cast<char*>(box) + to * bytes, tensor, from * bytes, count * bytes);
  });
}

void fetch_box(void* box, const void* tensor, const Box& of, const int* origin, uint32_t outside) {
  const Clipped part = clip(of, origin);
  if (!part.whole) fill_box(box, of, outside);
  const uint64_t bytes = of.element_bytes;
  for_each_row(of, origin, part, [&](uint64_t from, uint64_t to, uint64_t count) {
    copy(static_cast<char*>(box) + to * bytes, static_cast<const char*>(tensor) + from * bytes,
         count * bytes);
  });
}

void store_box(HbmArray tensor, const void* box, const Box& of, const int* origin) {
  const uint64_t bytes = of.element_bytes;
  for_each_row(of, origin, clip(of, origin), [&](uint64_t to, uint64_t from, uint64_t count) {
    put_array(tensor, to * bytes, static_cast<const char*>(box) + from * bytes, count * bytes);
  });
}

}  // namespace dojo
