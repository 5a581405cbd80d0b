# Entry of every thread of a program with a C library (`dojo cc`). Its thread-local data lies at the top of its stack;
# start.cpp does the rest. On thread 0 sp points to argc, argv and the auxiliary vector (docs/notes/001).
  .section .text.start, "ax"
  .globl _start
  .type _start, @function
_start:
  .option push
  .option norelax
  lla gp, __global_pointer$
  .option pop
  mv a1, sp
  lui t0, %hi(__tls_bytes)
  addi t0, t0, %lo(__tls_bytes)
  sub sp, sp, t0
  andi sp, sp, -64
  mv tp, sp
  call dojo_start_thread
  .size _start, . - _start

  .text
  .weak dojo_thread_main
  .type dojo_thread_main, @function
dojo_thread_main:
  li a0, 0
  ret
  .size dojo_thread_main, . - dojo_thread_main
