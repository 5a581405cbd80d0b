# A test program under Linux's system calls, as dojo exec and qemu-riscv64 answer them.
  .text
  .globl _start
_start:
  call main
  li a7, 93  # exit
  ecall

# a1 bytes from address a0 on.
  .globl write_text
write_text:
  addi sp, sp, -32
  sd a2, 0(sp)
  sd a7, 8(sp)
  mv a2, a1
  mv a1, a0
  li a0, 1
  li a7, 64  # write
  ecall
  ld a2, 0(sp)
  ld a7, 8(sp)
  addi sp, sp, 32
  ret
