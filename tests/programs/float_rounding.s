# Does every rounding mode round its way, be it in frm or in the instruction?
  .globl main
main:
  li t0, 1
  li t1, 3
  fcvt.d.w fa0, t0
  fcvt.d.w fa1, t1
  fneg.d fa2, fa0
  fdiv.d fa3, fa0, fa1, rne
  show_double fa3               #> 3fd5555555555555
  fdiv.d fa3, fa0, fa1, rtz
  show_double fa3               #> 3fd5555555555555
  fdiv.d fa3, fa0, fa1, rdn
  show_double fa3               #> 3fd5555555555555
  fdiv.d fa3, fa0, fa1, rup
  show_double fa3               #> 3fd5555555555556
  fdiv.d fa3, fa2, fa1, rdn
  show_double fa3               #> bfd5555555555556
  fdiv.d fa3, fa2, fa1, rup
  show_double fa3               #> bfd5555555555555

  la t0, half                   # 2.5 to whole numbers
  fld fa4, 0(t0)
  fsrmi zero, 0                 # to nearest, ties to even
  fcvt.w.d a0, fa4
  show a0                       #> 0000000000000002
  fsrmi zero, 1                 # towards zero
  fcvt.w.d a0, fa4
  show a0                       #> 0000000000000002
  fsrmi zero, 2                 # down
  fcvt.w.d a0, fa4
  show a0                       #> 0000000000000002
  fsrmi zero, 3                 # up
  fcvt.w.d a0, fa4
  show a0                       #> 0000000000000003
  fsrmi zero, 4                 # to nearest, ties away from zero
  fcvt.w.d a0, fa4
  show a0                       #> 0000000000000003
  fneg.d fa4, fa4
  fcvt.w.d a0, fa4
  show a0                       #> fffffffffffffffd
  fcvt.w.d a0, fa4, rdn         # the instruction's own mode counts
  show a0                       #> fffffffffffffffd

  fsrmi zero, 3
  fld fa5, 8(t0)                # half of the smallest number of FP32, upwards
  fcvt.s.d fa5, fa5
  show_single fa5               #> 00000001
  fld fa5, 16(t0)               # more than the largest one
  fcvt.s.d fa6, fa5
  show_single fa6               #> 7f800000
  fcvt.s.d fa6, fa5, rtz
  show_single fa6               #> 7f7fffff
  li a0, 0
  ret

  .section .rodata
  .balign 8
half:
  .double 2.5
  .dword 0x3690000000000000     # 2^-150
  .double 1e39
