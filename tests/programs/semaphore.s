# Does a semaphore count, and a wait take no more than its amount?
# nodes: 2
# oracle: none
  .globl main
main:
  csrr t0, 0xcc0                # dj_node
  bnez t0, waiting
  li t1, 1
  global a1, t1, count
  li a2, 2
  dj.signal a1, a2
  li a2, 5
  dj.signal a1, a2
  li a0, 0
  ret
waiting:
  la a1, count
  li a2, 4                      # more than the first signal brings
  dj.wait a1, a2
  li a2, 3
  dj.wait a1, a2
  ld a0, 0(a1)
  show a0                       #> 0000000000000000
  li a2, 0                      # there is always so much
  dj.wait a1, a2
  li a0, 0
  ret

  .data
  .balign 8
count:
  .dword 0
