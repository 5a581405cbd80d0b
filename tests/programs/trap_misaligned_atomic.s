# Atomics must be aligned, and nothing else: does one that is not trap?
# trap: atomic access to misaligned
# oracle: none
  .globl main
main:
  la t0, word
  ld a0, 4(t0)
  show a0                       #> 0000000200000000
  amoadd.w a0, a0, (t0)
  say "so far"                  #> so far
  addi t0, t0, 2
  amoadd.w a0, a0, (t0)
  say "behind"

  .data
  .balign 8
word:
  .dword 1, 2
