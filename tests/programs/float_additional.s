# What do Zfa's constants, roundings and comparisons give?
# oracle: spike
  .globl main
main:
  .option arch, +zfa
  fli.d fa0, 0.5
  show_double fa0               #> 3fe0000000000000
  fli.s fa0, min                # the smallest normal number
  show_single fa0               #> 00800000
  fli.s fa0, nan
  show_single fa0               #> 7fc00000
  la t0, numbers
  fld fa0, 0(t0)                # -2.5
  fsflags zero
  fround.d fa1, fa0, rne
  show_double fa1               #> c000000000000000
  frflags a0                    # it is not inexact
  show a0                       #> 0000000000000000
  froundnx.d fa1, fa0, rdn
  show_double fa1               #> c008000000000000
  frflags a0                    # and this one is
  show a0                       #> 0000000000000001
  fld fa2, 8(t0)                # a quiet NaN
  fsflags zero
  fltq.d a0, fa0, fa2
  show a0                       #> 0000000000000000
  frflags a0
  show a0                       #> 0000000000000000
  fminm.d fa3, fa0, fa2         # a NaN wins
  show_double fa3               #> 7ff8000000000000
  fld fa4, 16(t0)               # 2^32 + 3, modulo 2^32
  fcvtmod.w.d a0, fa4, rtz
  show a0                       #> 0000000000000003
  li a0, 0
  ret

  .section .rodata
  .balign 8
numbers:
  .double -2.5
  .dword 0x7ff8000000000001
  .double 4294967299
