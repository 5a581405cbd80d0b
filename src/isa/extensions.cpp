#include "isa/extensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace dojo::isa {
namespace {

constexpr std::string_view always = always_in_qemu, no = not_in_qemu;
constexpr bool there = true, absent = false, yes = true, on_request = false;

// clang-format off
constexpr Extension table[] = {
  // name          llvm            qemu            Spike    compiled    meaning
  {"I",            "i",            always,         there,   yes,        "64-bit integers"},
  {"M",            "m",            always,         there,   yes,        "multiplication and division"},
  {"A",            "a",            always,         there,   yes,        "atomic memory operations"},
  {"F",            "f",            always,         there,   yes,        "FP32"},
  {"D",            "d",            always,         there,   yes,        "FP64"},
  {"C",            "c",            always,         there,   yes,        "16-bit spellings"},
  {"B",            "b",            always,         there,   on_request, "Zba, Zbb and Zbs"},
  {"V",            "v",            "v=true,vext_spec=v1.0,elen=64", there,   yes, "vectors; 512 bits, or what the machine file says"},
  {"Zicsr",        "zicsr",        always,         there,   yes,        "control and status registers"},
  {"Zifencei",     "zifencei",     always,         there,   yes,        "fence.i: code that was written may be run"},
  {"Zicntr",       "zicntr",       always,         there,   on_request, "cycle, time, instret: readable in every mode"},
  {"Zihpm",        "zihpm",        always,         there,   on_request, "hpmcounter3 to 31: there, and zero"},
  {"Zicond",       "zicond",       no,             there,   on_request, "a value or zero"},
  {"Zimop",        "zimop",        no,             there,   on_request, "may-be-operations: write zero to rd"},
  {"Zcmop",        "zcmop",        no,             there,   on_request, "the same in 16 bits: do nothing"},
  {"Zmmul",        "zmmul",        always,         there,   on_request, "M without division"},
  {"Zaamo",        "zaamo",        always,         there,   on_request, "A's read-modify-write"},
  {"Zalrsc",       "zalrsc",       always,         there,   on_request, "A's load-reserved and store-conditional"},
  {"Zawrs",        "zawrs",        no,             there,   on_request, "waiting on a reservation: over at once"},
  {"Zihintntl",    "zihintntl",    always,         there,   on_request, "HINTs about locality (add to x0): nothing to do"},
  {"Zihintpause",  "zihintpause",  always,         there,   on_request, "pause: a fence, after which other threads have their turn"},
  {"Zicbom",       "zicbom",       no,             there,   on_request, "cbo.clean, flush, inval: there is no cache, so they check the access and order it as a fence does"},
  {"Zicbop",       "zicbop",       no,             there,   on_request, "prefetches: HINTs, an ALU slot"},
  {"Zicboz",       "zicboz",       no,             there,   on_request, "cbo.zero: 64 zeros through the vector store port"},
  {"Zic64b",       "zic64b",       no,             absent,  on_request, "cache blocks are 64 bytes, aligned"},
  {"Ziccamoa",     "ziccamoa",     no,             absent,  on_request, "SRAM takes all atomics of A"},
  {"Ziccif",       "ziccif",       no,             there,   on_request, "instructions are fetched whole"},
  {"Zicclsm",      "zicclsm",      no,             there,   on_request, "misaligned loads and stores work, at full speed"},
  {"Ziccrse",      "ziccrse",      no,             absent,  on_request, "lr/sc loops make progress"},
  {"Za64rs",       "za64rs",       no,             absent,  on_request, "a reservation holds no more than 64 bytes: here the word itself"},
  {"Zkt",          "zkt",          "zkt=true",     there,   on_request, "no instruction takes longer for some values, division neither"},
  {"Zba",          "zba",          "zba=true",     there,   yes,        "address arithmetic"},
  {"Zbb",          "zbb",          "zbb=true",     there,   yes,        "bit counting, rotation, minimum"},
  {"Zbc",          "zbc",          "zbc=true",     there,   on_request, "carry-less products"},
  {"Zbs",          "zbs",          "zbs=true",     there,   yes,        "single bits"},
  {"Zca",          "zca",          always,         there,   on_request, "C without floating point"},
  {"Zcb",          "zcb",          no,             there,   on_request, "more 16-bit spellings"},
  {"Zcd",          "zcd",          always,         there,   on_request, "C's FP64 loads and stores"},
  {"Zfa",          "zfa",          no,             there,   on_request, "constants, rounding, quiet comparisons"},
  {"Zfhmin",       "zfhmin",       "Zfhmin=true",  there,   yes,        "FP16: conversion only"},
  {"Zfh",          "zfh",          "Zfh=true",     there,   yes,        "FP16"},
  {"Zfbfmin",      "zfbfmin",      no,             there,   yes,        "BF16: conversion only"},
  {"Zve32x",       "zve32x",       always,         there,   on_request, "part of V"},
  {"Zve32f",       "zve32f",       always,         there,   on_request, "part of V"},
  {"Zve64x",       "zve64x",       always,         there,   on_request, "part of V"},
  {"Zve64f",       "zve64f",       always,         there,   on_request, "part of V"},
  {"Zve64d",       "zve64d",       always,         there,   on_request, "part of V"},
  {"Zvl32b",       "zvl32b",       always,         there,   on_request, "vectors of 32 bits or more"},
  {"Zvl64b",       "zvl64b",       always,         there,   on_request, "vectors of 64 bits or more"},
  {"Zvl128b",      "zvl128b",      always,         there,   on_request, "vectors of 128 bits or more"},
  {"Zvkb",         "zvkb",         no,             there,   on_request, "part of Zvbb: what ciphers need"},
  {"Zvbb",         "zvbb",         no,             there,   on_request, "vectors of integers: bits reversed, counted, rotated"},
  {"Zvfhmin",      "zvfhmin",      always,         there,   on_request, "vectors of FP16: conversion only"},
  {"Zvfh",         "zvfh",         always,         there,   yes,        "vectors of FP16"},
  {"Zvfbfmin",     "zvfbfmin",     no,             there,   yes,        "vectors of BF16: conversion only"},
  {"Zvfbfwma",     "zvfbfwma",     no,             there,   yes,        "vectors of BF16: products added up in FP32"},
  {"Zvkt",         "zvkt",         no,             there,   on_request, "the same of vectors"},
  {"XSfmm",        "xsfmmbase",    no,             absent,  yes,        "SiFive's tiles"},
  {"XSfmm",        "xsfmm16t",     no,             absent,  yes,        "tiles of 16 rows"},
  {"XSfmm",        "xsfmm32a8i",   no,             absent,  on_request, "8-bit integers: llvm-mc's name for instructions that also XSfmm32a8f has"},
  {"XSfmm",        "xsfmm32a8f",   no,             absent,  yes,        "FP8 into FP32"},
  {"XSfmm",        "xsfmm32a16f",  no,             absent,  yes,        "FP16 and BF16 into FP32"},
  {"XSfmm",        "xsfmm32a32f",  no,             absent,  yes,        "FP32 into FP32"},
  {"XSfmm",        "xsfmm64a64f",  no,             absent,  on_request, "FP64 into FP64"},
};
// clang-format on

template <typename Chosen>
std::string architecture(unsigned vlen_bits, Chosen is_chosen) {
  std::string text = "rv64";
  for (const Extension& extension : table)
    if (is_chosen(extension))
      text += fmt::format("{}{}", extension.llvm.size() == 1 ? "" : "_", extension.llvm);
  return text + fmt::format("_zvl{}b", vlen_bits);
}

}  // namespace

std::span<const Extension> extensions() { return table; }

bool is_in_qemu(std::string_view row_extension) {
  const auto it = std::ranges::find(table, row_extension, &Extension::name);
  return it != std::end(table) && it->qemu != not_in_qemu;
}

bool is_in_spike(std::string_view row_extension) {
  const auto it = std::ranges::find(table, row_extension, &Extension::name);
  return it != std::end(table) && it->spike;
}

std::string llvm_attributes() {
  std::string text;
  for (const Extension& extension : table)
    text += fmt::format("{}+{}", text.empty() ? "" : ",", extension.llvm);
  return text;
}

std::string compiled_architecture(unsigned vlen_bits) {
  return architecture(vlen_bits, [](const Extension& extension) { return extension.compiled; });
}

std::string spike_architecture(unsigned vlen_bits) {
  return architecture(vlen_bits, [](const Extension& extension) { return extension.spike; });
}

std::string qemu_processor(unsigned vlen_bits) {
  std::string text = fmt::format("rv64,vlen={}", vlen_bits);
  for (const Extension& extension : table)
    if (extension.qemu != always_in_qemu && extension.qemu != not_in_qemu)
      text += fmt::format(",{}", extension.qemu);
  return text;
}

}  // namespace dojo::isa
