# Do masked-off elements and the tail stay as they are where they shall, and what do mask instructions find?
  .globl main
main:
  vsetivli t0, 16, e32, m1, tu, mu
  vid.v v1
  vmv.v.i v2, -1
  vand.vi v3, v1, 3
  vmseq.vi v0, v3, 2            # elements 2, 6, 10 and 14
  vcpop.m a0, v0
  show a0                       #> 0000000000000004
  vfirst.m a0, v0
  show a0                       #> 0000000000000002
  vsetivli t0, 9, e32, m1, tu, mu
  vadd.vx v2, v1, a0, v0.t      # of 0 to 8
  show_elements v2, e32, 16     #> ffffffff ffffffff 00000004 ffffffff ffffffff ffffffff 00000008 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff
  vsetivli t0, 9, e32, m1, tu, ma
  vmv.v.i v4, 7
  vadd.vv v4, v1, v1            # the tail stays
  show_elements v4, e32, 16     #> 00000000 00000002 00000004 00000006 00000008 0000000a 0000000c 0000000e 00000010 00000000 00000000 00000000 00000000 00000000 00000000 00000000
  vsetivli t0, 16, e32, m1, tu, mu
  viota.m v5, v0
  show_elements v5, e32, 16     #> 00000000 00000000 00000000 00000001 00000001 00000001 00000001 00000002 00000002 00000002 00000002 00000003 00000003 00000003 00000003 00000004
  vmsbf.m v6, v0
  vmsif.m v7, v0
  vmsof.m v8, v0
  vmandn.mm v9, v7, v6
  vmv.x.s a0, v9
  andi a0, a0, 0xff
  show a0                       #> 0000000000000004
  vmv.x.s a0, v8
  andi a0, a0, 0xff
  show a0                       #> 0000000000000004
  vmerge.vim v10, v1, -8, v0
  show_elements v10, e32, 16    #> 00000000 00000001 fffffff8 00000003 00000004 00000005 fffffff8 00000007 00000008 00000009 fffffff8 0000000b 0000000c 0000000d fffffff8 0000000f
  vmv.v.i v11, 0
  vcompress.vm v11, v1, v0
  show_elements v11, e32, 6     #> 00000002 00000006 0000000a 0000000e 00000000 00000000
  vsetivli t0, 4, e32, m1, tu, mu
  vmadc.vi v12, v2, 1           # carries of -1, -1, 4, -1
  vmv.x.s a0, v12
  andi a0, a0, 15
  show a0                       #> 000000000000000b
  li a0, 0
  ret
