# From user mode the handler's address is an address like any other: does what cannot be begun there begin in machine
# mode?
# oracle: none
# exit: 2
  .globl main
main:
  la t0, handler
  csrw mtvec, t0
  csrw mepc, t0
  csrwi mstatus, 0
  mret                          # to user mode, where mcause is no register

  .balign 4
handler:
  csrr a0, mcause
  csrw mtvec, zero
  ret
