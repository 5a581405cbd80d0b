# Do the threads of a node share its memory, and see each other's atomics?
# threads: 4
# oracle: none
  .globl main
main:
  csrr s0, 0xcc4                # dj_thread, which is a0 at the start, too
  la s1, sum
  addi t1, s0, 1
  amoadd.d zero, t1, (s1)
  li t2, 10
1:ld a0, 0(s1)                  # until all four have come
  bne a0, t2, 1b
  bnez s0, 2f
  show a0                       #> 000000000000000a
  csrr a0, mhartid
  show a0                       #> 0000000000000000
2:li a0, 0
  ret

  .data
  .balign 8
sum:
  .dword 0
