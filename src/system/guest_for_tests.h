// Builds small node programs from source text with clang-22, for tests.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/command.h"
#include "system/program.h"

namespace dojo::system {

// What a program needs before its own text: exit, write, and Xdojo through device/xdojo.h. `program` is the
// body of uint64_t run(uint64_t thread), whose value is the exit code; `before` holds its globals and
// functions.
inline std::string guest_source(std::string_view before, std::string_view program) {
  return fmt::format(R"(
#include "{}/device/xdojo.h"
static uint64_t system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {{
  register uint64_t a7 asm("a7") = number, a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c;
  asm volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
  return a0;
}}
static uint64_t csr_node() {{ uint64_t v; asm volatile("csrr %0, 0xcc0" : "=r"(v)); return v; }}
static uint64_t csr_nodes() {{ uint64_t v; asm volatile("csrr %0, 0xcc1" : "=r"(v)); return v; }}
static uint64_t at(uint64_t endpoint, const void* local) {{ return dojo_global(endpoint, (uint64_t)local); }}
static uint64_t hbm(uint64_t d, uint64_t offset) {{ return dojo_hbm(d, offset); }}
static uint64_t address(const volatile void* local) {{ return (uint64_t)local; }}
{}
static uint64_t run(uint64_t thread) {{ (void)thread; {} }}
extern "C" void _start(uint64_t thread) {{ system_call(93, run(thread), 0, 0); __builtin_unreachable(); }}
)",
                     DOJO_SOURCE_DIR, before, program);
}

// Compiles and links C++ text to the bytes of an ELF file. `flags` go to the command line as they are.
inline std::vector<std::byte> build_guest(const std::string& source, std::string_view flags = "") {
  const TemporaryFolder folder("dojo-guest");
  write_text(folder.path() / "guest.cpp", source);
  const Said said = shell_in(
      folder.path(),
      fmt::format(
          "clang-22 --target=riscv64-unknown-elf -march=rv64gcv_zvl512b -mno-relax -O1 -nostdlib -static "
          "-fuse-ld=lld -ffreestanding -Wl,--image-base=0x1000 {} -o guest.elf guest.cpp",
          flags));
  if (said.exit_code != 0) refuse("clang-22", "could not build a test's program: {}", said.errors);
  return read_file(folder.path() / "guest.elf");
}

inline Program guest(std::string_view before, std::string_view program, std::string_view flags = "") {
  return Program::parse(build_guest(guest_source(before, program), flags), "guest");
}

}  // namespace dojo::system
