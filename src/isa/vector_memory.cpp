// Vector loads and stores: unit stride, strided, indexed, segments, fault-only-first, masks, whole registers.
//
// The rows are written by loops over the families below, because a width, a segment size and a direction
// multiply to three hundred.
#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "isa/vector_config.h"
#include "isa/vector_copy.h"
#include "isa/vector_operands.h"

namespace dojo::isa::vector {
namespace {

// How this instruction goes over memory; the row says of what kind it is.
struct VectorAccess {
  std::uint64_t base;
  unsigned fields;          // of a segment
  unsigned element_log2;    // bytes of the data
  unsigned index_log2;      // indexed only
  std::size_t group_bytes;  // of one field's registers

  VectorAccess(const Hart& hart, const Decoded* d) : base(hart.x[d->rs1]), fields(d->row->vector.fields) {
    const VectorOperands& operands = d->row->vector;
    const ElementType type = element_type(hart);
    element_log2 = static_cast<unsigned>(operands.vd.eew_log2(type));
    index_log2 = static_cast<unsigned>(operands.vs2.eew_log2(type));
    group_bytes = std::size_t{operands.vd.registers(type)} * hart.vlen_bits / 8;
  }
};

// Where element i of field 0 lies in memory.
template <AccessPattern pattern>
std::uint64_t address_of(Hart& hart, const Decoded* d, const VectorAccess& access, std::size_t i) {
  if constexpr (pattern == AccessPattern::strided) return access.base + i * hart.x[d->rs2];
  if constexpr (pattern == AccessPattern::indexed) {
    std::uint64_t index = 0;
    std::memcpy(&index, group(hart, d->rs2) + (i << access.index_log2), std::size_t{1} << access.index_log2);
    return access.base + index;
  }
  return access.base + i * (std::uint64_t{access.fields} << access.element_log2);
}

template <bool store>
const Decoded* fault(Hart& hart, const Decoded* d, std::uint64_t address) {
  return store ? hart.raise_store_fault(d, address) : hart.raise_load_fault(d, address);
}

template <AccessPattern pattern, bool store>
const Decoded* one_by_one(Hart& hart, const Decoded* d, const VectorAccess& access) {
  const std::size_t bytes = std::size_t{1} << access.element_log2;
  for (std::size_t i = hart.vstart; i < hart.vl; ++i) {
    if (is_masked(d) && !mask_bit(group(hart, 0), i)) continue;
    const std::uint64_t address = address_of<pattern>(hart, d, access, i);
    for (unsigned f = 0; f < access.fields; ++f) {
      std::byte* memory = store ? hart.memory.writable(address + f * bytes, bytes)
                                : hart.memory.readable(address + f * bytes, bytes);
      if (memory == nullptr) {
        if (pattern == AccessPattern::first_fault_only && i > 0) {
          hart.vl = i;
          hart.vstart = 0;
          return d + 1;
        }
        hart.vstart = i;
        return fault<store>(hart, d, address + f * bytes);
      }
      std::uint8_t* element = group(hart, d->rd) + f * access.group_bytes + i * bytes;
      store ? std::memcpy(memory, element, bytes) : std::memcpy(element, memory, bytes);
    }
  }
  hart.vstart = 0;
  return d + 1;
}

template <AccessPattern pattern, bool store>
const Decoded* access(Hart& hart, const Decoded* d) {
  const VectorOperands& operands = d->row->vector;
  const ElementType type = element_type(hart);
  if (hart.vill || !groups_are_legal(d, operands, type) ||
      (!store && !destination_is_legal(d, operands, type)))
    return illegal(hart, d);
  return one_by_one<pattern, store>(hart, d, VectorAccess(hart, d));
}

// --- The frequent accesses: one field, unmasked, from element 0 on, of the width that vtype names, whose
// whole span is accessible. Everything else, traps included, goes the general way.

template <unsigned log2>
bool is_frequent(const Hart& hart, const Decoded* d) {
  constexpr std::uint64_t vill_and_sew = vill_bit | 7u << 3;
  return (hart.vtype & vill_and_sew) == log2 << 3 && (d->rd & misaligned_bits(hart)) == 0 && !is_masked(d) &&
         hart.vstart == 0;
}

template <bool store>
std::uint8_t* reachable(const Hart& hart, std::uint64_t address, std::uint64_t bytes) {
  return reinterpret_cast<std::uint8_t*>(store ? hart.memory.writable(address, bytes)
                                               : hart.memory.readable(address, bytes));
}

template <unsigned log2, bool store>
const Decoded* unit_stride(Hart& hart, const Decoded* d) {
  const std::size_t bytes = hart.vl << log2;
  std::uint8_t* memory = reachable<store>(hart, hart.x[d->rs1], bytes);
  if (memory == nullptr || !is_frequent<log2>(hart, d))
    return access<AccessPattern::unit_stride, store>(hart, d);
  std::uint8_t* elements = group(hart, d->rd);
  store ? copy_row(memory, elements, bytes) : copy_row(elements, memory, bytes);
  return proceed(hart, d);
}

template <unsigned log2, bool store>
const Decoded* strided(Hart& hart, const Decoded* d) {
  using Element =
      std::tuple_element_t<log2, std::tuple<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>>;
  const std::uint64_t stride = hart.x[d->rs2];
  if (!is_frequent<log2>(hart, d) || hart.vl == 0 || stride > hart.memory.size)
    return access<AccessPattern::strided, store>(hart, d);
  std::uint8_t* memory = reachable<store>(hart, hart.x[d->rs1], (hart.vl - 1) * stride + sizeof(Element));
  if (memory == nullptr) return access<AccessPattern::strided, store>(hart, d);
  copy_apart<Element, !store>(group(hart, d->rd), memory, static_cast<std::ptrdiff_t>(stride), hart.vl);
  return proceed(hart, d);
}

template <bool store>
constexpr std::array<Execute, 4> unit_strides = {unit_stride<0, store>, unit_stride<1, store>,
                                                 unit_stride<2, store>, unit_stride<3, store>};
template <bool store>
constexpr std::array<Execute, 4> all_strided = {strided<0, store>, strided<1, store>, strided<2, store>,
                                                strided<3, store>};

// The elements of `count` bytes of a group starting at rd, from vstart on and whatever vtype says. Those
// before one that traps are done.
template <bool store>
const Decoded* plain_elements(Hart& hart, const Decoded* d, unsigned element_log2, std::size_t count) {
  const std::size_t first = hart.vstart << element_log2;
  std::size_t bytes = count - first;  // at once, or an element after the other
  for (std::size_t at = first; at < count; at += bytes) {
    std::uint8_t* memory = reachable<store>(hart, hart.x[d->rs1] + at, bytes);
    if (memory == nullptr && at == first) {
      bytes = std::size_t{1} << element_log2;
      memory = reachable<store>(hart, hart.x[d->rs1] + at, bytes);
    }
    if (memory == nullptr) {
      hart.vstart = at >> element_log2;
      return fault<store>(hart, d, hart.x[d->rs1] + at);
    }
    std::uint8_t* elements = group(hart, d->rd) + at;
    store ? copy_row(memory, elements, bytes) : copy_row(elements, memory, bytes);
  }
  hart.vstart = 0;
  return proceed(hart, d);
}

// The element size of a width field, as log2 of bytes.
unsigned width_log2(std::uint32_t word) {
  const unsigned width = word >> 12 & 7;
  return width == 0 ? 0 : width - 4;
}

template <bool store>
const Decoded* mask_access(Hart& hart, const Decoded* d) {
  if (hart.vill) return illegal(hart, d);
  return plain_elements<store>(hart, d, 0, (hart.vl + 7) / 8);
}

template <bool store>
const Decoded* registers_access(Hart& hart, const Decoded* d) {
  const ElementType type = element_type(hart);
  const VectorOperands& operands = d->row->vector;
  if (!groups_are_legal(d, operands, type)) return illegal(hart, d);
  return plain_elements<store>(hart, d, width_log2(d->word),
                               std::size_t{operands.vd.registers(type)} * hart.vlen_bits / 8);
}

// --- Rows

constexpr std::uint32_t width_field(unsigned log2) { return (log2 == 0 ? 0 : log2 + 4) << 12; }

class Table {
public:
  Table() {
    for (const bool store : {false, true}) {
      for (unsigned log2 = 0; log2 < 4; ++log2)
        for (unsigned fields = 1; fields <= 8; ++fields) segments(store, log2, fields);
      masks_and_registers(store);
    }
  }
  std::span<const Row> rows() const { return rows_; }

private:
  static constexpr auto xr = Operand::x_read;

