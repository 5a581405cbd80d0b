# Are vectors of BF16 widened exactly, rounded once, and multiplied into FP32 with one rounding?
# oracle: spike
  .globl main
main:
  la t0, numbers
  vsetivli zero, 4, e32, m1, tu, mu
  vle32.v v2, (t0)              # a tie, one above it, the largest, a signalling NaN
  vsetivli zero, 4, e16, mf2, tu, mu
  fsflags zero
  vfncvtbf16.f.f.w v4, v2
  show_elements v4, e16, 4      #> 3f80 3f81 7f80 7fc0
  frflags a0
  show a0                       #> 0000000000000015
  vfwcvtbf16.f.f.v v6, v4
  show_elements v6, e32, 4      #> 3f800000 3f810000 7f800000 7fc00000
  addi t0, t0, 16
  vle16.v v8, (t0)              # 1 + 2^-7, 1, 256, 0
  vsetivli zero, 4, e32, m1, tu, mu
  vmv.v.i v10, 0
  vsetivli zero, 4, e16, mf2, tu, mu
  vfwmaccbf16.vv v10, v8, v8    # the squares, exactly
  show_elements v10, e32, 4     #> 3f820200 3f800000 47800000 00000000
  vfwmaccbf16.vv v10, v8, v8
  show_elements v10, e32, 4     #> 40020200 40000000 48000000 00000000
  li a0, 0
  ret

  .data
  .balign 4
numbers:
  .word 0x3f808000, 0x3f808001, 0x7f7fffff, 0x7f800001
  .half 0x3f81, 0x3f80, 0x4380, 0
