# Does a program's own handler learn what trapped and where, and does mret go on behind it?
# oracle: spike
  .globl main
main:
  la s0, records
  la s1, place
  la t0, handler
  csrw mtvec, t0                # from here on ecall traps, too: nothing can be shown
  .option push
  .option norvc
place:
  .4byte 0xffffffff
  csrw cycle, zero              # is read-only
  csrr t3, 0x5c0                # is none
  ebreak
  li t4, 8
  ld t3, 0(t4)
  sd t3, 0(t4)
  .option pop
  csrw mtvec, zero
  la s1, records
1:ld a0, 0(s1)                  # cause, place, value
  slli a0, a0, 32
  ld a1, 8(s1)
  or a0, a0, a1
  show a0
  ld a0, 16(s1)
  show a0
  addi s1, s1, 24
  bne s1, s0, 1b
  li a0, 0
  ret

  .balign 4
handler:
  csrr t0, mcause
  sd t0, 0(s0)
  csrr t1, mepc
  sub t2, t1, s1
  sd t2, 8(s0)
  csrr t2, mtval
  bne t2, t1, 1f
  li t2, -1                     # the instruction's own address
1:sd t2, 16(s0)
  addi s0, s0, 24
  addi t1, t1, 4
  csrw mepc, t1
  mret

  .bss
  .balign 8
records:
  .zero 24 * 8

# Illegal, three times: the value is the instruction.
#> 0000000200000000
#> 00000000ffffffff
#> 0000000200000004
#> 00000000c0001073
#> 0000000200000008
#> 000000005c002e73
# A breakpoint, a load and a store: the value is an address.
#> 000000030000000c
#> ffffffffffffffff
#> 0000000500000014
#> 0000000000000008
#> 0000000700000018
#> 0000000000000008
