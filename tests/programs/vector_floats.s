# Do vectors of floats follow frm, and raise the flags of their active elements alone?
  .globl main
main:
  la t0, numbers
  vsetivli zero, 4, e32, m1, tu, mu
  vle32.v v1, (t0)              # 1, 2, -1, 0
  addi t0, t0, 16
  vle32.v v2, (t0)              # 3, 4, 3, 0
  fsflags zero
  vmv.v.i v0, 2                 # element 1: 2 / 4
  vmv.v.i v3, 0
  vfdiv.vv v3, v1, v2, v0.t
  show_elements v3, e32, 4      #> 00000000 3f000000 00000000 00000000
  frflags a0
  show a0                       #> 0000000000000000
  fsrmi zero, 2                 # down
  vfdiv.vv v3, v1, v2
  show_elements v3, e32, 4      #> 3eaaaaaa 3f000000 beaaaaab 7fc00000
  frflags a0
  show a0                       #> 0000000000000011
  fsrmi zero, 3                 # up
  vfdiv.vv v3, v1, v2
  show_elements v3, e32, 4      #> 3eaaaaab 3f000000 beaaaaaa 7fc00000
  fsrmi zero, 0
  vfmacc.vv v3, v1, v2          # fused
  show_elements v3, e32, 4      #> 40555555 41080000 c0555555 7fc00000
  vfsgnjn.vv v4, v1, v1
  show_elements v4, e32, 4      #> bf800000 c0000000 3f800000 80000000
  vfclass.v v4, v3
  show_elements v4, e32, 4      #> 00000040 00000040 00000002 00000200
  vmflt.vv v5, v1, v2
  vmv.x.s a0, v5
  andi a0, a0, 15
  show a0                       #> 0000000000000007
  vfrsqrt7.v v6, v2             # an estimate of seven bits
  show_elements v6, e32, 4      #> 3f130000 3eff0000 3f130000 7f800000
  vsetivli zero, 4, e32, mf2, tu, mu
  vfwcvt.f.f.v v8, v3
  show_elements v8, e64, 4      #> 400aaaaaa0000000 4021000000000000 c00aaaaaa0000000 7ff8000000000000
  vfncvt.rod.f.f.w v9, v8       # to odd
  show_elements v9, e32, 4      #> 40555555 41080000 c0555555 7fc00000
  li a0, 0
  ret

  .data
  .balign 4
numbers:
  .float 1, 2, -1, 0, 3, 4, 3, 0
