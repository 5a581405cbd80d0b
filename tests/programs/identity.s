# Does every node know who it is, and where it stands on the mesh of the machine?
# nodes: 6
# machine: test6
# oracle: none
  .globl main
main:
  csrr s0, 0xcc0                # dj_node
  la s1, turn                   # one after the other: each waits for the one before
  li s2, 1
  beqz s0, 1f
  dj.wait s1, s2
1:slli a0, s0, 16
  csrr t0, 0xcc1                # dj_nodes
  slli t0, t0, 12
  or a0, a0, t0
  csrr t0, 0xcc2                # dj_row
  slli t0, t0, 4
  or a0, a0, t0
  csrr t0, 0xcc3                # dj_column
  or a0, a0, t0
  show a0                       #> 0000000000006000
  csrr t1, 0xcc1
  addi t0, s0, 1
  beq t0, t1, 2f
  global a1, t0, turn
  dj.signal a1, s2
2:li a0, 0
  ret

  .data
  .balign 8
turn:
  .dword 0

#> 0000000000016001
#> 0000000000026002
#> 0000000000036010
#> 0000000000046011
#> 0000000000056012
