# Do conversions to whole numbers stop at the ends of their range, and those from them round?
  .globl main
main:
  la t0, numbers
  fld fa0, 0(t0)                # 1e20
  fld fa1, 8(t0)                # -1.5
  fld fa2, 16(t0)               # minus infinity
  fcvt.w.d a0, fa0
  show a0                       #> 000000007fffffff
  fcvt.wu.d a0, fa0             # sign-extended
  show a0                       #> ffffffffffffffff
  fcvt.l.d a0, fa0
  show a0                       #> 7fffffffffffffff
  fcvt.lu.d a0, fa0
  show a0                       #> ffffffffffffffff
  fcvt.l.d a0, fa2
  show a0                       #> 8000000000000000
  fsflags zero
  fcvt.lu.d a0, fa1, rtz        # below zero: 0 and NV
  show a0                       #> 0000000000000000
  frflags a0
  show a0                       #> 0000000000000010
  fsflags zero
  fld fa3, 24(t0)
  fcvt.lu.d a0, fa3, rtz        # -0.5 becomes 0, inexact alone
  show a0                       #> 0000000000000000
  frflags a0
  show a0                       #> 0000000000000001
  li t1, 0x7fffffffffffffff
  fcvt.s.l fa4, t1
  show_single fa4               #> 5f000000
  fcvt.s.l fa4, t1, rtz
  show_single fa4               #> 5effffff
  li t1, -1
  fcvt.d.lu fa4, t1
  show_double fa4               #> 43f0000000000000
  fcvt.d.wu fa4, t1
  show_double fa4               #> 41efffffffe00000
  li a0, 0
  ret

  .section .rodata
  .balign 8
numbers:
  .double 1e20, -1.5
  .dword 0xfff0000000000000
  .double -0.5
