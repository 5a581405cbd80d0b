# Is a fused multiply-add rounded once? (1 + 2^-30)^2 - 1 needs more bits than FP64's product keeps.
  .globl main
main:
  la t0, numbers
  fld fa0, 0(t0)
  fld fa1, 8(t0)
  fmul.d fa2, fa0, fa0
  fsub.d fa2, fa2, fa1
  show_double fa2               #> 3e20000000000000
  fmsub.d fa3, fa0, fa0, fa1
  show_double fa3               #> 3e20000000200000
  fnmadd.d fa4, fa0, fa0, fa1   # -(a b) - c
  show_double fa4               #> c000000000400000
  fnmsub.d fa5, fa0, fa0, fa1   # -(a b) + c
  show_double fa5               #> be20000000200000
  fsub.d fa6, fa3, fa2          # what the two roundings lost: 2^-60
  show_double fa6               #> 3c30000000000000
  fmv.d.x fa7, zero             # infinity times 0 is invalid even where a quiet NaN is added
  fld ft0, 16(t0)
  fld ft1, 24(t0)
  fsflags zero
  fmadd.d ft2, ft0, fa7, ft1
  frflags a0
  show a0                       #> 0000000000000010
  show_double ft2               #> 7ff8000000000000
  li a0, 0
  ret

  .section .rodata
  .balign 8
numbers:
  .dword 0x3ff0000000400000, 0x3ff0000000000000, 0x7ff0000000000000, 0x7ff8000000000001
