# Does an instruction that is none stop the program, after all that comes before it?
# trap: illegal instruction 0xffffffff
  .globl main
main:
  say "before"                  #> before
  .4byte 0xffffffff
  say "behind"