  void add(bool store, std::string mnemonic, std::uint32_t match, std::uint32_t mask,
           std::string_view address, Operand rs2, unsigned properties, const VectorHandler& handler) {
    names_.push_back(std::move(mnemonic));
    names_.push_back(fmt::format("{}, {}", store ? "vs3" : "vd", address));
    const auto data = store ? Operand::v_read : Operand::v_write;
    properties |= store ? writes_memory : reads_memory;
    rows_.push_back({names_[names_.size() - 2], match | (store ? 0x27u : 0x07u), mask, names_.back(), "V",
                     store ? Unit::vector_store : Unit::vector_load, data, xr, rs2, Operand::none,
                     static_cast<std::uint16_t>(properties), handler.execute, handler.operands});
  }

  // The general handler of a pattern, for elements of this width: the data's or, indexed, the indices'.
  template <AccessPattern pattern>
  static VectorHandler by_element(bool store, unsigned log2, unsigned fields) {
    constexpr bool by_index = pattern == AccessPattern::indexed;
    const OperandGroup width = fixed_width(static_cast<int>(log2));
    return {
        store ? access<pattern, true> : access<pattern, false>,
        {.vd = by_index ? scaled(0) : width,
         .vs2 = by_index ? width : OperandGroup{},
         .order = by_index || pattern == AccessPattern::strided ? Order::element_serial : Order::elementwise,
         .apart = by_index && !store && fields > 1,
         .access = pattern,
         .fields = static_cast<std::uint8_t>(fields)}};
  }
  static VectorHandler frequent_or(Execute frequent, VectorHandler general) {
    if (general.operands.fields == 1) general.execute = frequent;
    return general;
  }

