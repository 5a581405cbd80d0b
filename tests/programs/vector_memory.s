# Where do strided, indexed, masked and fault-only-first accesses read and write?
  .globl main
main:
  la t0, numbers
  la t1, place
  vsetivli zero, 4, e16, m1, tu, mu
  li t2, 6
  vlse16.v v1, (t0), t2
  show_elements v1, e16, 4      #> 0010 0013 0016 0019
  vlse16.v v1, (t0), zero       # the same one again and again
  show_elements v1, e16, 4      #> 0010 0010 0010 0010
  li t2, -2
  addi t3, t0, 6
  vlse16.v v1, (t3), t2         # backwards
  show_elements v1, e16, 4      #> 0013 0012 0011 0010
  la t4, offsets
  vsetivli zero, 4, e8, mf2, tu, mu
  vle8.v v2, (t4)
  vsetivli zero, 4, e16, m1, tu, mu
  vluxei8.v v3, (t0), v2
  show_elements v3, e16, 4      #> 001a 0010 0013 0011
  vmv.v.i v0, 11                # all but element 2
  vsoxei8.v v3, (t1), v2, v0.t
  vsetivli zero, 12, e16, m1, tu, mu
  vle16.v v4, (t1)
  show_elements v4, e16, 12     #> 0010 0011 0000 0000 0000 0000 0000 0000 0000 0000 001a 0000
  vle16ff.v v5, (t0)            # no fault: all of them
  csrr a0, vl
  show a0                       #> 000000000000000c
  csrwi vstart, 3
  vse16.v v5, (t1)              # from element 3 on
  csrr a0, vstart
  show a0                       #> 0000000000000000
  vle16.v v4, (t1)
  show_elements v4, e16, 8      #> 0010 0011 0000 0013 0014 0015 0016 0017
  li a0, 0
  ret

  .data
  .balign 8
numbers:
  .half 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b
offsets:
  .byte 20, 0, 6, 2
  .balign 8
place:
  .zero 24
