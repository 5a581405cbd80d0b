# Is a put to a node that does not take part said as what it is?
# trap: there is no node 5 in this launch of 2
# nodes: 2
# oracle: none
  .globl main
main:
  csrr t0, 0xcc0                # dj_node
  bnez t0, 1f
  li t1, 5
  global a2, t1, word
  la a3, word
  li a4, 8
  dj.put zero, a2, a3, a4
  say "behind"
1:li a0, 0
  ret

  .data
  .balign 8
word:
  .dword 0
