# Is a vector instruction illegal while vtype is?
# trap: illegal instruction
  .globl main
main:
  vsetivli t0, 4, e64, mf2, ta, ma        # half a register of 64 bits: no such vtype
  show t0                       #> 0000000000000000
  vadd.vv v1, v2, v3
  say "behind"
