// Encodings: the unprivileged specification's chapters on loads and stores, A, F, D and V ("Vector
// Load/Store Instruction Encoding"); XSfmm and Xdojo: docs/isa.md.
#include "debug/accesses.h"

#include <cstring>
#include <memory>

#include "isa/vector_legality.h"
#include "machine/address.h"

namespace dojo::debug {

namespace {

using isa::AccessPattern;
using isa::Decoded;
using isa::Hart;
using isa::TransferKind;
using isa::Unit;

class Accesses {
public:
  void add(std::uint64_t address, std::uint64_t bytes, bool store) {
    if (bytes == 0) return;
    if (!list_.empty()) {
      MemoryAccess& last = list_.back();
      if (last.store == store && last.address + last.bytes == address) {
        last.bytes += bytes;
        return;
      }
    }
    list_.push_back({address, bytes, store});
  }
  std::vector<MemoryAccess> take() { return std::move(list_); }

private:
  std::vector<MemoryAccess> list_;
};

std::uint64_t scalar_bytes(const Decoded& d) { return std::uint64_t{1} << (d.word >> 12 & 3); }

bool mask_bit(const Hart& hart, std::uint64_t i) {
  return (std::to_integer<unsigned>(hart.v[i / 8]) >> (i % 8) & 1) != 0;
}

std::uint64_t index_of(const Hart& hart, const Decoded& d, unsigned index_log2, std::uint64_t i) {
  const std::uint64_t at = d.rs2 * (hart.vlen_bits / 8) + (i << index_log2);
  std::uint64_t index = 0;
  if (at + 8 <= hart.v.size()) std::memcpy(&index, hart.v.data() + at, std::size_t{1} << index_log2);
  return index;
}

void add_elements(Accesses& list, const Hart& hart, const Decoded& d, bool store) {
  const isa::VectorOperands& operands = d.row->vector;
  const isa::ElementType type = isa::vector::element_type(hart);
  const auto element_log2 = static_cast<unsigned>(operands.vd.eew_log2(type));
  const auto index_log2 = static_cast<unsigned>(operands.vs2.eew_log2(type));
  const std::uint64_t segment = std::uint64_t{operands.fields} << element_log2;
  for (std::uint64_t i = hart.vstart; i < hart.vl; ++i) {
    if (isa::vector::is_masked(&d) && !mask_bit(hart, i)) continue;
    const std::uint64_t address =
        hart.x[d.rs1] + (operands.access == AccessPattern::indexed   ? index_of(hart, d, index_log2, i)
                         : operands.access == AccessPattern::strided ? i * hart.x[d.rs2]
                                                                     : i * segment);
    if (operands.access == AccessPattern::first_fault_only && i > 0 &&
        hart.memory.readable(address, segment) == nullptr)
      return;
    list.add(address, segment, store);
  }
}

void add_vector(Accesses& list, const Hart& hart, const Decoded& d, bool store) {
  const isa::VectorOperands& operands = d.row->vector;
  const std::uint64_t base = hart.x[d.rs1];
  if (operands.vd.extent == isa::Extent::tile_slice) {
    list.add(base, hart.vl << operands.vd.log2, store);
  } else if (operands.access == AccessPattern::whole_registers) {
    const unsigned width = d.word >> 12 & 7;  // vstart counts elements of it
    const std::uint64_t first = hart.vstart << (width == 0 ? 0 : width - 4),
                        bytes = operands.vd.registers({}) * std::uint64_t{hart.vlen_bits} / 8;
    if (first < bytes) list.add(base + first, bytes - first, store);
  } else if (hart.vill) {
    return;
  } else if (operands.access == AccessPattern::mask_bytes) {
    const std::uint64_t bytes = (hart.vl + 7) / 8;
    if (hart.vstart < bytes) list.add(base + hart.vstart, bytes - hart.vstart, store);
  } else {
    add_elements(list, hart, d, store);
  }
}

// What the instruction, a transfer, is going to ask the fabric for.
isa::Transfer transfer_of(const Hart& hart, const Decoded& d) {
  const auto asking = std::make_unique<Hart>(hart);
  d.execute(*asking, &d);
  return asking->transfer;
}

// Its local end: a put reads its source, a get writes its destination.
void add_transfer(Accesses& list, const isa::Transfer& transfer) {
  if (transfer.kind == TransferKind::put) list.add(transfer.local, transfer.count, false);
  if (transfer.kind == TransferKind::get) list.add(transfer.local, transfer.count, true);
}

}  // namespace

Decoded next_instruction(const Hart& hart) {
  const std::byte* low = hart.memory.readable(hart.pc, 2);
  std::uint32_t bits = 0;
  if (low != nullptr) std::memcpy(&bits, low, 2);
  if ((bits & 3) == 3) {
    const std::byte* whole = hart.memory.readable(hart.pc, 4);
    if (whole == nullptr) return isa::decode(0, hart.pc);
    std::memcpy(&bits, whole, 4);
  }
  return isa::decode(bits, hart.pc);
}

std::vector<MemoryAccess> accesses_of(const Hart& hart, const Decoded& d) {
  Accesses list;
  const std::uint64_t address = hart.x[d.rs1] + static_cast<std::uint64_t>(d.immediate);
  switch (d.row->unit) {
    case Unit::load:
      list.add(address, scalar_bytes(d), false);
      break;
    case Unit::store:
      if ((d.row->properties & isa::cache_block) != 0)
        list.add(hart.x[d.rs1] & ~(isa::cache_block_bytes - 1), isa::cache_block_bytes, true);
      else
        list.add(address, scalar_bytes(d), true);
      break;
    case Unit::atomic:
      if ((d.row->properties & isa::reads_memory) != 0) list.add(hart.x[d.rs1], scalar_bytes(d), false);
      if ((d.row->properties & isa::writes_memory) != 0) list.add(hart.x[d.rs1], scalar_bytes(d), true);
      break;
    case Unit::vector_load:
    case Unit::vector_store:
      add_vector(list, hart, d, d.row->unit == Unit::vector_store);
      break;
    case Unit::transfer:
      add_transfer(list, transfer_of(hart, d));
      break;
    default:
      break;
  }
  return list.take();
}

std::vector<NodeAccess> transfer_accesses_of(const Hart& hart, const Decoded& d) {
  if (d.row->unit != Unit::transfer) return {};
  constexpr std::uint64_t word = sizeof(std::uint64_t);
  const isa::Transfer transfer = transfer_of(hart, d);
  const auto [peer, offset] = machine::GlobalAddress::of(transfer.global);
  std::vector<NodeAccess> list;
  switch (transfer.kind) {
    case TransferKind::put:
      list.push_back({peer, {offset, transfer.count, true}});
      if (transfer.semaphore != 0) list.push_back({peer, {transfer.semaphore, word, true}});
      break;
    case TransferKind::get:
      list.push_back({peer, {offset, transfer.count, false}});
      if (transfer.semaphore != 0) list.push_back({hart.node, {transfer.semaphore, word, true}});
      break;
    case TransferKind::signal:
      list.push_back({peer, {offset, word, true}});
      break;
    case TransferKind::wait: {
      const std::byte* held = hart.memory.readable(transfer.local, word);
      std::uint64_t count = 0;
      if (held != nullptr) std::memcpy(&count, held, word);
      if (held != nullptr && count >= transfer.count)
        for (const bool store : {false, true}) list.push_back({hart.node, {transfer.local, word, store}});
      break;
    }
    case TransferKind::quiet:
      break;
  }
  return list;
}

}  // namespace dojo::debug
