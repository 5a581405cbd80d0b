#include "isa/extensions.h"

#include <fmt/format.h>

namespace dojo::isa {
namespace {

constexpr std::string_view always = always_in_qemu, no = not_in_qemu;
constexpr bool yes = true, on_request = false;

// clang-format off
constexpr Extension table[] = {
  // name          llvm            qemu            compiled    meaning
  {"I",            "i",            always,         yes,        "64-bit integers"},
  {"M",            "m",            always,         yes,        "multiplication and division"},
  {"A",            "a",            always,         yes,        "atomic memory operations"},
  {"F",            "f",            always,         yes,        "FP32"},
  {"D",            "d",            always,         yes,        "FP64"},
  {"C",            "c",            always,         yes,        "16-bit spellings"},
  {"V",            "v",            "v=true,vext_spec=v1.0,elen=64", yes, "vectors; 512 bits, or what the machine file says"},
  {"B",            "b",            always,         on_request, "Zba, Zbb and Zbs"},
  {"Zicsr",        "zicsr",        always,         yes,        "control and status registers"},
  {"Zifencei",     "zifencei",     always,         yes,        "fence.i: code that was written may be run"},
  {"Zicntr",       "zicntr",       always,         on_request, "cycle, time, instret: readable in every mode"},
  {"Zihpm",        "zihpm",        always,         on_request, "hpmcounter3 to 31: there, and zero"},
  {"Zicond",       "zicond",       no,             on_request, "a value or zero"},
  {"Zimop",        "zimop",        no,             on_request, "may-be-operations: write zero to rd"},
  {"Zcmop",        "zcmop",        no,             on_request, "the same in 16 bits: do nothing"},
  {"Zmmul",        "zmmul",        always,         on_request, "M without division"},
  {"Zaamo",        "zaamo",        always,         on_request, "A's read-modify-write"},
  {"Zalrsc",       "zalrsc",       always,         on_request, "A's load-reserved and store-conditional"},
  {"Zawrs",        "zawrs",        no,             on_request, "waiting on a reservation: over at once"},
  {"Zihintntl",    "zihintntl",    always,         on_request, "HINTs about locality (add to x0): nothing to do"},
  {"Zihintpause",  "zihintpause",  always,         on_request, "pause: a fence, after which other threads have their turn"},
  {"Zicbom",       "zicbom",       no,             on_request, "cbo.clean, flush, inval: there is no cache, so they check the access and order it as a fence does"},
  {"Zicbop",       "zicbop",       no,             on_request, "prefetches: HINTs, an ALU slot"},
  {"Zicboz",       "zicboz",       no,             on_request, "cbo.zero: 64 zeros through the vector store port"},
  {"Zic64b",       "zic64b",       no,             on_request, "cache blocks are 64 bytes, aligned"},
  {"Ziccamoa",     "ziccamoa",     no,             on_request, "SRAM takes all atomics of A"},
  {"Ziccif",       "ziccif",       no,             on_request, "instructions are fetched whole"},
  {"Zicclsm",      "zicclsm",      no,             on_request, "misaligned loads and stores work, at full speed"},
  {"Ziccrse",      "ziccrse",      no,             on_request, "lr/sc loops make progress"},
  {"Za64rs",       "za64rs",       no,             on_request, "a reservation holds no more than 64 bytes: here the word itself"},
  {"Zkt",          "zkt",          "zkt=true",     on_request, "no instruction takes longer for some values, division neither"},
  {"Zba",          "zba",          "zba=true",     yes,        "address arithmetic"},
  {"Zbb",          "zbb",          "zbb=true",     yes,        "bit counting, rotation, minimum"},
  {"Zbc",          "zbc",          "zbc=true",     on_request, "carry-less products"},
  {"Zbs",          "zbs",          "zbs=true",     yes,        "single bits"},
  {"Zca",          "zca",          always,         on_request, "C without floating point"},
  {"Zcb",          "zcb",          no,             on_request, "more 16-bit spellings"},
  {"Zcd",          "zcd",          always,         on_request, "C's FP64 loads and stores"},
  {"Zfa",          "zfa",          no,             on_request, "constants, rounding, quiet comparisons"},
  {"Zfhmin",       "zfhmin",       "Zfhmin=true",  yes,        "FP16: conversion only"},
  {"Zfh",          "zfh",          "Zfh=true",     yes,        "FP16"},
  {"Zfbfmin",      "zfbfmin",      no,             yes,        "BF16: conversion only"},
  {"Zve32x",       "zve32x",       always,         on_request, "part of V"},
  {"Zve32f",       "zve32f",       always,         on_request, "part of V"},
  {"Zve64x",       "zve64x",       always,         on_request, "part of V"},
  {"Zve64f",       "zve64f",       always,         on_request, "part of V"},
  {"Zve64d",       "zve64d",       always,         on_request, "part of V"},
  {"Zvl32b",       "zvl32b",       always,         on_request, "vectors of 32 bits or more"},
  {"Zvl64b",       "zvl64b",       always,         on_request, "vectors of 64 bits or more"},
  {"Zvl128b",      "zvl128b",      always,         on_request, "vectors of 128 bits or more"},
  {"Zvkb",         "zvkb",         no,             on_request, "part of Zvbb: what ciphers need"},
  {"Zvbb",         "zvbb",         no,             on_request, "vectors of integers: bits reversed, counted, rotated"},
  {"Zvfhmin",      "zvfhmin",      always,         on_request, "vectors of FP16: conversion only"},
  {"Zvfh",         "zvfh",         always,         yes,        "vectors of FP16"},
  {"Zvfbfmin",     "zvfbfmin",     no,             yes,        "vectors of BF16: conversion only"},
  {"Zvfbfwma",     "zvfbfwma",     no,             yes,        "vectors of BF16: products added up in FP32"},
  {"Zvkt",         "zvkt",         no,             on_request, "the same of vectors"},
  {"XSfmm",        "xsfmmbase",    no,             yes,        "SiFive's tiles"},
  {"XSfmm",        "xsfmm16t",     no,             yes,        "tiles of 16 rows"},
  {"XSfmm",        "xsfmm32a8i",   no,             on_request, "8-bit integers: llvm-mc's name for instructions that also XSfmm32a8f has"},
  {"XSfmm",        "xsfmm32a8f",   no,             yes,        "FP8 into FP32"},
  {"XSfmm",        "xsfmm32a16f",  no,             yes,        "FP16 and BF16 into FP32"},
  {"XSfmm",        "xsfmm32a32f",  no,             yes,        "FP32 into FP32"},
  {"XSfmm",        "xsfmm64a64f",  no,             on_request, "FP64 into FP64"},
};
// clang-format on

}  // namespace

std::span<const Extension> extensions() { return table; }

bool is_in_qemu(std::string_view row_extension) {
  for (const Extension& extension : table)
    if (extension.name == row_extension) return extension.qemu != not_in_qemu;
  return false;
}

std::string llvm_attributes() {
  std::string text;
  for (const Extension& extension : table)
    text += fmt::format("{}+{}", text.empty() ? "" : ",", extension.llvm);
  return text;
}

std::string compiled_architecture(unsigned vlen_bits) {
  std::string text = "rv64";
  for (const Extension& extension : table)
    if (extension.compiled)
      text += fmt::format("{}{}", extension.llvm.size() == 1 ? "" : "_", extension.llvm);
  return text + fmt::format("_zvl{}b", vlen_bits);
}

std::string qemu_processor(unsigned vlen_bits) {
  std::string text = fmt::format("rv64,vlen={}", vlen_bits);
  for (const Extension& extension : table)
    if (extension.qemu != always_in_qemu && extension.qemu != not_in_qemu)
      text += fmt::format(",{}", extension.qemu);
  return text;
}

}  // namespace dojo::isa
