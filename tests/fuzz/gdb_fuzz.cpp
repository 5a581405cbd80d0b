// Arbitrary bytes from whoever connects to the gdb server: every one is taken in, everything is answered, and
// a small program on two nodes is stepped, read and written along the way. The length of the input decides
// whether cycles are counted.
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "debug/packet.h"
#include "debug/stub.h"
#include "machine/machine.h"
#include "put_instruction.h"
#include "system/computer.h"
#include "system/program.h"

namespace {

using namespace dojo;
using fuzz::Numbers;

constexpr std::uint64_t base = 0x1000, data_address = 0x8000, header_bytes = 64, segment_bytes = 56;

// Some loads, stores and vectors in a loop, then the end. What follows is reached by who changes the pc: one
// of each kind that watches memory or leaves the block loop.
constexpr std::uint32_t code[] = {
    0x0d157557,  // vsetvli a0, a0, e32, m2, ta, ma
    0x00100313,  // li t1, 1
    0x000083b7,  // lui t2, 8
    0x0063b023,  // sd t1, 0(t2)
    0x0003be03,  // ld t3, 0(t2)
    0x0203e407,  // vle32.v v8, (t2)
    0x0203e427,  // vse32.v v8, (t2)
    0x00130313,  // addi t1, t1, 1
    0x03200e93,  // li t4, 50
    0xffd344e3,  // blt t1, t4, -24
    0x05d00893,  // li a7, 93
    0x00000073,  // ecall
    0x0063b5af,  // amoadd.d a1, t1, (t2)
    0x1003b5af,  // lr.d a1, (t2)
    0x1863b5af,  // sc.d a1, t1, (t2)
    0x0003b507,  // fld fa0, 0(t2)
    0x00a3a227,  // fsw fa0, 4(t2)
    0x0a63d407,  // vlse16.v v8, (t2), t1
    0x05038407,  // vluxei8.v v8, (t2), v16, v0.t
    0x42038427,  // vsseg3e8.v v8, (t2)
    0x0303e407,  // vle32ff.v v8, (t2)
    0x02b38407,  // vlm.v v8, (t2)
    0x62838427,  // vs4r.v v8, (t2)
    0x53d3f007,  // sf.vlte32 t4, (t2)
    0xc00025f3,  // rdcycle a1
    0xf9ee8e0b,  // dj.put t3, t4, t5, t6
    0xfbee8e0b,  // dj.get t3, t4, t5, t6
    0x01ee900b,  // dj.signal t4, t5
    0x03e3900b,  // dj.wait t2, t5
    0x0400100b,  // dj.quiet
    0x007f200b,  // dj.mark t5, 7
    0x05059002,  // c.ebreak; c.addi a0, 1
    0x000305e7,  // jalr a1, 0(t1)
};

template <typename Value>
void put(std::vector<std::byte>& bytes, std::size_t at, Value value) {
  if (bytes.size() < at + sizeof value) bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

system::Program program() {
  std::vector<std::byte> elf(header_bytes + segment_bytes);
  constexpr unsigned char ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  std::memcpy(elf.data(), ident, sizeof ident);
  put<std::uint16_t>(elf, 16, 2);    // executable
  put<std::uint16_t>(elf, 18, 243);  // RISC-V
  put<std::uint32_t>(elf, 20, 1);
  put<std::uint64_t>(elf, 24, base);
  put<std::uint64_t>(elf, 32, header_bytes);
  put<std::uint16_t>(elf, 54, segment_bytes);
  put<std::uint16_t>(elf, 56, 1);
  put<std::uint32_t>(elf, header_bytes, 1);      // load
  put<std::uint32_t>(elf, header_bytes + 4, 5);  // read and execute
  put<std::uint64_t>(elf, header_bytes + 8, elf.size());
  put<std::uint64_t>(elf, header_bytes + 16, base);
  put<std::uint64_t>(elf, header_bytes + 32, sizeof code);
  put<std::uint64_t>(elf, header_bytes + 40, sizeof code);
  const std::size_t at = elf.size();
  elf.resize(at + sizeof code);
  std::memcpy(elf.data() + at, code, sizeof code);
  return system::Program::parse(elf, "fuzz.elf");
}

std::string hex_number(Numbers& numbers) {
  return fmt::format("{:x}", numbers.below(8) == 0 ? numbers.next() : numbers.below(40));
}

std::uint64_t any_address(Numbers& numbers) {
  switch (numbers.below(4)) {
    case 0:
      return base + 2 * numbers.below(2 * std::size(code) + 2);
    case 1:
      return std::uint64_t{numbers.below(3)} << 40 | (data_address + 8 * numbers.below(16));
    case 2:
      return data_address + numbers.below(64);
    default:
      return numbers.next() >> numbers.below(64);
  }
}

std::string hex_bytes(Numbers& numbers, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(numbers.next());
  return debug::to_hex(bytes);
}

// What a register may be set to: the width of most, of a vector register, of a tile.
std::string hex_value(Numbers& numbers) {
  const std::uint64_t kind = numbers.below(8);
  if (kind < 2) return hex_bytes(numbers, kind == 0 ? 64 : 1024);
  const std::uint64_t word = kind == 2 ? numbers.below(300) : any_address(numbers);
  return debug::to_hex({reinterpret_cast<const char*>(&word), sizeof word});
}

// '%' and a letter stand for: register, value, address, number, thread, signal, kind of point, bytes with
// their address.
constexpr std::string_view shapes[] = {
    "?",
    "g",
    "G%v%v%v",
    "p%r",
    "P%r=%v",
    "P%r=%v",
    "P20=%v",
    "m%a,%n",
    "M%b",
    "Z%k,%a,%n",
    "Z%k,%a,%n",
    "z%k,%a,%n",
    "c",
    "s",
    "C%s",
    "S%s",
    "vCont;c",
    "vCont;s:%t;c",
    "vCont;s:%t",
    "vCont;S%s:%t;t:%t;c",
    "vCont;C%s:%t;c:%t",
    "Hg%t",
    "Hc%t",
    "T%t",
    "qThreadExtraInfo,%t",
    "qXfer:features:read:target.xml:%n,%n",
    "qXfer:threads:read::%n,%n",
    "qRcmd,6379636c6573",              // cycles
    "qRcmd,696e737472756374696f6e73",  // instructions
    "qRcmd,68657265",                  // here
    "qRcmd,7768657265",                // where
};

std::string fill_in(char letter, Numbers& numbers) {
  switch (letter) {
    case 'r':
      return fmt::format("{:x}", numbers.below(160));
    case 'v':
      return hex_value(numbers);
    case 'a':
      return fmt::format("{:x}", any_address(numbers));
    case 't':
      return numbers.below(4) == 0 ? "-1" : fmt::format("{:x}", numbers.below(8));
    case 's':
      return fmt::format("{:02x}", numbers.below(32));
    case 'k':
      return fmt::format("{}", numbers.below(5));
    case 'b': {
      const std::size_t count = numbers.below(40);
      return fmt::format("{:x},{:x}:{}", any_address(numbers), count, hex_bytes(numbers, count));
    }
    default:
      return hex_number(numbers);
  }
}

std::string any_packet(Numbers& numbers) {
  const std::string_view shape = shapes[numbers.below(std::size(shapes))];
  std::string packet;
  for (std::size_t i = 0; i < shape.size(); ++i)
    packet += shape[i] == '%' ? fill_in(shape[++i], numbers) : std::string(1, shape[i]);
  return numbers.below(4) == 0 ? debug::to_frame(packet) : packet + '\n';
}

// Everything that was received, packet by packet, as the server does it. What is no frame is also tried as a
// bare payload: mutations seldom get the sum right.
void talk(debug::Stub& stub, std::string_view received) {
  while (!received.empty() && !stub.over()) {
    const debug::Frame frame = debug::first_frame(received);
    std::string_view payload = frame.payload;
    std::size_t taken = frame.bytes;
    if (frame.kind != debug::FrameKind::packet) {
      taken = std::min(received.find('\n'), received.size() - 1) + 1;
      payload = received.substr(0, received.find('\n'));
    }
    const std::string answer = debug::to_frame(stub.answer(payload));
    const debug::Frame back = debug::first_frame(answer);
    if (back.kind != debug::FrameKind::packet || back.bytes != answer.size()) std::abort();
    received.remove_prefix(taken);
  }
}

}  // namespace

// Half of the mutations put in a packet that can be understood, for bytes alone seldom become one; the others
// are libFuzzer's own.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  Numbers numbers(seed);
  const std::string packet = any_packet(numbers);
  if (numbers.below(2) == 0 || size + packet.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::size_t at = numbers.below(size + 1);
  while (at > 0 && data[at - 1] != '\n') --at;
  std::memmove(data + at + packet.size(), data + at, size - at);
  std::memcpy(data + at, packet.data(), packet.size());
  return size + packet.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto machine = machine::read_machine(DOJO_SOURCE_DIR "/machines/d1.toml");
  static const system::Program small = program();
  static system::Computer computer(machine, 2);
  system::LaunchOptions options;
  options.host.timing = size % 2 == 0;
  options.host.threads = 1;
  options.max_instructions = 2000;  // a changed pc may lead into an endless loop
  options.debugger = [&](system::Debuggee& debuggee) {
    debug::Stub stub(debuggee, [] { return false; }, [](std::string_view) {});
    talk(stub, {reinterpret_cast<const char*>(data), size});
    debuggee.interrupt();
  };
  computer.launch(small, 0, 0, options);
  return 0;
}
