# Does the handler learn where the faulty part of an access begins that crosses the end of memory?
# oracle: none
  .globl main
main:
  la t0, handler
  csrw mtvec, t0
  li a1, 0x140000 - 4           # the last four bytes of a node's memory
  li s1, 2000                   # more often than it takes to be translated
  li a3, 0
loop:
  ld a2, 0(a1)
  sd a2, 0(a1)
  fld fa2, 0(a1)
  addi s1, s1, -1
  bnez s1, loop
  csrw mtvec, zero
  show a3                       # 3 * 2000 * 4
  #> 0000000000005dc0
  li a0, 0
  ret

  .balign 4
handler:
  csrr t0, mtval
  sub t0, t0, a1
  add a3, a3, t0
  csrr t0, mepc
  lhu t1, (t0)
  andi t1, t1, 3
  addi t0, t0, 2                # behind an instruction of 16 bits
  addi t1, t1, -3
  bnez t1, 1f
  addi t0, t0, 2                # of 32
1:csrw mepc, t0
  mret
