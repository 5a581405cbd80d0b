# Is a wait that nobody can end found, and said with what is missing?
# deadlock: >= 3 (holds 2)
# nodes: 2
# oracle: none
  .globl main
main:
  csrr t0, 0xcc0                # dj_node
  bnez t0, waiting
  li t1, 1
  global a1, t1, never
  li a2, 2
  dj.signal a1, a2
  li a0, 0
  ret
waiting:
  say "one is missing"          #> one is missing
  la a1, never
  li a2, 3
  dj.wait a1, a2
  say "there it is"
  li a0, 0
  ret

  .data
  .balign 8
never:
  .dword 0
