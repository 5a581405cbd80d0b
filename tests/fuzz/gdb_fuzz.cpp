// Arbitrary bytes from whoever connects to the gdb server: every one is taken in, everything is answered, and
// a small program on two nodes is stepped, read and written along the way.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "debug/packet.h"
#include "debug/stub.h"
#include "machine/machine.h"
#include "system/computer.h"
#include "system/program.h"

namespace {

using namespace dojo;

constexpr std::uint64_t base = 0x1000, header_bytes = 64, segment_bytes = 56;

// Some loads, stores and vectors in a loop, then the end.
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

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto machine = machine::read_machine("d1");
  static const system::Program small = program();
  static system::Computer computer(machine, 2);
  system::LaunchOptions options;
  options.timing = false;
  options.host_threads = 1;
  options.max_instructions = 2000;  // a changed pc may lead into an endless loop
  options.lead = [&](system::Stepping& stepping) {
    debug::Stub stub(stepping, [] { return false; }, [](std::string_view) {});
    talk(stub, {reinterpret_cast<const char*>(data), size});
    stepping.interrupt();
  };
  computer.launch(small, 0, 0, options);
  return 0;
}
