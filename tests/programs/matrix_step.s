# Does a step of FP32 add the outer product to the tile, and leave what lies beyond tm and tn alone?
# oracle: none
  .globl main
main:
  la t0, a
  la t1, b
  vsetivli zero, 16, e32, m1, ta, ma
  vle32.v v8, (t0)              # 1, 2, 3, ...
  vle32.v v16, (t1)             # 10, 20, 30, ...
  li t2, 16
  sf.vsettnt zero, t2, e32, w1
  li t2, 16
  sf.vsettm zero, t2
  sf.vtzero.t mt0
  li t2, 3
  sf.vsettn a0, t2
  show a0                       #> 0000000000000003
  li t2, 2
  sf.vsettm a0, t2
  show a0                       #> 0000000000000002
  li t2, 9
  sf.vsettk a0, t2              # one at a time is all that there is
  show a0                       #> 0000000000000001
  sf.mm.f.f mt0, v8, v16
  sf.mm.f.f mt0, v8, v16
  li t2, 4
  sf.vsettn zero, t2
  li t3, 0                      # row 0
  sf.vtmv.v.t v1, t3
  show_elements v1, e32, 4      #> 41a00000 42200000 42700000 00000000
  li t3, 1                      # row 1
  sf.vtmv.v.t v1, t3
  show_elements v1, e32, 4      #> 42200000 42a00000 42f00000 00000000
  li t3, 2
  sf.vtmv.v.t v1, t3
  show_elements v1, e32, 4      #> 00000000 00000000 00000000 00000000
  li t3, 1 << 24 | 1            # column 1
  sf.vtmv.v.t v1, t3
  show_elements v1, e32, 4      #> 42200000 42a00000 00000000 00000000
  la t4, place
  li t3, 1
  sf.vste32 t3, (t4)            # row 1 to memory, and from there to row 5 of the next tile
  li t3, 4 << 27 | 5
  sf.vlte32 t3, (t4)
  sf.vtmv.v.t v1, t3
  show_elements v1, e32, 4      #> 42200000 42a00000 42f00000 00000000
  li a0, 0
  ret

  .data
  .balign 64
a:
  .float 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
b:
  .float 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160
place:
  .zero 64
