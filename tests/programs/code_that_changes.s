# Does code that is written at run time run as it was written last?
  .globl main
main:
  addi sp, sp, -16
  sd ra, 0(sp)
  li a7, 226                    # mprotect: under Linux data is not code until it is asked for
  la a0, place
  srli a0, a0, 12
  slli a0, a0, 12
  li a1, 4096
  li a2, 7
  ecall
  la t0, place
  jalr ra, t0
  show a0                       #> 000000000000006f
  la t1, other
  lw t2, 0(t1)
  sw t2, 0(t0)
  fence.i
  jalr ra, t0
  show a0                       #> 00000000000000de
  ld ra, 0(sp)
  addi sp, sp, 16
  li a0, 0
  ret

  .data
  .balign 4096
  .option norvc
place:
  li a0, 111
  ret
other:
  li a0, 222
