# How long are vectors, in groups of registers and in parts of one, and where do wider results go?
  .globl main
main:
  li t1, 1000
  vsetvli a0, t1, e8, m1, tu, mu
  show a0                       #> 0000000000000040
  vsetvli a0, t1, e32, m8, tu, mu
  show a0                       #> 0000000000000080
  vsetvli a0, t1, e16, mf4, tu, mu
  show a0                       #> 0000000000000008
  vsetvli a0, t1, e64, mf2, tu, mu
  csrr a0, vtype                # half a register of 64 bits is less than one of them is wide
  show a0                       #> 8000000000000000
  csrr a0, vl
  show a0                       #> 0000000000000000
  vsetivli a0, 3, e64, m2, tu, mu
  show a0                       #> 0000000000000003
  vsetvli zero, zero, e32, m1, tu, mu     # the same vl
  csrr a0, vl
  show a0                       #> 0000000000000003
  csrr a0, vtype
  show a0                       #> 0000000000000010

  li t1, 40
  vsetvli a0, t1, e16, m2, tu, mu
  vid.v v2
  vmul.vv v2, v2, v2
  vwaddu.vv v8, v2, v2          # 40 elements of 32 bits in v8 to v10
  show_elements v9, e32, 16     #> 00000200 00000242 00000288 000002d2 00000320 00000372 000003c8 00000422 00000480 000004e2 00000548 000005b2 00000620 00000692 00000708 00000782
  vnsrl.wi v4, v8, 1            # and back
  show_elements v5, e16, 8      #> 0400 0441 0484 04c9 0510 0559 05a4 05f1
  vsetvli a0, t1, e32, m4, tu, mu
  vzext.vf2 v12, v2
  show_elements v14, e32, 8     #> 00000400 00000441 00000484 000004c9 00000510 00000559 000005a4 000005f1
  vslidedown.vi v16, v12, 15    # from one register into the next
  show_elements v16, e32, 4     #> 000000e1 00000100 00000121 00000144
  vslide1up.vx v20, v12, t1
  show_elements v21, e32, 3     #> 000000e1 00000100 00000121
  li a0, 0
  ret
