# Does a step of BF16 add its two products one after the other, each with one rounding in FP32?
# oracle: none
#
# C[m][n] = fma(A[1][m], B[1][n], fma(A[0][m], B[0][n], C[m][n])). With C = 2^24 each product of 1 is lost by itself (a
# tie to the even sum), though both together would count.
  .globl main
main:
  la t0, rows
  vsetivli zero, 16, e16, mf2, ta, ma
  vle16.v v8, (t0)              # row 0 of A: 1, 2^12, 3
  addi t0, t0, 32
  vle16.v v12, (t0)             # row 1 of A, four registers on: 1, 0, -3
  addi t0, t0, 32
  vle16.v v16, (t0)             # row 0 of B: 1, 2^12
  addi t0, t0, 32
  vle16.v v20, (t0)             # row 1 of B: 1, 1
  addi t0, t0, 32
  li t1, 2
  sf.vsettnt zero, t1, e32, w1
  li t1, 3
  sf.vsettm zero, t1
  li t2, 0
1:sf.vlte32 t2, (t0)            # C: 2^24 in three rows of two
  addi t2, t2, 1
  bne t2, t1, 1b
  li t1, 2
  sf.vsettnt zero, t1, e16alt, w2
  li t1, 3
  sf.vsettm zero, t1
  li t1, 2
  sf.vsettk a0, t1
  show a0                       #> 0000000000000002
  fsflags zero
  sf.mm.f.f mt0, v8, v16
  frflags a0                    # NX
  show a0                       #> 0000000000000001
  li t1, 2
  sf.vsettnt zero, t1, e32, w1
  li t2, 0                      # 2^24 + 1 + 1, and 2^24 + 2^12 + 1
  sf.vtmv.v.t v1, t2
  show_elements v1, e32, 2      #> 4b800000 4b800800
  li t2, 1                      # 2^24 + 2^12, and 2^24 + 2^24
  sf.vtmv.v.t v1, t2
  show_elements v1, e32, 2      #> 4b800800 4c000000
  li t2, 2                      # 2^24 + 3 is a tie, to 2^24 + 4; less 3 a tie again, to 2^24
  sf.vtmv.v.t v1, t2            # 2^24 + 3 * 2^12 - 3: a tie, to -4
  show_elements v1, e32, 2      #> 4b800000 4b8017fe
  li a0, 0
  ret

  .data
  .balign 64
rows:
  .half 0x3f80, 0x4580, 0x4040, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  .half 0x3f80, 0, 0xc040, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  .half 0x3f80, 0x4580, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  .half 0x3f80, 0x3f80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  .float 16777216, 16777216
