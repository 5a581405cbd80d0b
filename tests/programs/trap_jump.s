# Does a jump to where there is nothing stop the program?
# trap: no instruction can be fetched at 0x8
  .globl main
main:
  say "before"                  #> before
  li t0, 8
  jr t0
