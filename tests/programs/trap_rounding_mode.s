# Is an operation illegal whose rounding mode is none, though it would not round?
# trap: illegal instruction
  .globl main
main:
  csrwi frm, 5
  fmv.d.x fa0, zero
  fsgnj.d fa1, fa0, fa0         # knows no mode
  say "so far"                  #> so far
  fadd.d fa1, fa0, fa0
  say "behind"
