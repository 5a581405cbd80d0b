# Is the program's own text read, and never written?
# trap: store to
  .globl main
main:
  la t0, main
  lw a0, 0(t0)
  snez a0, a0
  show a0                       #> 0000000000000001
  sw zero, 0(t0)
  say "behind"
