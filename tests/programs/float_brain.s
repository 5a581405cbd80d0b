# Is FP32 rounded to BF16 in each mode, once, and widened exactly?
# oracle: spike
  .globl main
main:
  la t0, numbers
  flw fa0, 0(t0)                # 1 + 2^-8: a tie
  fcvt.bf16.s fa1, fa0, rne
  show_double fa1               #> ffffffffffff3f80
  fcvt.bf16.s fa1, fa0, rtz
  show_double fa1               #> ffffffffffff3f80
  fcvt.bf16.s fa1, fa0, rdn
  show_double fa1               #> ffffffffffff3f80
  fcvt.bf16.s fa1, fa0, rup
  show_double fa1               #> ffffffffffff3f81
  fcvt.bf16.s fa1, fa0, rmm
  show_double fa1               #> ffffffffffff3f81
  fsflags zero
  flw fa0, 4(t0)                # the largest FP32: infinity, OF NX
  fcvt.bf16.s fa1, fa0
  show_double fa1               #> ffffffffffff7f80
  frflags a0
  show a0                       #> 0000000000000005
  fsflags zero
  flw fa0, 8(t0)                # a signalling NaN: canonical, NV
  fcvt.bf16.s fa1, fa0
  show_double fa1               #> ffffffffffff7fc0
  frflags a0
  show a0                       #> 0000000000000010
  flw fa0, 12(t0)               # subnormal in FP32 and in BF16
  fcvt.bf16.s fa1, fa0
  show_double fa1               #> ffffffffffff0001
  fcvt.s.bf16 fa2, fa1
  show_single fa2               #> 00010000
  li a0, 0
  ret

  .section .rodata
  .balign 8
numbers:
  .word 0x3f808000, 0x7f7fffff, 0x7f800001, 0x00012345