  void segments(bool store, unsigned log2, unsigned fields) {
    using enum AccessPattern;
    const std::string_view verb = store ? "s" : "l";
    const unsigned bits = 8u << log2;
    const std::string segment = fields == 1 ? "" : fmt::format("seg{}", fields);
    const std::uint32_t base = (fields - 1) << 29 | width_field(log2);
    constexpr std::uint32_t unit_mask = 0xfdf0707f, other_mask = 0xfc00707f;
    add(store, fmt::format("v{}{}e{}.v", verb, segment, bits), base, unit_mask, "(rs1), vm", Operand::none,
        maskable,
        frequent_or(store ? unit_strides<true>[log2] : unit_strides<false>[log2],
                    by_element<AccessPattern::unit_stride>(store, log2, fields)));
    if (!store)
      add(store, fmt::format("vl{}e{}ff.v", segment, bits), base | 16u << 20, unit_mask, "(rs1), vm",
          Operand::none, maskable | ends_block, by_element<first_fault_only>(store, log2, fields));
    add(store, fmt::format("v{}s{}e{}.v", verb, segment, bits), base | 2u << 26, other_mask, "(rs1), rs2, vm",
        xr, maskable,
        frequent_or(store ? all_strided<true>[log2] : all_strided<false>[log2],
                    by_element<AccessPattern::strided>(store, log2, fields)));
    for (const bool ordered : {false, true})
      add(store, fmt::format("v{}{}x{}ei{}.v", verb, ordered ? "o" : "u", segment, bits),
          base | (ordered ? 3u : 1u) << 26, other_mask, "(rs1), vs2, vm", Operand::v_read, maskable,
          by_element<indexed>(store, log2, fields));
  }

  void masks_and_registers(bool store) {
    constexpr std::uint32_t exact = 0xfff0707f;
    add(store, store ? "vsm.v" : "vlm.v", 0x02b00000, exact, "(rs1)", Operand::none, 0,
        {store ? mask_access<true> : mask_access<false>,
         {.vd = mask_bits, .access = AccessPattern::mask_bytes}});
    for (int count_log2 = 0; count_log2 < 4; ++count_log2)
      for (unsigned log2 = 0; log2 < (store ? 1u : 4u); ++log2)
        add(store,
            store ? fmt::format("vs{}r.v", 1 << count_log2)
                  : fmt::format("vl{}re{}.v", 1 << count_log2, 8u << log2),
            ((1u << count_log2) - 1) << 29 | 0x02800000 | width_field(log2), exact, "(rs1)", Operand::none, 0,
            {store ? registers_access<true> : registers_access<false>,
             {.vd = whole_registers(count_log2), .access = AccessPattern::whole_registers}});
  }

  std::deque<std::string> names_;  // a deque: the rows point into it
  std::vector<Row> rows_;
};

}  // namespace

std::span<const Row> memory_rows() {
  static const Table table;
  return table.rows();
}

}  // namespace dojo::isa::vector
