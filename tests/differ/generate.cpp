#include "generate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "isa/block.h"
#include "isa/compressed.h"
#include "isa/corners_for_tests.h"
#include "isa/extensions.h"
#include "isa/hart.h"
#include "isa/vector_config.h"
#include "shell.h"

namespace dojo::differ {
namespace {

using isa::Operand;
using isa::Row;

constexpr unsigned half_memory = memory_bytes / 2, address_register = 9, amount_register = 10,
                   table_register = 11;
constexpr unsigned x_memory = 2, x_memory_short = 8, x_tables = 3, first_counter = 28;
constexpr std::size_t short_reach = 250;  // of c.beqz, in bytes

constexpr std::uint32_t with_field(std::uint32_t word, unsigned low, unsigned bits, std::uint64_t value) {
  const std::uint32_t mask = ((1u << bits) - 1) << low;
  return (word & ~mask) | (static_cast<std::uint32_t>(value << low) & mask);
}
constexpr std::uint32_t addi(unsigned rd, unsigned rs1, std::uint64_t immediate) {
  return with_field(0x13 | rd << 7 | rs1 << 15, 20, 12, immediate);
}
constexpr std::uint32_t csr(unsigned function, unsigned rd, unsigned source, unsigned number) {
  return 0x73 | function << 12 | rd << 7 | source << 15 | number << 20;
}

// qemu 7.2 crashes on the rtz conversions, and lets ctzw count beyond 32.
bool is_known_to_qemu(const Row& row) {
  return isa::is_in_qemu(row.extension) && row.mnemonic.find(".rtz.") == std::string_view::npos &&
         row.mnemonic != "ctzw";
}

// The rows by how they have to be used.
struct Families {
  std::vector<const Row*> arithmetic, accesses, atomics, floats, branches, vectors, vector_accesses;

  Families() {
    for (const Row* row : isa::all_rows())
      if (is_known_to_qemu(*row)) place(row);
  }

private:
  void place(const Row* row) {
    const bool memory = (row->properties & (isa::reads_memory | isa::writes_memory)) != 0;
    const bool vector = row->extension[0] == 'V' || row->extension.starts_with("Zv");
    switch (row->unit) {
      case isa::Unit::branch:
        branches.push_back(row);
        return;
      case isa::Unit::atomic:
        atomics.push_back(row);
        return;
      case isa::Unit::vector_config:
        return;
      case isa::Unit::system:
        if (row->mnemonic.starts_with("fence")) arithmetic.push_back(row);
        return;
      default:
        break;
    }
    if (vector)
      (memory ? vector_accesses : vectors).push_back(row);
    else if (memory)
      accesses.push_back(row);
    else if (row->unit == isa::Unit::float_ || row->unit == isa::Unit::float_divide)
      floats.push_back(row);
    else
      arithmetic.push_back(row);
  }
};

class Generator {
public:
  Generator(std::uint64_t seed, std::uint64_t number, unsigned vlen_bits)
      : random_(seed, number), model_(std::make_unique<isa::Hart>()) {
    program_.vlen_bits = model_->vlen_bits = vlen_bits;
  }

