# Does a get bring what lies on another node, and one from the HBM what was put there?
# nodes: 2
# oracle: none
  .globl main
main:
  csrr t0, 0xcc0                # dj_node
  bnez t0, other
  la a1, go
  li a2, 1
  dj.wait a1, a2                # node 1 has written its word
  li t1, 1
  global a3, t1, word
  la a4, place
  la a1, arrived
  li a5, 8
  dj.get a1, a4, a3, a5
  dj.wait a1, a2
  ld a0, 0(a4)
  show a0                       #> 0000000000000abc
  li t1, 0x800000               # the HBM of interface processor 0, from byte 4096 on
  slli t1, t1, 40
  li t2, 4096
  add t1, t1, t2
  dj.put zero, t1, a4, a5
  dj.quiet
  sd zero, 0(a4)
  dj.get zero, a4, t1, a5
  dj.quiet                      # without a semaphore this says when it is there
  ld a0, 0(a4)
  show a0                       #> 0000000000000abc
  li a0, 0
  ret
other:
  la t1, word
  li t2, 0xabc
  sd t2, 0(t1)
  global a1, zero, go
  li a2, 1
  dj.signal a1, a2
  li a0, 0
  ret

  .data
  .balign 8
go:
  .dword 0
arrived:
  .dword 0
word:
  .dword 0
place:
  .dword 0
