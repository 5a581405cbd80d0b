# Do atomic operations answer what was there, and does a store-conditional need its reservation?
  .globl main
main:
  la t0, word
  li t1, 5
  amoadd.w a0, t1, (t0)         # sign-extended, wraps in 32 bits
  show a0                       #> ffffffffffffffff
  ld a0, 0(t0)
  show a0                       #> 7fffffff00000004
  amoswap.d a0, t1, (t0)
  show a0                       #> 7fffffff00000004
  li t2, -3
  amomin.d a0, t2, (t0)
  amomaxu.d a0, t1, (t0)        # -3 is the larger one
  show a0                       #> fffffffffffffffd
  ld a0, 0(t0)
  show a0                       #> fffffffffffffffd
  amomax.w a0, t1, (t0)
  ld a0, 0(t0)
  show a0                       #> ffffffff00000005
  li t3, 0xff
  amoand.d zero, t3, (t0)
  amoxor.d zero, t3, (t0)
  amoor.d a0, t2, (t0)
  show a0                       #> 00000000000000fa
  ld a0, 0(t0)
  show a0                       #> ffffffffffffffff

  lr.d a0, (t0)
  sc.d a1, t1, (t0)
  show a1                       #> 0000000000000000
  sc.d a1, t3, (t0)             # the reservation is used up
  snez a1, a1
  show a1                       #> 0000000000000001
  ld a0, 0(t0)
  show a0                       #> 0000000000000005
  lr.w a0, (t0)
  addi t4, t0, 64
  sc.w a1, t1, (t4)             # somewhere else
  snez a1, a1
  show a1                       #> 0000000000000001
  li a0, 0
  ret

  .data
  .balign 64
word:
  .dword 0x7fffffffffffffff, 0, 0, 0, 0, 0, 0, 0
  .dword 0
