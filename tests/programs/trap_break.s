# Does ebreak stop a program that nobody leads?
# trap: breakpoint (ebreak)
  .globl main
main:
  say "before"                  #> before
  ebreak
  say "behind"
