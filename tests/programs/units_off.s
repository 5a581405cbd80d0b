# Do floats and vectors trap while mstatus has them off, each time, and run again behind the trap?
# oracle: spike
  .globl main
main:
  la t0, handler
  csrw mtvec, t0
  addi sp, sp, -16
  sd zero, 0(sp)
  li s0, 0
  li s1, 2000                   # more often than it takes to be translated
  li s2, 0x6600                 # FS and VS
loop:
  csrc mstatus, s2
  fadd.d fa0, fa0, fa0
  csrc mstatus, s2
  vsetivli x0, 4, e32, m1, ta, ma
  csrc mstatus, s2
  csrr a0, fcsr
  csrc mstatus, s2
  c.fldsp fa0, 0(sp)
  vadd.vv v8, v8, v8            # they are on
  addi s1, s1, -1
  bnez s1, loop
  addi sp, sp, 16
  csrw mtvec, zero
  show s0                       #> 0000000000001f40
  li a0, 0
  ret

  .balign 4
handler:
  addi s0, s0, 1
  csrs mstatus, s2
  mret
