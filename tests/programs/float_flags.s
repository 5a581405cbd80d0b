# Does every operation raise the flags of its own, and do they stay up until they are taken down?
  .globl main
main:
  la t0, numbers
  fld fa0, 0(t0)                # 1
  fld fa1, 8(t0)                # 3
  fld fa2, 16(t0)               # the largest
  fld fa3, 24(t0)               # the smallest that is normal
  fld fa4, 32(t0)               # a signalling NaN
  fmv.d.x fa5, zero
  fsflags zero
  fadd.d fa6, fa0, fa1          # exact: none
  frflags a0
  show a0                       #> 0000000000000000
  fdiv.d fa6, fa0, fa1          # NX
  frflags a0
  show a0                       #> 0000000000000001
  fsflags zero
  fdiv.d fa6, fa0, fa5          # DZ
  frflags a0
  show a0                       #> 0000000000000008
  fsflags zero
  fmul.d fa6, fa2, fa1          # OF NX
  frflags a0
  show a0                       #> 0000000000000005
  fsflags zero
  fdiv.d fa6, fa3, fa1          # UF NX
  frflags a0
  show a0                       #> 0000000000000003
  fsflags zero
  fmul.d fa6, fa3, fa3          # UF NX
  fdiv.d fa7, fa5, fa5          # and NV
  frflags a0
  show a0                       #> 0000000000000013
  fsflags zero
  fadd.d fa6, fa4, fa0          # NV: signalling
  show_double fa6               #> 7ff8000000000000
  frflags a0
  show a0                       #> 0000000000000010
  fsflags zero
  feq.d a0, fa6, fa0            # a quiet NaN: none
  frflags a0
  show a0                       #> 0000000000000000
  flt.d a0, fa6, fa0            # NV
  fsflags a0, zero              # takes them down and answers what was up
  show a0                       #> 0000000000000010
  fcvt.wu.d a0, fa6             # a NaN to a whole number: the largest, NV
  show a0                       #> ffffffffffffffff
  frflags a0
  show a0                       #> 0000000000000010
  fsqrt.d fa6, fa1
  csrr a0, fcsr                 # NV stays up beside NX; frm is above them
  show a0                       #> 0000000000000011
  li a0, 0
  ret

  .section .rodata
  .balign 8
numbers:
  .double 1, 3
  .dword 0x7fefffffffffffff, 0x0010000000000000, 0x7ff0000000000001
