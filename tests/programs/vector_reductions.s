# Do reductions begin with their scalar, and does the ordered sum add in order?
  .globl main
main:
  vsetivli zero, 10, e16, m1, tu, mu
  vid.v v1
  vmv.v.i v2, 5
  vredsum.vs v3, v1, v2         # 5 + 45
  vmv.x.s a0, v3
  show a0                       #> 0000000000000032
  vredmax.vs v3, v1, v2
  vmv.x.s a0, v3
  show a0                       #> 0000000000000009
  vredand.vs v3, v1, v2
  vmv.x.s a0, v3
  show a0                       #> 0000000000000000
  li t1, -1
  vmv.v.x v4, t1
  vwredsumu.vs v5, v4, v2       # sums in 32 bits; the scalar has as many
  vsetivli zero, 1, e32, m1, tu, mu
  vmv.x.s a0, v5
  show a0                       #> 00000000000efffb

  la t0, numbers                # 1e8, 1, -1e8, 1
  vsetivli zero, 4, e32, m1, tu, mu
  vle32.v v8, (t0)
  vmv.v.i v9, 0
  vfredosum.vs v10, v8, v9
  vfmv.f.s fa0, v10
  show_single fa0               #> 3f800000
  vfredmax.vs v10, v8, v9
  vfmv.f.s fa0, v10
  show_single fa0               #> 4cbebc20
  vsetivli zero, 4, e32, mf2, tu, mu
  vfwredosum.vs v12, v8, v9     # in FP64 nothing is lost
  vsetivli zero, 1, e64, m1, tu, mu
  vfmv.f.s fa0, v12
  show_double fa0               #> 4000000000000000
  vsetivli zero, 0, e32, m1, tu, mu
  vredsum.vs v9, v8, v8         # of nothing: nothing is written
  vsetivli zero, 1, e32, m1, tu, mu
  vmv.x.s a0, v9
  show a0                       #> 0000000000000000
  li a0, 0
  ret

  .data
  .balign 4
numbers:
  .float 1e8, 1, -1e8, 1
