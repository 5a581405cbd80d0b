# Does integer arithmetic wrap, shift and divide as the specification says, also where others trap?
  .globl main
main:
  li t0, 0x7fffffffffffffff
  addi a0, t0, 1
  show a0                       #> 8000000000000000
  li t1, 0x7fffffff
  addiw a0, t1, 1               # the sum of 32 bits, sign-extended
  show a0                       #> ffffffff80000000
  li t2, 65                     # six bits count
  sll a0, t0, t2
  show a0                       #> fffffffffffffffe
  sraw a0, t1, t2               # five
  show a0                       #> 000000003fffffff
  li t3, -7
  li t4, 2
  div a0, t3, t4                # towards zero
  show a0                       #> fffffffffffffffd
  rem a0, t3, t4                # has the dividend's sign
  show a0                       #> ffffffffffffffff
  divu a0, t3, t4
  show a0                       #> 7ffffffffffffffc
  div a0, t3, zero
  show a0                       #> ffffffffffffffff
  rem a0, t3, zero
  show a0                       #> fffffffffffffff9
  addi t5, t0, 1
  li t6, -1
  div a0, t5, t6                # the only quotient that does not fit
  show a0                       #> 8000000000000000
  rem a0, t5, t6
  show a0                       #> 0000000000000000
  mulh a0, t5, t5
  show a0                       #> 4000000000000000
  mulhu a0, t6, t6
  show a0                       #> fffffffffffffffe
  mulhsu a0, t6, t6
  show a0                       #> ffffffffffffffff
  li a0, 0
  ret
