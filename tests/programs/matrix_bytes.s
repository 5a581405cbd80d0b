# Do steps of bytes take signs as they are named, and wrap in 32 bits?
# oracle: none
  .globl main
main:
  .option arch, +xsfmm32a8i     # which a node has, too
  vsetivli zero, 16, e8, m1, ta, ma
  vmv.v.i v8, -1                # A's four rows, two registers apart
  vmv.v.i v10, -1
  vmv.v.i v12, -1
  vmv.v.i v14, -1
  vmv.v.i v16, 2                # B's
  vmv.v.i v18, 2
  vmv.v.i v20, 2
  vmv.v.i v22, 2
  li t1, 2
  sf.vsettnt zero, t1, e8, w4
  sf.vsettm zero, t1
  li t1, 4
  sf.vsettk a0, t1
  show a0                       #> 0000000000000004
  sf.vtzero.t mt0
  sf.mm.s.s mt0, v8, v16        # 4 * (-1) * 2
  sf.vtzero.t mt4
  sf.mm.u.u mt4, v8, v16        # 4 * 255 * 2
  sf.vtzero.t mt8
  sf.mm.u.s mt8, v8, v16
  sf.mm.s.u mt8, v8, v16        # 2040 - 8
  li t1, 2
  sf.vsettnt zero, t1, e32, w1
  li t2, 0
  sf.vtmv.v.t v1, t2
  show_elements v1, e32, 2      #> fffffff8 fffffff8
  li t2, 4 << 27
  sf.vtmv.v.t v1, t2
  show_elements v1, e32, 2      #> 000007f8 000007f8
  li t2, 8 << 27
  sf.vtmv.v.t v1, t2
  show_elements v1, e32, 2      #> 000007f0 000007f0
  li a0, 0
  ret
