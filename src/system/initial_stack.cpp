#include "system/initial_stack.h"

#include <cstring>
#include <vector>

#include "base/error.h"

namespace dojo::system {

namespace {

// Keys of the auxiliary vector (Linux, include/uapi/linux/auxvec.h).
enum Auxiliary : std::uint64_t {
  at_null = 0,
  at_phdr = 3,
  at_phent = 4,
  at_phnum = 5,
  at_pagesz = 6,
  at_entry = 9,
  at_uid = 11,
  at_euid = 12,
  at_gid = 13,
  at_egid = 14,
  at_hwcap = 16,
  at_clktck = 17,
  at_secure = 23,
  at_random = 25,
};

// One bit per letter of the ISA, A = bit 0: I M A F D C V.
constexpr std::uint64_t isa_letters = 1u << ('i' - 'a') | 1u << ('m' - 'a') | 1u << 0 | 1u << ('f' - 'a') |
                                      1u << 3 | 1u << 2 | 1u << ('v' - 'a');
constexpr std::uint64_t header_bytes = 56, page_bytes = 4096, clock_ticks = 100;
// Libraries make stack guards of them. The same in every run, as everything else.
constexpr char random_bytes[17] = "nodes are not r.";

}  // namespace

std::uint64_t write_initial_stack(const isa::Memory& memory, std::uint64_t end, std::uint64_t stack_bytes,
                                  const Program& program, std::span<const std::string> arguments) {
  std::string texts(random_bytes, 16);
  std::vector<std::uint64_t> text_offsets;
  for (const std::string& argument : arguments) {
    text_offsets.push_back(texts.size());
    texts.append(argument.c_str(), argument.size() + 1);
  }
  const std::uint64_t texts_begin = (end - texts.size()) / 16 * 16;

  std::vector<std::uint64_t> words{arguments.size()};
  for (const std::uint64_t offset : text_offsets) words.push_back(texts_begin + offset);
  words.insert(words.end(), {0, 0});  // the ends of argv and of an empty envp
  const auto [headers, header_count] = program.headers();
  words.insert(words.end(), {at_phdr,   headers,
                             at_phent,  header_bytes,
                             at_phnum,  header_count,
                             at_pagesz, page_bytes,
                             at_entry,  program.entry(),
                             at_uid,    0,
                             at_euid,   0,
                             at_gid,    0,
                             at_egid,   0,
                             at_hwcap,  isa_letters,
                             at_clktck, clock_ticks,
                             at_secure, 0,
                             at_random, texts_begin,
                             at_null,   0});
  const std::uint64_t bytes = words.size() * sizeof(std::uint64_t);
  const std::uint64_t sp = (texts_begin - bytes) / 16 * 16;
  if (texts.size() + bytes > stack_bytes / 2)
    refuse("arguments", "take {} bytes, more than half of the program's stack of {}", texts.size() + bytes,
           stack_bytes);
  std::byte* at = memory.writable(sp, end - sp);
  DOJO_ENSURE(at != nullptr);
  std::memcpy(at, words.data(), bytes);
  std::memcpy(at + (texts_begin - sp), texts.data(), texts.size());
  return sp;
}

}  // namespace dojo::system
