# Entry of every thread: sp and a0 (the thread's number) are set, SRAM holds the image with a zeroed bss (docs/notes/001).
# Thread 0 runs the static constructors and main(), the others dojo_thread_main(thread). What these return is the exit code.
  .section .text.start, "ax"
  .globl _start
  .type _start, @function
_start:
  .option push
  .option norelax
  lla gp, __global_pointer$
  .option pop
  mv s0, a0
  bnez s0, 3f
  lla s1, __init_array_start
  lla s2, __init_array_end
1:
  beq s1, s2, 2f
  ld t0, 0(s1)
  addi s1, s1, 8
  jalr t0
  j 1b
2:
  li a0, 0
  li a1, 0
  call main
  j 4f
3:
  call dojo_thread_main
4:
  li a7, 93
  ecall
  j 4b
  .size _start, . - _start

# Of programs that start one thread only.
  .text
  .weak dojo_thread_main
  .type dojo_thread_main, @function
dojo_thread_main:
  li a0, 0
  ret
  .size dojo_thread_main, . - dojo_thread_main
