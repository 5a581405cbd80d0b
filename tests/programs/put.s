# Is a put's payload there when the semaphore says so?
# nodes: 2
# oracle: none
  .globl main
main:
  csrr t0, 0xcc0                # dj_node
  la a1, arrived
  bnez t0, receive
  li t1, 1
  global a2, t1, words
  la a3, words
  li a4, 16
  dj.put a1, a2, a3, a4         # two words, then 1 to the semaphore there
  sd zero, 0(a3)                # the source may be used again at once
  dj.quiet
  li a0, 0
  ret
receive:
  li a2, 1
  dj.wait a1, a2
  ld a0, 0(a1)                  # the wait has taken what it waited for
  show a0                       #> 0000000000000000
  la a3, words
  ld a0, 0(a3)
  show a0                       #> 1122334455667788
  ld a0, 8(a3)
  show a0                       #> 99aabbccddeeff00
  ld a0, 16(a3)                 # this node's own
  show a0                       #> 0000000000000001
  li a0, 0
  ret

  .data
  .balign 8
arrived:
  .dword 0
words:
  .dword 0x1122334455667788, 0x99aabbccddeeff00, 1
