# Is a null pointer found?
# trap: load from 0x18, which cannot be read
  .globl main
main:
  say "before"                  #> before
  li t0, 0x10
  ld a0, 8(t0)
  say "behind"