  Program make() {
    fill(program_.before);
    isa::set_vtype(*model_, program_.before.vtype);
    model_->vl = program_.before.vl;
    program_.items = items(10 + random_.below(50), 0);
    return std::move(program_);
  }

private:
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  template <typename T>
  const T& any(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

  void fill(State& state) {
    for (auto& byte : state.memory) byte = static_cast<std::byte>(random_.bits());
    for (unsigned i = 1; i < 30; ++i) state.x[i] = isa::corner_integer(random_);
    for (auto& f : state.f) f = isa::corner_f_register(random_, 16u << below(3));
    for (std::size_t at = 0; at < state.v.size(); at += 64) fill_vector(state.v.data() + at);
    state.fcsr = below(5) << 5 | below(32);
    state.vcsr = below(8);
    state.vtype = below(4) << 3 | below(4);
    state.vl = below(program_.vlen_bits / 64 + 1);
  }
  void fill_vector(std::byte* bytes) {
    const bool floats = below(3) != 0;
    const std::size_t width = (floats ? 2u : 1u) << below(floats ? 3 : 4);
    for (std::size_t at = 0; at < 64; at += width) {
      const std::uint64_t value = floats ? isa::corner_float(random_, static_cast<unsigned>(8 * width))
                                         : isa::corner_integer(random_);
      std::memcpy(bytes + at, &value, width);
    }
  }

  std::vector<Item> items(std::uint64_t count, unsigned depth) {
    std::vector<Item> made;
    for (std::uint64_t i = 0; i < count; ++i) add_item(made, depth);
    return made;
  }

  void add_item(std::vector<Item>& made, unsigned depth) {
    const std::uint64_t kind = below(100);
    if (kind < 18) return add(made, {register_word(*any(families_.arithmetic))});
    if (kind < 28) return add(made, {compressed()});
    if (kind < 36) return add_access(made);
    if (kind < 40) return add_atomic(made);
    if (kind < 52) return add(made, {register_word(*any(families_.floats))});
    if (kind < 56) return add_csr(made);
    if (kind < 60) return add_configuration(made);
    if (kind < 82) return add_vector(made);
    if (kind < 93) return add_vector_access(made);
    if (depth < 2) return kind < 97 ? add_jump(made, depth) : add_loop(made, depth);
  }
  static void add(std::vector<Item>& made, std::vector<std::uint32_t> words) {
    made.push_back({.words = std::move(words)});
  }

  // A register that programs may write; now and then x0.
  unsigned writable() {
    if (below(24) == 0) return 0;
    constexpr unsigned choices[] = {1,  4,  5,  6,  7,  9,  10, 11, 12, 13, 14, 15,
                                    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27};
    return choices[below(std::size(choices))];
  }
  static bool is_writable(unsigned x) {
    return x != x_memory && x != x_memory_short && x != x_tables && x < first_counter;
  }

  // Random operands for the row.
  std::uint32_t register_word(const Row& row) {
    std::uint32_t word = row.match | (random_.bits() & ~row.mask);
    if (row.rd == Operand::x_write) word = with_field(word, 7, 5, writable());
    if (row.syntax.ends_with("rm") || row.syntax.ends_with("rm_exact")) {
      constexpr std::uint32_t modes[] = {0, 1, 2, 3, 4, 7, 7, 7};
      word = with_field(word, 12, 3, modes[below(8)]);
    }
    return word;
  }

  // Any half-word that is neither a jump nor a system instruction, and whose base is the program's memory.
  std::uint32_t compressed() {
    for (;;) {
      const auto half = static_cast<std::uint16_t>(random_.bits());
      if ((half & 3) == 3) continue;
      const auto d = isa::decode(half, 0);
      const bool memory = (d.row->properties & (isa::reads_memory | isa::writes_memory)) != 0;
      if (!isa::is_in_qemu(isa::extension_of(d)) || d.row->unit == isa::Unit::branch ||
          d.row->unit == isa::Unit::system)
        continue;
      if (d.row->rd == Operand::x_write && !is_writable(d.rd)) continue;
      if (memory && d.rs1 != x_memory && d.rs1 != x_memory_short) continue;
      return half;
    }
  }

  unsigned memory_base() { return below(2) == 0 ? x_memory : x_memory_short; }
  // From the middle of the memory, so that `bytes` from there on are in it and the offset fits 12 bits.
  std::uint64_t memory_offset(std::uint64_t bytes) { return below(memory_bytes - bytes + 1) - half_memory; }

  void add_access(std::vector<Item>& made) {
    const Row& row = *any(families_.accesses);
    std::uint32_t word = with_field(register_word(row), 15, 5, memory_base());
    const std::uint64_t offset = memory_offset(8);
    const bool store = (row.properties & isa::writes_memory) != 0;
    word = store ? with_field(with_field(word, 25, 7, offset >> 5), 7, 5, offset)
                 : with_field(word, 20, 12, offset);
    add(made, {word});
  }

  void add_atomic(std::vector<Item>& made) {
    const std::uint64_t offset = memory_offset(8) & ~std::uint64_t{7};
    std::vector<std::uint32_t> words = {addi(address_register, memory_base(), offset)};
    const Row& row = *any(families_.atomics);
    const auto aimed = [](std::uint32_t word) { return with_field(word, 15, 5, address_register); };
    if (row.mnemonic.starts_with("sc") && below(4) != 0)
      for (const Row* reserve : families_.atomics)
        if (reserve->mnemonic.starts_with("lr") && reserve->mnemonic.back() == row.mnemonic.back())
          words.push_back(with_field(aimed(register_word(*reserve)), 7, 5, 12));
    words.push_back(aimed(register_word(row)));
    add(made, words);
  }

  void add_csr(std::vector<Item>& made) {
    constexpr unsigned fflags = 1, frm = 2, fcsr = 3, vxsat = 9, vxrm = 10, vcsr = 15;
    constexpr unsigned readable[] = {fflags, frm, fcsr, 8, vxsat, vxrm, vcsr, 0xc20, 0xc21, 0xc22};
    constexpr unsigned write = 1, set = 2, clear = 3, immediate = 4;
    const unsigned rd = writable(), any_x = static_cast<unsigned>(below(32)), five = any_x;
    switch (below(8)) {
      case 0:
        return add(made, {csr(write, rd, any_x, fflags)});
      case 1:
        return add(made, {csr(immediate | static_cast<unsigned>(1 + below(3)), rd, five, fflags)});
      case 2:
        return add(made, {csr(immediate | write, rd, static_cast<unsigned>(below(5)), frm)});
      case 3:
        return add(made, {addi(amount_register, 0, below(5) << 5 | below(32)),
                          csr(write, rd, amount_register, fcsr)});
      case 4: {  // qemu 7.2 keeps bits that these registers do not have
        const bool rounding = below(2) == 0;
        return add(made, {csr(immediate | static_cast<unsigned>(1 + below(3)), rd,
                              static_cast<unsigned>(below(rounding ? 4 : 2)), rounding ? vxrm : vxsat)});
      }
      case 5:
        return add(made, {csr(below(2) == 0 ? write : clear, rd, any_x, vcsr)});
      default:
        return add(made, {csr(set, rd, 0, readable[below(std::size(readable))])});
    }
  }

  // vsetvli, vsetivli or vsetvl with any vtype, now and then one that does not exist; the model follows.
  void add_configuration(std::vector<Item>& made) {
    const std::uint64_t vtype = below(16) == 0 ? below(256) : below(4) << 6 | below(4) << 3 | below(8);
    const unsigned rd = writable();
    isa::set_vtype(*model_, vtype);
    const std::uint64_t limit = isa::vector_length_limit(*model_), kind = below(4);
    if (kind == 0) {
      const std::uint64_t length = below(32);
      set_length(length);
      return add(made, {with_field(with_field(0xc0007057 | rd << 7, 20, 10, vtype), 15, 5, length)});
    }
    if (kind == 1 && rd != 0) {
      set_length(limit);
      return add(made, {with_field(0x00007057 | rd << 7, 20, 11, vtype)});
    }
    const std::uint64_t length = below(3) == 0 ? limit : below(limit + 2);
    set_length(length);
    const std::uint32_t amount = addi(amount_register, 0, length);
    if (kind == 2)
      return add(made, {amount, with_field(0x00007057 | rd << 7 | amount_register << 15, 20, 11, vtype)});
    add(made, {amount, addi(table_register, 0, vtype),
               0x80007057 | rd << 7 | amount_register << 15 | table_register << 20});
  }
  void set_length(std::uint64_t length) {
    model_->vl = std::min(length, isa::vector_length_limit(*model_));
    known_ = true;
  }
  void need_configuration(std::vector<Item>& made) {
    do {
      if (!known_ || model_->vill) add_configuration(made);
    } while (model_->vill);
  }

  // Whether the word is legal in the model's configuration.
  bool is_legal(std::uint32_t word) {
    std::array<isa::Decoded, 2> code{isa::decode(word, 0), isa::Decoded{}};
    code[1].execute = [](isa::Hart&, const isa::Decoded*) -> const isa::Decoded* { return nullptr; };
    const auto vl = model_->vl;
    model_->stop = isa::Stop::none;
    model_->x.fill(0);
    code[0].execute(*model_, code.data());
    model_->vl = vl;
    model_->vstart = 0;
    return model_->stop != isa::Stop::trap || model_->trap != isa::TrapCause::illegal_instruction;
  }

  // Large groups need aligned registers: often take those.
  std::uint32_t vector_word(const Row& row) {
    std::uint32_t word = register_word(row);
    const auto align = [&](unsigned low, Operand operand) {
      const bool is_v =
          operand == Operand::v_read || operand == Operand::v_write || operand == Operand::v_read_write;
      if (is_v && (row.mask >> low & 31) == 0 && below(2) != 0)
        word = with_field(word, low, 5, (1u << below(4)) * below(32));
    };
    align(7, row.rd);
    align(15, row.rs1);
    align(20, row.rs2);
    return word;
  }

  void add_vector(std::vector<Item>& made) {
    need_configuration(made);
    for (unsigned attempt = 0; attempt < 20; ++attempt) {
      const Row& row = *any(families_.vectors);
      for (unsigned again = 0; again < 8; ++again)
        if (const std::uint32_t word = vector_word(row); is_legal(word)) return add(made, {word});
    }
  }

  void add_vector_access(std::vector<Item>& made) {
    need_configuration(made);
    for (unsigned attempt = 0; attempt < 100; ++attempt) {
      const Row& row = *any(families_.vector_accesses);
      const std::uint32_t word = with_field(vector_word(row), 15, 5, address_register);
      if (!is_legal(word)) continue;
      const std::vector<std::uint32_t> words = row.rs2 == Operand::v_read   ? indexed(word)
                                               : row.rs2 == Operand::x_read ? strided(word)
                                                                            : unit_stride(word);
      if (!words.empty()) return add(made, words);
    }
  }
  std::vector<std::uint32_t> unit_stride(std::uint32_t word) {
    return {addi(address_register, memory_base(), memory_offset(most_vlen_bits)), word};
  }
  std::vector<std::uint32_t> strided(std::uint32_t word) {
    const std::uint64_t reach = (half_memory - 64) / (model_->vl + 1);
    const std::uint64_t stride = below(2 * reach + 1) - reach;
    return {addi(address_register, memory_base(), 0), addi(amount_register, 0, stride),
            with_field(word, 20, 5, amount_register)};
  }
  // The indices come from their table, loaded in the same configuration; empty if that is not legal.
  std::vector<std::uint32_t> indexed(std::uint32_t word) {
    const unsigned width = word >> 12 & 7, log2 = width == 0 ? 0 : width - 4;
    const std::uint32_t load = 0x02000007 | width << 12 | table_register << 15 | (word >> 20 & 31) << 7;
    if (!is_legal(load)) return {};
    return {addi(table_register, x_tables, std::uint64_t{index_table_bytes} * log2 - 2 * index_table_bytes),
            load, addi(address_register, memory_base(), below(900)), word};
  }

  void add_jump(std::vector<Item>& made, unsigned depth) {
    const bool known = known_;
    const auto vtype = model_->vtype, vl = model_->vl;
    Item item{.kind = Item::Kind::branch, .body = items(1 + below(4), depth + 1)};
    if (model_->vtype != vtype || model_->vl != vl) known_ = false;  // depends on the branch
    const Row& row = *any(families_.branches);
    if (below(5) == 0 && 4 * encode(item.body).size() < short_reach) {
      constexpr std::uint32_t jumps[] = {0xa001, 0xc001, 0xe001};
      item.words = {jumps[below(3)] | (random_.bits() & 7) << 7};
      if (item.words[0] >> 13 == 5) item.words[0] = 0xa001;
    } else if (row.mnemonic == "jal") {
      item.words = {0x6f | writable() << 7};
    } else if (row.mnemonic == "jalr") {
      item.kind = Item::Kind::jump;
      item.words = {0x17 | address_register << 7, 0x67 | writable() << 7 | address_register << 15};
    } else {
      item.words = {with_field(with_field(row.match, 15, 5, below(32)), 20, 5, below(32))};
    }
    known_ = known_ && known;
    made.push_back(std::move(item));
  }

  void add_loop(std::vector<Item>& made, unsigned depth) {
    known_ = false;  // the second time round it is what the body leaves
    made.push_back({.kind = Item::Kind::loop,
                    .body = items(1 + below(6), depth + 1),
                    .times = static_cast<unsigned>(1 + below(4)),
                    .counter = first_counter + depth});
  }

  // Made on first use: the tables are complete only when main runs.
  static const Families& families() {
    static const Families all;
    return all;
  }

  const Families& families_ = families();
  Random random_;
  std::unique_ptr<isa::Hart> model_;  // its vector configuration is the program's at this point
  bool known_ = true;                 // unless it depends on a branch
  Program program_;
};

}  // namespace

Program generate(std::uint64_t seed, std::uint64_t number, unsigned vlen_bits) {
  return Generator(seed, number, vlen_bits).make();
}

}  // namespace dojo::differ
