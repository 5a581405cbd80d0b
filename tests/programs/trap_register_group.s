# Is a register that begins no group illegal where groups are asked for?
# trap: illegal instruction
  .globl main
main:
  vsetivli zero, 4, e32, m4, ta, ma
  vadd.vv v4, v8, v12
  say "so far"                  #> so far
  vadd.vv v4, v8, v13
  say "behind"
