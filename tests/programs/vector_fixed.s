# Do fixed-point operations round in each mode of vxrm, and say when they saturate?
  .globl main
main:
  vsetivli zero, 4, e8, m1, tu, mu
  la t0, numbers
  vle8.v v1, (t0)               # 5, 6, 7, -5
  csrwi vxrm, 0                 # to nearest, ties up
  vssra.vi v2, v1, 1
  show_elements v2, e8, 4       #> 03 03 04 fe
  csrwi vxrm, 1                 # ties to even
  vssra.vi v2, v1, 1
  show_elements v2, e8, 4       #> 02 03 04 fe
  csrwi vxrm, 2                 # down
  vssra.vi v2, v1, 1
  show_elements v2, e8, 4       #> 02 03 03 fd
  csrwi vxrm, 3                 # to odd
  vssra.vi v2, v1, 1
  show_elements v2, e8, 4       #> 03 03 03 fd
  vaadd.vv v2, v1, v1           # (a + a) / 2
  show_elements v2, e8, 4       #> 05 06 07 fb
  csrr a0, vxsat
  show a0                       #> 0000000000000000
  li t1, 125
  vsadd.vx v3, v1, t1           # at most 127
  show_elements v3, e8, 4       #> 7f 7f 7f 78
  csrr a0, vxsat
  show a0                       #> 0000000000000001
  csrr a0, vcsr
  show a0                       #> 0000000000000007
  csrwi vxsat, 0
  vssubu.vx v3, v1, t1          # at least 0
  show_elements v3, e8, 4       #> 00 00 00 7e
  li t1, -128
  vmv.v.x v4, t1
  vsmul.vv v5, v4, v4           # the only product that does not fit
  show_elements v5, e8, 4       #> 7f 7f 7f 7f
  csrr a0, vxsat
  show a0                       #> 0000000000000001
  csrwi vxsat, 0
  vsetivli zero, 4, e8, mf2, tu, mu
  vwmul.vv v6, v1, v4
  vnclip.wi v8, v6, 2
  show_elements v8, e8, 4       #> 80 80 80 7f
  csrr a0, vxsat
  show a0                       #> 0000000000000001
  li a0, 0
  ret

  .data
numbers:
  .byte 5, 6, 7, -5
