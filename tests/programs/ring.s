# Does a number go once around the ring of a small machine, and grow by every node's own?
# machine: test6
# nodes: 6
# exit: 21
# oracle: none
  .globl main
main:
  csrr s0, 0xcc0                # dj_node
  csrr s1, 0xcc1                # dj_nodes
  la s2, number
  la s3, arrived
  li s4, 1
  beqz s0, send
  dj.wait s3, s4
send:
  ld t0, 0(s2)
  add t0, t0, s0
  addi t0, t0, 1
  sd t0, 0(s2)
  addi t1, s0, 1
  remu t1, t1, s1
  global a2, t1, number
  li a3, 8
  dj.put s3, a2, s2, a3
  beqz s0, last
  li a0, 0
  ret
last:
  dj.wait s3, s4
  ld a0, 0(s2)                  # 1 + 2 + ... + 6, the program's exit code
  show a0                       #> 0000000000000015
  ret

  .data
  .balign 8
number:
  .dword 0
arrived:
  .dword 0
