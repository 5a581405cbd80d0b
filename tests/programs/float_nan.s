# What becomes of NaNs, of signed zeros, and of FP32 numbers that are not boxed?
  .globl main
main:
  la t0, numbers
  flw fa0, 0(t0)                # a quiet NaN with a payload
  flw fa1, 4(t0)                # 1
  flw fa2, 8(t0)                # -0
  fmv.w.x fa3, zero
  fadd.s fa4, fa0, fa1          # canonical
  show_double fa4               #> ffffffff7fc00000
  fmin.s fa4, fa0, fa1          # the other operand
  show_single fa4               #> 3f800000
  fmax.s fa4, fa0, fa0
  show_single fa4               #> 7fc00000
  fmin.s fa4, fa3, fa2          # -0 is less than 0
  show_single fa4               #> 80000000
  fmax.s fa4, fa2, fa3
  show_single fa4               #> 00000000
  feq.s a0, fa2, fa3
  show a0                       #> 0000000000000001
  fsgnj.s fa4, fa0, fa2         # moves bits: the payload stays
  show_single fa4               #> ffc12345
  fclass.s a0, fa0
  show a0                       #> 0000000000000200
  fclass.s a0, fa2
  show a0                       #> 0000000000000008
  li t1, 0x3f800000             # FP32's 1 without the ones above it: a NaN
  fmv.d.x fa5, t1
  fadd.s fa4, fa5, fa1
  show_single fa4               #> 7fc00000
  fclass.s a0, fa5
  show a0                       #> 0000000000000200
  fmv.x.w a0, fa5               # but its bits can be had
  show a0                       #> 000000003f800000
  fcvt.d.s fa4, fa0
  show_double fa4               #> 7ff8000000000000
  li a0, 0
  ret

  .section .rodata
  .balign 4
numbers:
  .word 0x7fc12345, 0x3f800000, 0x80000000
