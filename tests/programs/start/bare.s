# A test program alone on a machine, as Spike has it: it turns on floats and vectors, and asks the host through tohost.
  .text
  .globl _start
_start:
  la sp, stack_end
  li t0, 0x2200  # mstatus.FS and VS: initial
  csrs mstatus, t0
  call main
  slli a0, a0, 1
  ori a0, a0, 1
  la t0, tohost
  sd a0, 0(t0)
1:j 1b

# a1 bytes from address a0 on.
  .globl write_text
write_text:
  addi sp, sp, -32
  sd t0, 0(sp)
  sd t1, 8(sp)
  la t0, asked
  li t1, 64  # write
  sd t1, 0(t0)
  li t1, 1
  sd t1, 8(t0)
  sd a0, 16(t0)
  sd a1, 24(t0)
  fence
  la t1, tohost
  sd t0, 0(t1)
  la t1, fromhost
1:ld t0, 0(t1)
  beqz t0, 1b
  sd zero, 0(t1)
  ld t0, 0(sp)
  ld t1, 8(sp)
  addi sp, sp, 32
  ret

  .section .tohost, "aw"
  .balign 64
  .globl tohost, fromhost
tohost:
  .dword 0
  .balign 64
fromhost:
  .dword 0
  .bss
  .balign 64
asked:
  .zero 64
  .zero 16384
stack_end:
