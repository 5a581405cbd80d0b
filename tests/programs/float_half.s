# Does FP16 compute, round and convert as FP32 does, with eleven bits?
  .globl main
main:
  la t0, numbers
  flh fa0, 0(t0)                # 2048
  flh fa1, 2(t0)                # 1
  flh fa2, 4(t0)                # the largest
  fadd.h fa3, fa0, fa1          # a tie: 2048
  fmv.x.h a0, fa3
  show a0                       #> 0000000000006800
  fadd.h fa3, fa0, fa1, rup     # 2050
  show_double fa3               #> ffffffffffff6801
  fadd.h fa3, fa2, fa2
  fmv.x.h a0, fa3
  show a0                       #> 0000000000007c00
  fcvt.s.h fa4, fa2             # 65504
  show_single fa4               #> 477fe000
  fcvt.h.w fa5, t0              # an address is beyond it
  fclass.h a0, fa5
  show a0                       #> 0000000000000080
  flw fa6, 8(t0)                # 2^-25 and a little: the smallest number
  fcvt.h.s fa7, fa6
  fmv.x.h a0, fa7
  show a0                       #> 0000000000000001
  flh fa7, 6(t0)
  fmv.x.h a0, fa7               # sign-extended
  show a0                       #> ffffffffffff8001
  li a0, 0
  ret

  .section .rodata
  .balign 8
numbers:
  .half 0x6800, 0x3c00, 0x7bff, 0x8001
  .word 0x33000001
